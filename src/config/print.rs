//! The settings in effect, for people.

use super::values::shown;
use figment::Figment;
use figment::value::Value;

/// Last words of keys whose values nobody should read over a shoulder.
const SECRET: [&str; 4] = ["key", "secret", "token", "password"];
/// Where the comment begins, unless the value is longer.
const COMMENT_AT: usize = 44;

/// TOML that can be used as a file: each key with its value and a comment that says where it comes from.
pub fn printed(keys: &[&'static str], figment: &Figment) -> String {
    let sections: Vec<_> = keys.iter().map(|key| section_of(key)).collect();
    // Keys without a section come first; a section stands where its first key was read.
    let mut keys = keys.to_vec();
    keys.sort_by_key(|key| (key.contains('.'), sections.iter().position(|of| *of == section_of(key))));
    let mut lines = Vec::new();
    let mut section = "";
    for key in keys {
        let (of, name) = key.rsplit_once('.').unwrap_or(("", key));
        if of != section {
            lines.push(format!("\n[{of}]"));
            section = of;
        }
        let value = figment.find_value(key).map(|v| hidden(name, &v)).unwrap_or_default();
        let from = figment.find_metadata(key).map_or("?", |m| &m.name);
        lines.push(format!("{:<COMMENT_AT$} # {from}", format!("{name} = {value}")));
    }
    lines.join("\n")
}

fn section_of(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(section, _)| section)
}

/// The value without its secrets.
fn hidden(name: &str, value: &Value) -> String {
    if SECRET.iter().any(|word| name.rsplit('_').next() == Some(word)) {
        return "\"(hidden)\"".to_owned();
    }
    match value {
        Value::String(tag, text) => shown(&Value::String(*tag, without_password(text))),
        other => shown(other),
    }
}

/// `scheme://user:password@host` without the password.
fn without_password(url: &str) -> String {
    let hide = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (login, _) = rest[..end].rsplit_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(format!("{scheme}://{user}:(hidden){}", &rest[login.len()..]))
    };
    hide().unwrap_or_else(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (name, value, told) in [
            ("records", "postgres://me:p@ss:w@host:5432/db?x=@", "\"postgres://me:(hidden)@host:5432/db?x=@\""),
            ("records", "postgres://me@host/db", "\"postgres://me@host/db\""),
            ("records", "sqlite:a", "\"sqlite:a\""),
            ("api_key", "abc", "\"(hidden)\""),
            ("password", "abc", "\"(hidden)\""),
            ("keyhole", "abc", "\"abc\""),
        ] {
            assert_eq!(hidden(name, &Value::from(value)), told);
        }
    }
}
