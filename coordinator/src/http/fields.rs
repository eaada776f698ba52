//! Fields of a JSON body, a form or a query, read one by one so that every refusal names its field.

use super::problem::Problem;
use super::words;
use mouthpiece_domain::ids::IdError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Characters of a name.
pub const NAME_CHARS: usize = 100;
/// Characters of an address.
pub const URL_CHARS: usize = 2000;
/// Pairs of metadata that a session may have.
pub const METADATA_PAIRS: usize = 16;
const METADATA_KEY: usize = 64;
const METADATA_VALUE: usize = 512;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    /// In a JSON body: typed.
    Json(Value),
    /// In a form or a query: text.
    Text(String),
}

/// What was given, by name. Only known names are in it.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Given>);

impl Fields {
    /// The members of a JSON object. A null is as good as nothing.
    ///
    /// # Errors
    /// 400 when it is no JSON object, 422 for a member that is not known.
    pub fn json(body: &[u8], known: &[&str]) -> Result<Self, Problem> {
        let malformed = |e| Problem::bad_request(format!("the body is not JSON: {}", words::json(&e)));
        let Value::Object(members) = serde_json::from_slice(body).map_err(malformed)? else {
            return Err(Problem::bad_request("the body must be a JSON object"));
        };
        let mut fields = Self::default();
        for (name, value) in members {
            check_known(&name, known)?;
            if !value.is_null() {
                fields.0.insert(name, Given::Json(value));
            }
        }
        Ok(fields)
    }

