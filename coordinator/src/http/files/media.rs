//! What a file is, told by its first bytes: names and declared types are not believed.

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A picture or a short video of a person.
    Portrait,
    /// What is said.
    Speech,
}

/// So many first bytes tell every type.
pub const HEAD: usize = 16;

impl What {
    /// The types that are taken, for people.
    pub fn taken(self) -> &'static str {
        match self {
            Self::Portrait => "a picture (PNG, JPEG, WebP) or a video (MP4, WebM)",
            Self::Speech => "a recording (WAV, MP3, OGG, FLAC, M4A)",
        }
    }

    /// The media type of a file that begins like this, if it is taken. Fewer than [`HEAD`] bytes are the whole file.
    pub fn media_type(self, head: &[u8]) -> Option<&'static str> {
        match self {
            Self::Portrait => portrait(head),
            Self::Speech => speech(head),
        }
    }
}

fn portrait(head: &[u8]) -> Option<&'static str> {
    match head {
        _ if head.starts_with(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        _ if head.starts_with(b"\xff\xd8\xff") => Some("image/jpeg"),
        _ if riff(head, b"WEBP") => Some("image/webp"),
        _ if head.starts_with(b"\x1a\x45\xdf\xa3") => Some("video/webm"),
        _ => match brand(head)? {
            b"M4A " | b"M4B " | b"heic" | b"heix" | b"mif1" | b"avif" | b"avis" => None,
            _ => Some("video/mp4"),
        },
    }
}

fn speech(head: &[u8]) -> Option<&'static str> {
    match head {
        _ if riff(head, b"WAVE") => Some("audio/wav"),
        _ if head.starts_with(b"ID3") => Some("audio/mpeg"),
        _ if head.starts_with(b"OggS") => Some("audio/ogg"),
        _ if head.starts_with(b"fLaC") => Some("audio/flac"),
        _ if mpeg_audio(head) => Some("audio/mpeg"),
        _ => match brand(head)? {
            b"heic" | b"heix" | b"mif1" | b"avif" | b"avis" => None,
            _ => Some("audio/mp4"),
        },
    }
}

fn riff(head: &[u8], form: &[u8; 4]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..12) == Some(form)
}

/// The major brand of an ISO base media file.
fn brand(head: &[u8]) -> Option<&[u8; 4]> {
    (head.get(4..8)? == b"ftyp").then(|| head.get(8..12)?.try_into().ok()).flatten()
}

/// A frame header of MPEG audio: eleven set bits, no reserved version, layer, bit rate or sampling rate.
fn mpeg_audio(head: &[u8]) -> bool {
    match head {
        [0xff, b, c, ..] => {
            b & 0xe0 == 0xe0 && b & 0x18 != 0x08 && b & 0x06 == 0x02 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_are_told_by_their_first_bytes() {
        let both = |head: &[u8]| (What::Portrait.media_type(head), What::Speech.media_type(head));
        for (head, portrait, speech) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some("image/png"), None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01", Some("image/jpeg"), None),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp"), None),
            (b"RIFF\0\0\0\0WAVEfmt ", None, Some("audio/wav")),
            (b"RIFF\0\0\0\0AVI LIST", None, None),
            (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81", Some("video/webm"), None),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", Some("video/mp4"), Some("audio/mp4")),
            (b"\0\0\0\x20ftypM4A \0\0\x02\0", None, Some("audio/mp4")),
            (b"\0\0\0\x20ftypheic\0\0\0\0", None, None),
            (b"ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0", None, Some("audio/mpeg")),
            (b"\xff\xfb\x90\x64\0\0\0\0\0\0\0\0\0\0\0\0", None, Some("audio/mpeg")),
            (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0", None, Some("audio/ogg")),
            (b"fLaC\0\0\0\x22\0\0\0\0\0\0\0\0", None, Some("audio/flac")),
            (b"<svg xmlns=\"http", None, None),
            (b"GIF89a\0\0\0\0\0\0\0\0\0\0", None, None),
            (b"%PDF-1.7\0\0\0\0\0\0\0\0", None, None),
            (b"", None, None),
        ] {
            assert_eq!(both(head), (portrait, speech), "{}", String::from_utf8_lossy(head));
        }
    }

    proptest! {
        #[test]
        fn any_head_is_answered(head in proptest::collection::vec(any::<u8>(), 0..HEAD + 1)) {
            let _ = (What::Portrait.media_type(&head), What::Speech.media_type(&head));
        }
    }
}
