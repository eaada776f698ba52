//! The URL that names the records: what may stand in it, and what sqlx does not say about it.

use mouthpiece_ports::records::RecordsError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fs::File;
use std::str::FromStr as _;
use url::Url;

/// Parameters that are understood; others, a misspelt password among them, would be passed over with a line in the log.
const PARAMETERS: [&str; 15] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[search_path]",
    "options[statement_timeout]",
    "statement-cache-capacity",
];
/// Of them, those that name a file.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// Reads a URL. What it lacks is taken from libpq's variables (PGPASSWORD, PGHOST and so on) and from the file of passwords.
pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, RecordsError> {
    let wrong = |what: String| RecordsError::Broken(format!("the URL of the records {what}"));
    let example = "write postgres://USER:PASSWORD@HOST:5432/DATABASE, with % for special characters in the password";
    let parsed = Url::parse(url).map_err(|e| wrong(format!("is not one ({e}): {example}")))?;
    if !["postgres", "postgresql"].contains(&parsed.scheme()) {
        return Err(wrong(format!("starts with '{}:': {example}", parsed.scheme())));
    }
    // So ends a password with a '/', '?' or '#' of its own: the rest of it would be taken for a database, and shown.
    let rest = [parsed.path(), parsed.query().unwrap_or_default()];
    if parsed.fragment().is_some() || rest.iter().any(|part| part.contains('@')) {
        return Err(wrong(format!("has a '#' or '@' after its host: {example}")));
    }
    for (name, value) in parsed.query_pairs() {
        if !PARAMETERS.contains(&&*name) {
            return Err(wrong(format!("has the unknown parameter '{name}': known are {}", PARAMETERS.join(", "))));
        }
        if FILES.contains(&&*name) {
            File::open(&*value)
                .map_err(|e| wrong(format!("names the file '{value}' as {name}, which cannot be read: {e}")))?;
        }
    }
    let has = |wanted: &str| parsed.query_pairs().any(|(name, _)| name == wanted);
    // The error may quote what it does not understand, which is no secret: sslmode, a port, an address.
    let options = PgConnectOptions::from_str(url).map_err(|e| wrong(format!("cannot be understood: {e}")))?;
    if !has("sslrootcert") {
        return Ok(options);
    }
    // Whoever names an authority wants it asked, which sqlx does with these two only.
    match options.get_ssl_mode() {
        PgSslMode::VerifyCa | PgSslMode::VerifyFull => Ok(options),
        // As libpq has it.
        PgSslMode::Require => Ok(options.ssl_mode(PgSslMode::VerifyCa)),
        _ if !has("sslmode") => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
        _ => Err(wrong("names a sslrootcert but does not ask for it: write sslmode=verify-full".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_url_is_told_without_its_password() {
        for (url, words) in [
            ("/var/lib/farm.db?password=hunter2", "is not one"),
            ("mysql://farm:hunter2@db/farm", "starts with 'mysql:'"),
            ("postgres://farm:hunter2@db:99999/farm", "is not one"),
            ("postgres://farm:1/hunter2@db/farm", "write postgres://"),
            ("postgres://farm:1?hunter2@db/farm", "write postgres://"),
            ("postgres://farm:1#hunter2@db/farm", "write postgres://"),
            ("postgres://farm:hunter2@db/farm?pasword=hunter2", "unknown parameter 'pasword'"),
            ("postgres://farm:hunter2@db/farm?sslmode=yes", "cannot be understood"),
            ("postgres://farm:hunter2@db/farm?sslrootcert=/no/such.pem", "'/no/such.pem' as sslrootcert"),
            ("postgres://farm:hunter2@db/farm?sslmode=prefer&sslrootcert=/dev/null", "write sslmode=verify-full"),
        ] {
            let error = parse(url).unwrap_err();
            let said = error.to_string();
            assert!(!error.is_retryable() && said.contains(words) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn whoever_names_an_authority_has_it_asked() {
        for (mode, wanted) in [
            ("", PgSslMode::VerifyFull),
            ("&sslmode=require", PgSslMode::VerifyCa),
            ("&sslmode=verify-ca", PgSslMode::VerifyCa),
            ("&sslmode=verify-full", PgSslMode::VerifyFull),
        ] {
            let options = parse(&format!("postgres://farm@db/farm?sslrootcert=/dev/null{mode}")).unwrap();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), format!("{wanted:?}"), "{mode}");
        }
    }
}
