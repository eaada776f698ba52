//! What fails, in words, and whether waiting helps.

use mouthpiece_ports::records::RecordsError;
use sqlx::Error;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::io;

/// Where the records are and who uses them: all of the URL that may be shown.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    server: String,
    database: String,
    pub(crate) role: String,
}

impl Place {
    pub(crate) fn new(options: &PgConnectOptions) -> Self {
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let role = options.get_username().to_owned();
        // As the server does when none is named.
        let database = options.get_database().unwrap_or(&role).to_owned();
        Self { server, database, role }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Postgres database '{}' at {}", self.database, self.server)
    }
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Two transactions were in each other's way, and this one was undone: the same again may go through.
    Conflict,
    /// The connection is no good any more, or none was made.
    Gone,
    /// The server is there and cannot serve just now.
    Busy,
    /// It is not the server that may write.
    ReadOnly,
    /// A statement, or a wait for a lock, took too long.
    Slow,
    /// The password, or the role, was refused.
    Refused,
    /// There is no such database.
    NoDatabase,
    /// The role may not do this.
    Forbidden,
    /// There is no room.
    Full,
    /// The two sides do not agree on TLS.
    Tls,
    /// The tables are not those that this program made.
    Schema,
    /// Something that should not be.
    Other,
}

/// By SQLSTATE, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn by_code(code: &str) -> Failure {
    match code {
        "40001" | "40P01" => Failure::Conflict,
        // Shut down, crashed, its database dropped, idle for too long.
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" => Failure::Gone,
        "25006" => Failure::ReadOnly,
        "57014" | "55P03" => Failure::Slow,
        "28P01" | "28000" => Failure::Refused,
        "3D000" => Failure::NoDatabase,
        "42501" => Failure::Forbidden,
        "53100" => Failure::Full,
        "42P01" | "42703" | "42883" | "3F000" => Failure::Schema,
        // Starting up; too many connections, no memory.
        "57P03" | "53000" | "53200" | "53300" | "53400" => Failure::Busy,
        other if other.starts_with("08") => Failure::Gone,
        _ => Failure::Other,
    }
}

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Database(e) => e.code().map_or(Self::Other, |code| by_code(&code)),
            // What TLS finds wrong comes as data that is not valid.
            Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => Self::Tls,
            Error::Tls(_) => Self::Tls,
            Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => Self::Gone,
            _ => Self::Other,
        }
    }

    /// True when the connection must not be used again.
    pub(crate) fn ends_connection(self) -> bool {
        matches!(self, Self::Gone | Self::ReadOnly | Self::Tls)
    }

    /// The sentence for it.
    pub(crate) fn told(self, place: &Place, error: &Error) -> RecordsError {
        let (server, database, role) = (&place.server, &place.database, &place.role);
        let said = message(error);
        match self {
            Self::Conflict => RecordsError::Unavailable(format!(
                "{place} undid a change again and again because others wrote the same rows ({said})"
            )),
            Self::Gone => RecordsError::Unavailable(format!(
                "{place} cannot be reached ({said}): check that the server runs, and the URL's host and port"
            )),
            Self::Busy => RecordsError::Unavailable(format!(
                "{place} takes no connections just now ({said}): wait, or let it take more (max_connections)"
            )),
            Self::ReadOnly => RecordsError::Unavailable(format!(
                "{place} is read-only ({said}): name the server that may write, not a standby"
            )),
            Self::Slow => {
                RecordsError::Unavailable(format!("{place} was too slow ({said}): look at its load and locks"))
            }
            Self::Refused => RecordsError::Broken(format!(
                "{server} refuses the role '{role}' ({said}): check the URL's user and password, or PGPASSWORD, and pg_hba.conf"
            )),
            Self::NoDatabase => RecordsError::Broken(format!(
                "there is no database '{database}' at {server}: make it with CREATE DATABASE, or name another"
            )),
            Self::Forbidden => RecordsError::Broken(format!(
                "the role '{role}' may not use {place} ({said}): GRANT it CONNECT on the database, USAGE on the schema, and \
                 SELECT, INSERT, UPDATE and DELETE on its tables"
            )),
            Self::Full => RecordsError::Broken(format!("the disk of {place} is full: free some space")),
            Self::Tls => RecordsError::Broken(format!(
                "no TLS with {server} ({said}): check the URL's sslmode, and that sslrootcert names the file of the authority \
                 that signed the server's certificate"
            )),
            Self::Schema => RecordsError::Broken(format!(
                "{place} lacks tables of this program ({said}): restore it from a copy, or name an empty database"
            )),
            Self::Other => match error {
                Error::Decode(e) | Error::ColumnDecode { source: e, .. } => {
                    RecordsError::Broken(format!("{place} holds something that this program does not understand: {e}"))
                }
                _ => RecordsError::Broken(format!("{place}: {said}")),
            },
        }
    }
}

/// The server's own message, or the system's, in one line.
fn message(error: &Error) -> String {
    let said = match error {
        Error::Database(e) => e.message().to_owned(),
        Error::Io(e) => e.to_string(),
        other => other.to_string(),
    };
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a failed statement tells the caller.
pub(crate) fn told(place: &Place, error: &Error) -> RecordsError {
    Failure::of(error).told(place, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_helps_where_the_server_comes_back() {
        let place = Place::new(&PgConnectOptions::new_without_pgpass().host("db").username("farm").database("records"));
        let error = Error::Io(io::ErrorKind::ConnectionReset.into());
        let codes = ["40001", "57P01", "57P03", "53300", "25006", "57014", "08006"];
        assert!(codes.iter().all(|code| by_code(code).told(&place, &error).is_retryable()));
        let codes = ["28P01", "3D000", "42501", "53100", "42P01", "22021"];
        assert!(codes.iter().all(|code| !by_code(code).told(&place, &error).is_retryable()));
    }
}