    /// The parameters of a query.
    ///
    /// # Errors
    /// 422 for a parameter that is not known, given twice or not UTF-8.
    pub fn query(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            fields.add_text(&name, value.into_owned(), known)?;
        }
        Ok(fields)
    }

    /// Adds a field of a form.
    ///
    /// # Errors
    /// 422 when it is not known or was given before.
    pub fn add_text(&mut self, name: &str, value: String, known: &[&str]) -> Result<(), Problem> {
        check_known(name, known)?;
        if value.contains('\u{fffd}') {
            return Err(Problem::invalid(name, format!("{name} must be UTF-8 text")));
        }
        if self.0.insert(name.to_owned(), Given::Text(value)).is_some() {
            return Err(Problem::invalid(name, format!("{name} is given twice")));
        }
        Ok(())
    }

    /// Passes when only these were given.
    ///
    /// # Errors
    /// 422 for another one.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        self.0.keys().try_for_each(|name| check_known(name, known))
    }

    /// True when the field was given.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text of at most `most` characters, none of them a control character.
    ///
    /// # Errors
    /// 422.
    pub fn text(&self, name: &str, most: usize) -> Result<Option<&str>, Problem> {
        let text = match self.0.get(name) {
            None => return Ok(None),
            Some(Given::Text(text) | Given::Json(Value::String(text))) => text,
            Some(Given::Json(_)) => return Err(Problem::invalid(name, format!("{name} must be a text"))),
        };
        if text.chars().count() > most {
            return Err(Problem::invalid(name, format!("{name} must have at most {most} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(Problem::invalid(name, format!("{name} must not have control characters")));
        }
        Ok(Some(text))
    }

    /// A whole number in a range. Numbers without a fraction are whole, however they are written.
    ///
    /// # Errors
    /// 422.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked before
    pub fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let number = match self.0.get(name) {
            None => return Ok(None),
            Some(Given::Json(Value::Number(n))) => n
                .as_u64()
                .or_else(|| n.as_f64().filter(|f| f.fract() == 0.0 && (0.0..9e15).contains(f)).map(|f| f as u64)),
            Some(Given::Json(_)) => None,
            Some(Given::Text(text)) => {
                Some(text).filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse().ok())
            }
        };
        number.filter(|n| range.contains(n)).map(Some).ok_or_else(|| {
            let (least, most) = range.into_inner();
            Problem::invalid(name, format!("{name} must be a whole number from {least} to {most}"))
        })
    }

    /// The same, for 32 bits.
    ///
    /// # Errors
    /// 422.
    pub fn number32(&self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, Problem> {
        let (least, most) = range.into_inner();
        let number = self.number(name, least.into()..=most.into())?;
        Ok(number.map(|n| u32::try_from(n).unwrap_or(most)))
    }

    /// True or false.
    ///
    /// # Errors
    /// 422.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Json(Value::Bool(flag))) => Ok(Some(*flag)),
            Some(Given::Text(text)) if text == "true" => Ok(Some(true)),
            Some(Given::Text(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(Problem::invalid(name, format!("{name} must be true or false"))),
        }
    }

    /// One of some words.
    ///
    /// # Errors
    /// 422.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let refused = || {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Problem::invalid(name, format!("{name} must be {}", words.join(" or ")))
        };
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Text(text) | Given::Json(Value::String(text))) => {
                words.iter().find(|(word, _)| word == text).map(|(_, value)| Some(*value)).ok_or_else(refused)
            }
            Some(Given::Json(_)) => Err(refused()),
        }
    }

    /// A list of words.
    ///
    /// # Errors
    /// 422.
    pub fn words<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<Vec<T>>, Problem> {
        let refused = || {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Problem::invalid(name, format!("{name} must be a list of some of {}", words.join(", ")))
        };
        let list = match self.0.get(name) {
            None => return Ok(None),
            Some(Given::Json(Value::Array(list))) => list,
            Some(_) => return Err(refused()),
        };
        let one = |value: &Value| words.iter().find(|(word, _)| value.as_str() == Some(word)).map(|(_, v)| *v);
        list.iter().map(one).collect::<Option<_>>().map(Some).ok_or_else(refused)
    }

    /// An id.
    ///
    /// # Errors
    /// 422.
    pub fn id<T: FromStr<Err = IdError>>(&self, name: &str) -> Result<Option<T>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Given::Text(text) | Given::Json(Value::String(text))) => id(name, text).map(Some),
            Some(Given::Json(_)) => Err(Problem::invalid(name, format!("{name} must be an id, which is a text"))),
        }
    }

    /// Pairs of texts: a JSON object, in a form as text.
    ///
    /// # Errors
    /// 422.
    pub fn metadata(&self, name: &str) -> Result<BTreeMap<String, String>, Problem> {
        let refused = |why: String| Problem::invalid(name, format!("{name} {why}"));
        let object = || refused("must be a JSON object of texts, like {\"shot\": \"12\"}".to_owned());
        let given = match self.0.get(name) {
            None => return Ok(BTreeMap::new()),
            Some(Given::Json(value)) => value.clone(),
            Some(Given::Text(text)) => serde_json::from_str(text).map_err(|_| object())?,
        };
        let Value::Object(pairs) = given else { return Err(object()) };
        if pairs.len() > METADATA_PAIRS {
            return Err(refused(format!("must have at most {METADATA_PAIRS} pairs")));
        }
        let pair = |(key, value): (String, Value)| {
            let Value::String(value) = value else { return Err(object()) };
            if key.is_empty() || key.chars().count() > METADATA_KEY || key.chars().any(char::is_control) {
                return Err(refused(format!(
                    "must have keys of 1 to {METADATA_KEY} characters, none of them a control character"
                )));
            }
            if value.chars().count() > METADATA_VALUE || value.contains('\0') {
                return Err(refused(format!("must have values of at most {METADATA_VALUE} characters, without NUL")));
            }
            Ok((key, value))
        };
        pairs.into_iter().map(pair).collect()
    }
}

fn check_known(name: &str, known: &[&str]) -> Result<(), Problem> {
    if known.contains(&name) { Ok(()) } else { Err(Problem::unknown(name, known)) }
}

/// An id in a field.
///
/// # Errors
/// 422.
fn id<T: FromStr<Err = IdError>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|e: IdError| Problem::invalid(name, e.to_string()))
}

/// An id in a path, of a `what`. There is nothing at an address whose id is not well formed, either.
///
/// # Errors
/// 404.
pub fn path_id<T: FromStr<Err = IdError>>(what: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|e: IdError| Problem::not_found(format!("{what} at this address: {e}")))
}

