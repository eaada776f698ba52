//! Refuses frames that are too long by their head, before anything of them is kept.
//!
//! The frame parser behind this looks at a frame's length when the whole frame is there, and keeps what came of it until
//! then: a head that announces a terabyte would be believed.

use actix_web::dev::Payload as Inner;
use actix_web::error::PayloadError;
use actix_web::web::Payload;
use actix_web::{FromRequest, HttpRequest};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use mouthpiece_speech::LARGEST;
use std::future::ready;
use std::mem::replace;
use std::pin::Pin;

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A request's body, which ends with [`PayloadError::Overflow`] where a frame is longer than [`LARGEST`].
pub async fn guarded(req: &HttpRequest, payload: Payload) -> Result<Payload, actix_web::Error> {
    let mut lengths = Lengths::default();
    let checked = payload.into_inner().map(move |chunk: Result<Bytes, PayloadError>| {
        let chunk = chunk?;
        if lengths.pass(&chunk) { Ok(chunk) } else { Err(PayloadError::Overflow) }
    });
    let checked = checked.scan(false, |over, chunk| {
        let before = !replace(over, chunk.is_err());
        ready(before.then_some(chunk))
    });
    let checked: BoxedPayloadStream = Box::pin(checked.fuse());
    let mut inner = Inner::Stream { payload: checked };
    Payload::from_request(req, &mut inner).await
}

/// Follows the frames of a stream of bytes.
#[derive(Debug, Default)]
struct Lengths {
    head: [u8; 14],
    /// Bytes of the head that are there.
    have: usize,
    /// Bytes of the frame's content that are to come.
    content: usize,
}

impl Lengths {
    /// False when a frame is too long.
    fn pass(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            let skipped = self.content.min(bytes.len());
            self.content -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((first, rest)) = bytes.split_first() else { return true };
            if let Some(place) = self.head.get_mut(self.have) {
                *place = *first;
                self.have += 1;
            }
            bytes = rest;
            if self.have == self.head_length() {
                let announced = self.announced();
                if announced > LARGEST as u64 {
                    return false;
                }
                self.content = usize::try_from(announced).unwrap_or(usize::MAX);
                self.have = 0;
            }
        }
    }

    /// How long the head is, as far as that is known.
    fn head_length(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn announced(&self) -> u64 {
        let number = |length: usize| self.head[2..2 + length].iter().fold(0, |n, b| n << 8 | u64::from(*b));
        match self.head[1] & 0x7f {
            126 => number(2),
            127 => number(8),
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(length: u64, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x82];
        match length {
            0..126 => bytes.push(mask | length as u8),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        if masked {
            bytes.extend([0xff; 4]);
        }
        bytes
    }

    fn passes(bytes: &[u8], pieces: usize) -> bool {
        let mut lengths = Lengths::default();
        bytes.chunks(pieces.max(1)).all(|piece| lengths.pass(piece))
    }

    #[test]
    fn a_frame_is_refused_by_its_head() {
        let most = LARGEST as u64;
        for length in [0, 125, 126, 65_535, 65_536, most] {
            assert!(passes(&frame(length, true), 1), "{length}");
        }
        for length in [most + 1, u64::from(u32::MAX), u64::MAX >> 1, u64::MAX] {
            assert!(!passes(&frame(length, true), 1) && !passes(&frame(length, false), 100), "{length}");
        }
    }

    proptest! {
        #[test]
        fn frames_are_followed_however_they_are_cut(
            lengths in proptest::collection::vec((0u64..70_000, any::<bool>()), 0..5), pieces in 1usize..5000,
        ) {
            let mut bytes = Vec::new();
            for (length, masked) in lengths {
                bytes.extend(frame(length, masked));
                bytes.extend(vec![0xff; length as usize]);
            }
            prop_assert!(passes(&bytes, pieces));
            bytes.extend(frame(LARGEST as u64 + 1, true));
            prop_assert!(!passes(&bytes, pieces));
        }

        #[test]
        fn any_bytes_are_followed(bytes in proptest::collection::vec(any::<u8>(), 0..300), pieces in 1usize..40) {
            prop_assert_eq!(passes(&bytes, pieces), passes(&bytes, 300));
        }
    }
}
