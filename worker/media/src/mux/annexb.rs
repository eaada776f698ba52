//! H.264 byte streams: splitting them into units and taking the parameter sets out.

/// Unit type of a sequence parameter set.
const SPS: u8 = 7;
/// Unit type of a picture parameter set.
const PPS: u8 = 8;
/// Unit type of an access unit delimiter.
const DELIMITER: u8 = 9;

const START: [u8; 4] = [0, 0, 0, 1];

/// The units of an Annex B stream, without start codes.
pub(super) fn units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start(stream).unwrap_or_default();
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = find_start(rest).unwrap_or(rest.len());
            let (unit, later) = rest.split_at(end);
            rest = after_start(later).unwrap_or_default();
            // The zero before a four-byte start code, and padding.
            let len = unit.iter().rposition(|&b| b != 0).map_or(0, |at| at + 1);
            if len > 0 {
                return Some(&unit[..len]);
            }
        }
        None
    })
}

/// Splits a packet: the parameter sets into `sets`, everything else but delimiters into `rest`, both as Annex B.
pub(super) fn split_sets(stream: &[u8], sets: &mut Vec<u8>, rest: &mut Vec<u8>) {
    sets.clear();
    rest.clear();
    for unit in units(stream) {
        let to = match unit[0] & 0x1f {
            SPS | PPS => &mut *sets,
            DELIMITER => continue,
            _ => &mut *rest,
        };
        to.extend_from_slice(&START);
        to.extend_from_slice(unit);
    }
}

/// True when `sets` holds both kinds of parameter sets.
pub(super) fn complete(sets: &[u8]) -> bool {
    [SPS, PPS].into_iter().all(|kind| units(sets).any(|unit| unit[0] & 0x1f == kind))
}

fn after_start(stream: &[u8]) -> Option<&[u8]> {
    find_start(stream).map(|at| &stream[at + 3..])
}

/// Where the next `00 00 01` begins. Looks at every third byte only where the data lets it.
fn find_start(stream: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(&third) = stream.get(at + 2) {
        match third {
            1 if stream[at] == 0 && stream[at + 1] == 0 => return Some(at),
            0 => at += 1,
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_after_short_and_long_start_codes() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 4, 0, 5];
        let found: Vec<&[u8]> = units(&stream).collect();
        assert_eq!(found, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4, 0, 5]]);
        assert_eq!(units(&[1, 2, 3]).count(), 0);
        assert_eq!(units(&[0, 0, 1]).count(), 0);
    }

    #[test]
    fn parameter_sets_are_taken_out_of_a_key_frame() {
        let stream = [0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 3];
        let (mut sets, mut rest) = (vec![9], vec![9]);
        split_sets(&stream, &mut sets, &mut rest);
        assert_eq!(sets, [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2]);
        assert_eq!(rest, [0, 0, 0, 1, 0x65, 3]);
        assert!(complete(&sets) && !complete(&rest));
    }
}
