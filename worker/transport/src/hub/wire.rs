//! What can be seen of encrypted packets on their way out: SRTP and SRTCP leave their first header in the clear.

/// An outgoing datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// A packet of media.
    Media {
        payload_type: u8,
        /// The last of a video frame.
        marker: bool,
        /// RTP time.
        time: u32,
    },
    /// Reports of sender or receiver, possibly with more behind them.
    Report,
    /// A binding request of ICE.
    Request,
    /// Whatever else: it is sent on as it is.
    Else,
}

/// Sorts what str0m wants to send.
pub(super) fn outgoing(datagram: &[u8]) -> Outgoing {
    let [first, second, ..] = datagram else { return Outgoing::Else };
    match (first >> 6, *second) {
        (2, 200 | 201) => Outgoing::Report,
        (2, 192..=223) => Outgoing::Else,
        (2, second) => match datagram.get(4..8) {
            Some(&[a, b, c, d]) => {
                let time = u32::from_be_bytes([a, b, c, d]);
                Outgoing::Media { payload_type: second & 0x7f, marker: second & 0x80 != 0, time }
            }
            _ => Outgoing::Else,
        },
        (0, 1) if *first == 0 => Outgoing::Request,
        _ => Outgoing::Else,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_told_apart() {
        let media = [0x90, 0x80 | 102, 0, 1, 0, 0, 0x0e, 0x10, 9, 9, 9, 9];
        assert_eq!(outgoing(&media), Outgoing::Media { payload_type: 102, marker: true, time: 3600 });
        assert_eq!(outgoing(&[0x80, 200, 0, 6]), Outgoing::Report);
        assert_eq!(outgoing(&[0x81, 201, 0, 6]), Outgoing::Report);
        assert_eq!(outgoing(&[0x81, 205, 0, 6]), Outgoing::Else);
        assert_eq!(outgoing(&[0, 1, 0, 0]), Outgoing::Request);
        assert_eq!(outgoing(&[1, 1, 0, 0]), Outgoing::Else);
        assert_eq!(outgoing(&[22, 254, 253]), Outgoing::Else);
        assert_eq!(outgoing(&[0x80, 96]), Outgoing::Else);
        assert_eq!(outgoing(&[]), Outgoing::Else);
    }
}
