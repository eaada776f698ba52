//! What cannot be used is told in a sentence that says what to do, and no secret is in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_ports::records::{RecordsError, SessionLedger as _};
use mouthpiece_postgres::{Postgres, PostgresSettings};
use mouthpiece_servers::{PostgresServer, free_port};

const SECRET: &str = "hunter2hunter2";

async fn open(url: &str) -> Result<Postgres, RecordsError> {
    Postgres::open(url, PostgresSettings::default()).await
}

/// It is refused in one sentence with these words.
async fn refused(url: &str, words: &[&str]) -> RecordsError {
    let error = open(url).await.unwrap_err();
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "'{word}' is missing in: {said}");
    }
    let shown = format!("{said} {error:?}");
    for secret in [SECRET, PostgresServer::PASSWORD, PostgresServer::PASSWORD_IN_URL] {
        assert!(!shown.contains(secret), "the password is told: {shown}");
    }
    assert!(!said.contains('\n'), "{said}");
    error
}

async fn refused_for_good(url: &str, words: &[&str]) {
    let error = refused(url, words).await;
    assert!(!error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_wrong_password_or_role_is_refused() {
    let server = PostgresServer::shared().await.unwrap();
    server.database().unwrap();
    let words = ["refuses the role 'farm'", "check the URL's user and password"];
    refused_for_good(&server.url_of("farm", SECRET, "farm0"), &words).await;
    refused_for_good(&server.url_of("stranger", SECRET, "farm0"), &["refuses the role 'stranger'"]).await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let server = PostgresServer::shared().await.unwrap();
    refused_for_good(&server.url("nowhere"), &["there is no database 'nowhere'", "CREATE DATABASE"]).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_later() {
    let nobody = format!("postgres://farm:{SECRET}@127.0.0.1:{}/farm", free_port().unwrap());
    for url in [nobody, format!("postgres://farm:{SECRET}@no-such-host.invalid/farm")] {
        let error = refused(&url, &["cannot be reached", "check that the server runs"]).await;
        assert!(error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_role_without_rights_is_told_which_it_needs() {
    let server = PostgresServer::shared().await.unwrap();
    server.sql("postgres", &format!("CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")).unwrap();
    let (empty, full, closed) = (server.database().unwrap(), server.database().unwrap(), server.database().unwrap());
    let name = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    let as_guest = |url: &str| server.url_of("guest", SECRET, &name(url));
    refused_for_good(&as_guest(&empty), &["'guest' may not make tables", "GRANT it CREATE"]).await;

    server.sql("postgres", &format!("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", name(&closed))).unwrap();
    refused_for_good(&as_guest(&closed), &["'guest' may not use", "GRANT it CONNECT"]).await;

    // Its owner has made the tables: to read and write rows is all that is needed then.
    open(&full).await.unwrap();
    refused_for_good(&as_guest(&full), &["'guest' may not use", "SELECT, INSERT, UPDATE and DELETE"]).await;
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest";
    server.sql(&name(&full), grant).unwrap();
    let records = open(&as_guest(&full)).await.unwrap();
    assert_eq!(records.check().await, Ok(()));

    server.sql(&name(&full), "REVOKE UPDATE ON checks FROM guest").unwrap();
    let error = records.check().await.unwrap_err();
    assert!(error.to_string().contains("'guest' may not use") && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_server_that_takes_no_more_may_do_so_later() {
    let server = PostgresServer::shared().await.unwrap();
    server.sql("postgres", &format!("CREATE ROLE crowd LOGIN PASSWORD '{SECRET}' CONNECTION LIMIT 0")).unwrap();
    let url = server.database().unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    let error = refused(&server.url_of("crowd", SECRET, database), &["takes no connections", "max_connections"]).await;
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_server_that_only_reads_is_told_and_left() {
    let server = PostgresServer::shared().await.unwrap();
    let url = server.database().unwrap();
    let (_, database) = url.rsplit_once('/').unwrap();
    let records = open(&url).await.unwrap();
    let only_read = |on: &str| {
        let set = format!("ALTER DATABASE {database} SET default_transaction_read_only = {on}");
        server.sql("postgres", &set).unwrap()
    };
    only_read("on");
    records.close().await;
    let error = records.check().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("read-only"), "{error}");
    only_read("off");
    assert_eq!(records.check().await, Ok(()), "the next call takes a new connection");
}

#[tokio::test]
async fn the_schema_of_a_newer_or_another_program_is_refused() {
    let server = PostgresServer::shared().await.unwrap();
    let name = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    let newer = server.database().unwrap();
    open(&newer).await.unwrap();
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (9999, 'of tomorrow', TRUE, '\\x00', 0)";
    server.sql(&name(&newer), insert).unwrap();
    refused_for_good(&newer, &["newer program", "9999", "update this one"]).await;

    let changed = server.database().unwrap();
    open(&changed).await.unwrap();
    server.sql(&name(&changed), "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").unwrap();
    refused_for_good(&changed, &["another schema 1", "changed by hand"]).await;

    let theirs = server.database().unwrap();
    server.sql(&name(&theirs), "CREATE TABLE diary (day TEXT)").unwrap();
    refused_for_good(&theirs, &["another program", "a database of its own"]).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(server.sql(&name(&theirs), tables).unwrap(), "1", "it is left alone");

    let broken = server.database().unwrap();
    let records = open(&broken).await.unwrap();
    server.sql(&name(&broken), "DROP TABLE checks").unwrap();
    let error = records.check().await.unwrap_err();
    assert!(error.to_string().contains("lacks tables of this program") && !error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_hold_all_text_is_refused() {
    let server = PostgresServer::shared().await.unwrap();
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
    server.sql("postgres", make).unwrap();
    refused_for_good(&server.url("latin"), &["encoding LATIN1", "ENCODING 'UTF8'"]).await;
}

#[tokio::test]
async fn nothing_that_is_printed_has_the_password() {
    let server = PostgresServer::shared().await.unwrap();
    let records = open(&server.database().unwrap()).await.unwrap();
    let shown = format!("{records:?}");
    assert!(shown.contains("127.0.0.1") && shown.contains("farm"), "{shown}");
    assert!(!shown.contains(PostgresServer::PASSWORD) && !shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn tls_is_as_the_url_asks() {
    let server = PostgresServer::start_with_tls().await.unwrap();
    let plain = server.database().unwrap();
    let here = plain.replace("127.0.0.1", "localhost");
    let authority = server.authority();
    let authority = authority.display();
    let encrypted = "SELECT COALESCE(bool_and(ssl), false) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE client_port > 0";
    for (url, wanted) in [
        (format!("{here}?sslmode=disable"), "f"),
        (format!("{here}?sslmode=verify-full&sslrootcert={authority}"), "t"),
        (format!("{here}?sslrootcert={authority}"), "t"),
        (format!("{plain}?sslmode=verify-ca&sslrootcert={authority}"), "t"),
        (format!("{plain}?sslmode=require"), "t"),
    ] {
        let records = open(&url).await.unwrap();
        records.check().await.unwrap();
        assert_eq!(server.sql("postgres", encrypted).unwrap(), wanted, "{url}");
        records.close().await;
        let gone = "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0";
        while server.sql("postgres", gone).unwrap() != "0" {
            tokio::task::yield_now().await;
        }
    }
    let words = ["no TLS with", "sslrootcert"];
    refused_for_good(&format!("{plain}?sslmode=verify-full&sslrootcert={authority}"), &words).await;
    refused_for_good(&format!("{here}?sslmode=verify-full"), &words).await;
    let other = PostgresServer::shared().await.unwrap();
    refused_for_good(&format!("{}?sslmode=require", other.database().unwrap()), &["no TLS with", "sslmode"]).await;
}
