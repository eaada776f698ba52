//! Colours as people write them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The names that are known, as in CSS.
pub const NAMES: [(&str, [u8; 3]); 8] = [
    ("white", [255, 255, 255]),
    ("black", [0, 0, 0]),
    ("grey", [128, 128, 128]),
    ("gray", [128, 128, 128]),
    ("red", [255, 0, 0]),
    ("green", [0, 128, 0]),
    ("lime", [0, 255, 0]),
    ("blue", [0, 0, 255]),
];

/// An opaque colour: red, green, blue. Written `#rrggbb`, `#rgb`, or by one of [`NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

/// A text that is no colour.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("a colour is written #rrggbb, or white, black, grey, red, green, lime or blue")]
pub struct ColourError;

impl FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let Some(digits) = text.strip_prefix('#') else {
            let lower = text.to_ascii_lowercase();
            return NAMES.iter().find(|(name, _)| *name == lower).map(|(_, rgb)| Self(*rgb)).ok_or(ColourError);
        };
        // A sign would pass for a digit.
        let number = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = number.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or(ColourError)?;
        match digits.len() {
            6 => Ok(Self([(number >> 16) as u8, (number >> 8) as u8, number as u8])),
            3 => Ok(Self([number >> 8, number >> 4 & 15, number & 15].map(|digit| digit as u8 * 17))),
            _ => Err(ColourError),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl TryFrom<String> for Colour {
    type Error = ColourError;

    fn try_from(text: String) -> Result<Self, ColourError> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_they_are_written() {
        for (text, rgb) in [
            ("#1a2B3c", [0x1a, 0x2b, 0x3c]),
            ("#f80", [255, 136, 0]),
            ("White", [255; 3]),
            ("gray", [128; 3]),
            ("green", [0, 128, 0]),
        ] {
            assert_eq!(text.parse(), Ok(Colour(rgb)), "{text}");
        }
        for bad in ["", "#", "#12345", "#1234567", "#+12345", "#ggg", "mauve", " white", "fff", "#äöü"] {
            assert_eq!(bad.parse::<Colour>(), Err(ColourError), "{bad}");
        }
    }

    #[test]
    fn a_written_colour_is_read_again() {
        let colour = Colour([1, 32, 255]);
        assert_eq!(serde_json::to_string(&colour).unwrap(), "\"#0120ff\"");
        assert_eq!(serde_json::from_str::<Colour>("\"#0120ff\"").unwrap(), colour);
        assert!(serde_json::from_str::<Colour>("\"0120ff\"").is_err());
    }
}
