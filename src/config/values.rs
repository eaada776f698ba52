//! What a setting's value may be, as text or number, and how it is told when it is not.

use super::BucketEncryption;
use figment::value::{Num, Value};
use mouthpiece_coordinator::http::{PublicUrl, PublicUrlError};
use mouthpiece_domain::cost;
use mouthpiece_worker_settings::{NeuralDecoder, NeuralLaunch, NeuralProvider, NoSuchChoice};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A value that a setting can have.
pub trait SettingValue: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// A sentence that goes on after "http.port: ".
    fn read(value: &Value) -> Result<Self, String>;
}

/// Text, also where it looks like a number or a word of TOML.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, c) => Some(c.to_string()),
        Value::Bool(_, yes) => Some(yes.to_string()),
        Value::Num(_, n) => Some(match (n.to_u128(), n.to_i128(), n.to_f64()) {
            (Some(n), _, _) => n.to_string(),
            (_, Some(n), _) => n.to_string(),
            (_, _, Some(n)) => n.to_string(),
            _ => return None,
        }),
        _ => None,
    }
}

/// The value as the user would write it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => toml::Value::String(text.clone()).to_string(),
        Value::Array(_, items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, values) => {
            let pairs: Vec<_> = values.iter().map(|(key, value)| format!("{key} = {}", shown(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => text(other).unwrap_or_default(),
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Num(_, n) => signed_or_not(*n),
        Value::String(_, text) => text.parse().ok(),
        _ => None,
    }
}

fn signed_or_not(n: Num) -> Option<u64> {
    n.to_u128().and_then(|n| u64::try_from(n).ok()).or_else(|| n.to_i128().and_then(|n| u64::try_from(n).ok()))
}

impl SettingValue for String {
    fn read(value: &Value) -> Result<Self, String> {
        text(value).ok_or_else(|| format!("{} is not text", shown(value)))
    }
}

impl SettingValue for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(_, yes) => Ok(*yes),
            other => Err(format!("{} is neither true nor false", shown(other))),
        }
    }
}

/// An address to listen at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub IpAddr);

impl Default for ListenAddress {
    fn default() -> Self {
        Self(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

impl SettingValue for ListenAddress {
    fn read(value: &Value) -> Result<Self, String> {
        let told = String::read(value)?;
        let wrong = || format!("\"{told}\" is not an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\"");
        told.parse().map(Self).map_err(|_| wrong())
    }
}

/// Where a proxy can be reached; none if it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublicAddress(pub Option<PublicUrl>);

impl SettingValue for PublicAddress {
    fn read(value: &Value) -> Result<Self, String> {
        let told = String::read(value)?;
        if told.is_empty() {
            return Ok(Self(None));
        }
        told.parse().map(|url| Self(Some(url))).map_err(|e: PublicUrlError| e.to_string())
    }
}

/// Addresses in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListenAddresses(pub Vec<IpAddr>);

impl SettingValue for ListenAddresses {
    fn read(value: &Value) -> Result<Self, String> {
        let Some(items) = value.as_array() else {
            return Err(format!("{} is not a list of IP addresses such as [\"10.0.0.7\"]", shown(value)));
        };
        items.iter().map(|item| ListenAddress::read(item).map(|address| address.0)).collect::<Result<_, _>>().map(Self)
    }
}

impl SettingValue for NeuralProvider {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|e: NoSuchChoice| e.to_string())
    }
}

impl SettingValue for NeuralDecoder {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|e: NoSuchChoice| e.to_string())
    }
}

impl SettingValue for NeuralLaunch {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|e: NoSuchChoice| e.to_string())
    }
}

/// Texts in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextList(pub Vec<String>);

impl SettingValue for TextList {
    fn read(value: &Value) -> Result<Self, String> {
        let Some(items) = value.as_array() else {
            return Err(format!("{} is not a list of texts such as [\"a\", \"b\"]", shown(value)));
        };
        items.iter().map(String::read).collect::<Result<_, _>>().map(Self)
    }
}

macro_rules! whole_numbers {
    ($($kind:ty),*) => {$(
        impl SettingValue for $kind {
            fn read(value: &Value) -> Result<Self, String> {
                whole(value)
                    .and_then(|n| Self::try_from(n).ok())
                    .ok_or_else(|| format!("{} is not a whole number from 0 to {}", shown(value), Self::MAX))
            }
        }
    )*};
}
whole_numbers!(u8, u16, u32, u64, usize);

/// Splits "10m" into 10 and "m".
fn with_unit(told: &str) -> Option<(u64, &str)> {
    let told = told.trim();
    let digits = told.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = told.split_at(digits);
    Some((number.parse().ok()?, unit.trim_start()))
}

impl SettingValue for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        let told = String::read(value)?;
        let span = with_unit(&told).and_then(|(n, unit)| {
            let millis = match unit {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            n.checked_mul(millis).map(Self::from_millis)
        });
        span.ok_or_else(|| format!("\"{told}\" is not a duration such as \"500ms\", \"5s\", \"10m\", \"2h\" or \"1d\""))
    }
}

/// How long something is kept; zero for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptFor(pub Duration);