/// What is missing.
pub fn missing(name: &str) -> Problem {
    Problem::invalid(name, format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::ids::AvatarId;
    use proptest::prelude::*;

    const KNOWN: [&str; 3] = ["a", "b", "c"];

    fn json(text: &str) -> Result<Fields, Problem> {
        Fields::json(text.as_bytes(), &KNOWN)
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, field) in [
            (r#"{"a": "1"}"#, "a"),
            (r#"{"a": 1.5}"#, "a"),
            (r#"{"a": -1}"#, "a"),
            (r#"{"a": 1e300}"#, "a"),
            (r#"{"a": 11}"#, "a"),
            (r#"{"a": []}"#, "a"),
            (r#"{"d": 1}"#, "d"),
        ] {
            let refused = json(body).and_then(|f| f.number("a", 0..=10)).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(field), "{body}");
            assert!(refused.detail.contains(field), "{refused}");
        }
        for body in ["", "[]", "1", "{", "{\"a\":1}x", "\u{feff}{}"] {
            assert_eq!(json(body).unwrap_err().kind, super::super::problem::ProblemKind::BadRequest, "{body}");
        }
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for body in [r#"{"a": 7}"#, r#"{"a": 7.0}"#, r#"{"a": 0.7e1}"#] {
            assert_eq!(json(body).unwrap().number("a", 0..=10), Ok(Some(7)));
        }
        assert_eq!(json("{}").unwrap().number("a", 0..=10), Ok(None));
        assert_eq!(json(r#"{"a": null}"#).unwrap().number("a", 0..=10), Ok(None));
        let query = Fields::query("a=7&b=%2B7&c=", &KNOWN).unwrap();
        assert_eq!(query.number("a", 0..=10), Ok(Some(7)));
        assert!(query.number("b", 0..=10).is_err() && query.number("c", 0..=10).is_err());
    }

    #[test]
    fn a_query_is_refused_when_it_says_a_thing_twice_or_is_not_text() {
        assert_eq!(Fields::query("a=1&a=2", &KNOWN).unwrap_err().field.as_deref(), Some("a"));
        assert_eq!(Fields::query("b=%ff", &KNOWN).unwrap_err().field.as_deref(), Some("b"));
        assert_eq!(Fields::query("x=1", &KNOWN).unwrap_err().kind, super::super::problem::ProblemKind::UnknownField);
    }

    #[test]
    fn metadata_is_bounded() {
        let read = |value: &str| json(&format!("{{\"a\": {value}}}")).unwrap().metadata("a");
        assert_eq!(read(r#"{"k":"v"}"#).unwrap()["k"], "v");
        let many = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"{i}\":\"\"")).collect::<Vec<_>>().join(","));
        assert!(read(&many(16)).is_ok() && read(&many(17)).is_err());
        let pair = |key: usize, value: usize| format!(r#"{{"{}":"{}"}}"#, "ä".repeat(key), "ä".repeat(value));
        assert!(read(&pair(64, 512)).is_ok());
        for bad in [pair(65, 1), pair(0, 1), pair(1, 513), r#"{"k":1}"#.into(), "[]".into(), r#"{"k\u0000":""}"#.into()]
        {
            assert!(read(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_body_and_query_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in ".*") {
            let _ = Fields::json(&bytes, &KNOWN);
            let _ = Fields::query(&text, &KNOWN);
            let _ = id::<AvatarId>("id", &text);
        }

        #[test]
        fn a_text_in_a_field_is_answered(text in ".*") {
            let mut fields = Fields::default();
            if fields.add_text("a", text.clone(), &KNOWN).is_ok() {
                let _ = (fields.metadata("a"), fields.flag("a"), fields.number("a", 0..=9), fields.id::<AvatarId>("a"));
                if let Ok(read) = fields.text("a", 10) {
                    prop_assert_eq!(read, Some(text.as_str()));
                }
            }
        }
    }
}
