//! Stores by URL. The scheme says what it is; the wiring opens it.

use super::values::Setting;
use figment::value::Value;
use std::path::PathBuf;

/// Where something is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreUrl {
    /// `memory:`, in this process; gone when it ends.
    #[default]
    Memory,
    /// `sqlite:PATH`, a database file.
    Sqlite(PathBuf),
    /// `file:PATH`, a directory.
    Directory(PathBuf),
    /// `none:`, nothing of the kind.
    Nothing,
    /// A service that this program knows by name and cannot use yet: its scheme.
    NotBuilt(&'static str),
}

/// Schemes that are designed and not built.
const NOT_BUILT: [&str; 6] = ["postgres", "amqp", "redis", "s3", "aws", "amqps"];

impl Setting for StoreUrl {
    fn read(value: &Value) -> Result<Self, String> {
        let told = String::read(value)?;
        // What stands after the scheme may hold a password: it is never repeated.
        let Some((scheme, rest)) = told.split_once(':') else {
            return Err(
                "it is not a URL such as \"sqlite:mouthpiece.sqlite\", \"memory:\" or \"file:blobs\"".to_owned()
            );
        };
        let path = || {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            let fine = !path.is_empty() && !path.contains('\0');
            fine.then(|| PathBuf::from(path)).ok_or_else(|| format!("{scheme}: needs a path after the colon"))
        };
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "none" if rest.is_empty() => Ok(Self::Nothing),
            "memory" | "none" => Err(format!("nothing may follow \"{scheme}:\"")),
            "sqlite" => path().map(Self::Sqlite),
            "file" => path().map(Self::Directory),
            "postgresql" => Ok(Self::NotBuilt("postgres")),
            _ => match NOT_BUILT.into_iter().find(|known| *known == scheme) {
                Some(known) => Ok(Self::NotBuilt(known)),
                None => Err(format!(
                    "the scheme \"{scheme}:\" is not known: sqlite:, memory:, file: and none: are, \
                     postgres:, amqp:, redis:, s3: and aws: will be"
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(told: &str) -> Result<StoreUrl, String> {
        StoreUrl::read(&Value::from(told))
    }

    #[test]
    fn the_scheme_says_what_it_is() {
        assert_eq!(read("memory:"), Ok(StoreUrl::Memory));
        assert_eq!(read("sqlite:a/b.sqlite"), Ok(StoreUrl::Sqlite("a/b.sqlite".into())));
        assert_eq!(read("sqlite:///var/m.sqlite"), Ok(StoreUrl::Sqlite("/var/m.sqlite".into())));
        assert_eq!(read("file:/var/blobs"), Ok(StoreUrl::Directory("/var/blobs".into())));
        assert_eq!(read("postgresql://u:p@host/db"), Ok(StoreUrl::NotBuilt("postgres")));
        assert_eq!(read("none:"), Ok(StoreUrl::Nothing));
    }

    #[test]
    fn a_wrong_one_is_told_without_its_password() {
        for bad in ["mongodb://user:hunter2@host", "memory://hunter2", "sqlite:", "file://", "hunter2"] {
            let told = read(bad).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(read("mongodb://h").unwrap_err().contains("\"mongodb:\" is not known"));
    }
}