impl SettingValue for KeptFor {
    fn read(value: &Value) -> Result<Self, String> {
        if String::read(value)?.trim() == "0" {
            return Ok(Self::default());
        }
        Duration::read(value).map(Self).map_err(|problem| format!("{problem}, nor \"0\" for ever"))
    }
}

/// A size in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(pub u64);

impl fmt::Debug for ByteSize {
    /// As it is written in settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            [(30, "GiB"), (20, "MiB"), (10, "KiB")].into_iter().find(|(bits, _)| self.0.trailing_zeros() >= *bits);
        match unit {
            Some((bits, unit)) if self.0 > 0 => write!(f, "{}{unit}", self.0 >> bits),
            _ => write!(f, "{}B", self.0),
        }
    }
}

impl SettingValue for BucketEncryption {
    fn read(value: &Value) -> Result<Self, String> {
        let said = || "is not \"bucket\", \"service\", \"kms\" or \"kms:KEY\"".to_owned();
        match text(value).ok_or_else(said)?.as_str() {
            "bucket" => Ok(Self::Bucket),
            "service" => Ok(Self::Service),
            "kms" => Ok(Self::Kms(None)),
            other => match other.strip_prefix("kms:") {
                Some(key) if !key.is_empty() => Ok(Self::Kms(Some(key.to_owned()))),
                _ => Err(said()),
            },
        }
    }
}

impl SettingValue for ByteSize {
    fn read(value: &Value) -> Result<Self, String> {
        let told = String::read(value)?;
        let size = with_unit(&told).and_then(|(n, unit)| {
            let bytes = match unit {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return None,
            };
            n.checked_mul(bytes).map(Self)
        });
        size.ok_or_else(|| format!("\"{told}\" is not a size such as \"500KiB\", \"64MiB\" or \"2GiB\""))
    }
}

/// An amount of US dollars, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MicroUsd(pub u64);

impl SettingValue for MicroUsd {
    fn read(value: &Value) -> Result<Self, String> {
        micro_dollars(value).map(Self)
    }
}

/// US dollars, as decimal text ("0.157") or as a number, in millionths.
pub fn micro_dollars(value: &Value) -> Result<u64, String> {
    let wrong =
        || format!("{} is not an amount of US dollars such as \"0.157\", with at most six decimals", shown(value));
    let told = match value {
        // The shortest decimal that reads as the same number is what the user wrote.
        Value::Num(_, Num::F32(n)) => n.to_string(),
        other => text(other).ok_or_else(wrong)?,
    };
    match cost::micro_dollars(&told) {
        Some((micro, "")) => Ok(micro),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use figment::value::Tag;

    fn given(told: &str) -> Value {
        Value::String(Tag::Default, told.to_owned())
    }

    #[test]
    fn durations_and_sizes_are_text_with_a_unit() {
        for (told, millis) in [("500ms", 500), ("5s", 5000), ("10m", 600_000), ("2 h", 7_200_000), ("0s", 0)] {
            assert_eq!(Duration::read(&given(told)), Ok(Duration::from_millis(millis)), "{told}");
        }
        for bad in ["", "5", "s", "-5s", "5 sec", "1.5h", "99999999999999999999s", "9999999999999999999h"] {
            assert!(Duration::read(&given(bad)).is_err(), "{bad}");
        }
        assert_eq!(ByteSize::read(&given("64MiB")), Ok(ByteSize(64 << 20)));
        for bad in ["64", "64MB", "64M", "MiB", "99999999999999GiB"] {
            assert!(ByteSize::read(&given(bad)).unwrap_err().contains("such as"), "{bad}");
        }
    }

    #[test]
    fn an_age_of_zero_needs_no_unit() {
        for (told, seconds) in [("7d", 604_800), ("0", 0), ("0d", 0)] {
            assert_eq!(KeptFor::read(&given(told)), Ok(KeptFor(Duration::from_secs(seconds))), "{told}");
        }
        assert_eq!(KeptFor::read(&"0".parse().unwrap()), Ok(KeptFor::default()));
        assert!(KeptFor::read(&given("7")).unwrap_err().ends_with("\"1d\", nor \"0\" for ever"));
    }

    #[test]
    fn text_may_look_like_a_number() {
        assert_eq!(String::read(&"7".parse().unwrap()), Ok("7".to_owned()));
        assert_eq!(String::read(&"-7".parse().unwrap()), Ok("-7".to_owned()));
        assert_eq!(u16::read(&"65536".parse().unwrap()).unwrap_err(), "65536 is not a whole number from 0 to 65535");
        assert!(u16::read(&"-1".parse().unwrap()).is_err());
    }

    #[test]
    fn dollars_are_read_without_rounding() {
        for (told, micro) in [("0.157", 157_000), ("1", 1_000_000), ("0.000001", 1), ("12.5", 12_500_000)] {
            assert_eq!(micro_dollars(&given(told)), Ok(micro));
            assert_eq!(micro_dollars(&told.parse().unwrap()), Ok(micro));
        }
        for bad in ["", ".5", "1.", "-1", "0.0000001", "1e3", "1.2.3", "99999999999999"] {
            assert!(micro_dollars(&given(bad)).is_err(), "{bad}");
        }
    }
}
