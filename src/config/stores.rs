//! Stores by URL. The scheme says what it is; the wiring opens it.

use super::values::SettingValue;
use figment::value::Value;
use std::fmt;
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
    /// `postgres:`, `amqp:` or `redis:`, a server that several processes share.
    Server(ServerKind, ServerUrl),
    /// `s3://BUCKET/FOLDER`, a bucket of AWS or of a service that speaks its dialect.
    Bucket(String),
    /// `aws:GROUP`, an Auto Scaling group.
    MachineGroup(String),
}

/// What kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// Keeps records.
    Postgres,
    /// Carries commands and events.
    Rabbitmq,
    /// Keeps leases.
    Redis,
}

impl ServerKind {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "amqp" | "amqps" => Some(Self::Rabbitmq),
            "redis" | "rediss" => Some(Self::Redis),
            _ => None,
        }
    }

    /// The scheme that its URLs begin with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "amqp",
            Self::Redis => "redis",
        }
    }
}

/// A server's address, which may hold a password: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(pub String);

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl SettingValue for StoreUrl {
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
            "s3" if rest.starts_with("//") => Ok(Self::Bucket(told.clone())),
            "aws" if !rest.is_empty() && !rest.starts_with('/') => Ok(Self::MachineGroup(told.clone())),
            "aws" => Err("write aws:GROUP, the name of an Auto Scaling group".to_owned()),
            "s3" => Err("write s3://BUCKET or s3://BUCKET/FOLDER".to_owned()),
            _ if ServerKind::of(scheme).is_some() && !rest.starts_with("//") => {
                Err(format!("two slashes and a host must follow \"{scheme}:\""))
            }
            _ => match ServerKind::of(scheme) {
                Some(kind) => Ok(Self::Server(kind, ServerUrl(told.clone()))),
                None => Err(format!(
                    "the scheme \"{scheme}:\" is not known: sqlite:, memory:, file:, none:, postgres:, amqp:, redis:, s3: and aws: \
                     are"
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
        for (url, kind) in [
            ("postgresql://u:p@host/db", ServerKind::Postgres),
            ("postgres://host/db", ServerKind::Postgres),
            ("amqps://u:p@host/vhost", ServerKind::Rabbitmq),
            ("rediss://:p@host:6380/1", ServerKind::Redis),
        ] {
            assert_eq!(read(url), Ok(StoreUrl::Server(kind, ServerUrl(url.to_owned()))));
        }
        assert_eq!(read("s3://bucket/farm"), Ok(StoreUrl::Bucket("s3://bucket/farm".to_owned())));
        assert!(read("s3:bucket").unwrap_err().contains("s3://BUCKET"));
        assert_eq!(read("aws:group"), Ok(StoreUrl::MachineGroup("aws:group".to_owned())));
        assert!(read("aws://group").unwrap_err().contains("aws:GROUP"));
        assert_eq!(read("none:"), Ok(StoreUrl::Nothing));
    }

    #[test]
    fn a_wrong_one_is_told_without_its_password() {
        assert!(!format!("{:?}", read("redis://:hunter2@host")).contains("hunter2"));
        for bad in ["mongodb://user:hunter2@host", "redis:hunter2", "memory://hunter2", "sqlite:", "file://", "hunter2"]
        {
            let told = read(bad).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(read("mongodb://h").unwrap_err().contains("\"mongodb:\" is not known"));
    }
}
