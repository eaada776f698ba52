//! Typed ids. Each says what it names: `ses_`, `wrk_`, `avt_`, `key_`, `vwr_`, `clr_` and 32 hexadecimal digits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A text that is not an id of the asked kind.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("'{given}' is not {} id: it must be '{prefix}' and 32 hexadecimal digits", with_article(.kind))]
pub struct IdError {
    given: String,
    kind: &'static str,
    prefix: &'static str,
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kind}")
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{:032x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self).ok_or_else(|| IdError {
                    given: text.chars().take(60).collect(),
                    kind: $kind,
                    prefix: $prefix,
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

id!(
    /// One user's use of one avatar.
    SessionId, "session", "ses_"
);
id!(
    /// One run of a worker process: a process that starts again is another worker.
    WorkerId, "worker", "wrk_"
);
id!(
    /// A prepared face, as one API key registered it.
    AvatarId, "avatar", "avt_"
);
id!(
    /// An API key's name (never the secret).
    KeyId, "key", "key_"
);
id!(
    /// One viewer's connection to a live session. It cannot be guessed: whoever names it may end it.
    ViewerId, "viewer", "vwr_"
);
id!(
    /// A caller of a live session, over all of its lines, however often they break and wherever they lead. It cannot be guessed.
    CallerId, "caller", "clr_"
);

/// Only lower case and exactly 32 digits: one id has one spelling.
fn parse(text: &str, prefix: &str) -> Option<u128> {
    let digits = text.strip_prefix(prefix)?;
    let good = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    good.then(|| u128::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_has_one_spelling(n in any::<u128>()) {
            let id = SessionId(n);
            let text = id.to_string();
            prop_assert_eq!(text.parse::<SessionId>(), Ok(id));
            prop_assert!(text.parse::<WorkerId>().is_err());
            prop_assert!(text.to_uppercase().parse::<SessionId>().is_err());
        }

        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = text.parse::<AvatarId>();
        }
    }

    #[test]
    fn a_wrong_id_is_told_how_it_should_look() {
        let error = "ses_12".parse::<SessionId>().unwrap_err().to_string();
        assert_eq!(error, "'ses_12' is not a session id: it must be 'ses_' and 32 hexadecimal digits");
    }
}
