//! What is old and free, or unwanted: the statements that find it, and lock or take it.

use mouthpiece_domain::retention::RetentionClass;

/// Takes uploads that were used last at `$1` or before and that nothing needs, at most `$2`; with a further condition.
macro_rules! free_uploads {
    ($and:literal) => {
        concat!(
            "WITH old AS MATERIALIZED (SELECT u.key FROM uploads AS u WHERE ",
            $and,
            "u.used <= $1 AND NOT EXISTS (SELECT 1 FROM avatars AS a WHERE a.portrait = u.key) \
             AND u.key NOT IN (SELECT portrait FROM sessions WHERE ended IS NULL) \
             AND u.key NOT IN (SELECT speech FROM sessions WHERE ended IS NULL AND speech IS NOT NULL) \
             ORDER BY u.used, u.key LIMIT $2 FOR UPDATE OF u SKIP LOCKED) \
             DELETE FROM uploads AS u USING old WHERE u.key = old.key RETURNING u.key, u.content"
        )
    };
}

/// Takes what is old and free of a class, `$1` being the bound and `$2` the limit.
pub(crate) fn take(class: RetentionClass) -> &'static str {
    match class {
        RetentionClass::Avatars => {
            "WITH old AS MATERIALIZED (SELECT id FROM avatars WHERE used <= $1 \
             AND id NOT IN (SELECT avatar FROM sessions WHERE ended IS NULL) \
             ORDER BY used, id LIMIT $2 FOR UPDATE OF avatars SKIP LOCKED) \
             DELETE FROM avatars AS a USING old WHERE a.id = old.id RETURNING a.id"
        }
        RetentionClass::Uploads => free_uploads!(""),
        RetentionClass::Results => {
            "SELECT id, ending FROM sessions WHERE results_kept AND kind = 'render' AND ended <= $1 \
             ORDER BY ended, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"
        }
        RetentionClass::Tokens => {
            "WITH old AS MATERIALIZED (SELECT api_key, token FROM idempotency WHERE created <= $1 \
             AND session NOT IN (SELECT id FROM sessions WHERE ended IS NULL) \
             ORDER BY created LIMIT $2 FOR UPDATE OF idempotency SKIP LOCKED) \
             DELETE FROM idempotency AS i USING old WHERE i.api_key = old.api_key AND i.token = old.token RETURNING i.token"
        }
        RetentionClass::Sessions => {
            "WITH old AS MATERIALIZED (SELECT s.id FROM sessions AS s WHERE s.ended <= $1 \
             AND s.ended IS NOT NULL AND NOT s.let_go AND NOT (s.results_kept AND s.kind = 'render') \
             AND NOT EXISTS (SELECT 1 FROM idempotency AS i WHERE i.session = s.id) \
             AND NOT EXISTS (SELECT 1 FROM avatars AS a WHERE a.prepared_by = s.id) \
             ORDER BY s.ended, s.id LIMIT $2 FOR UPDATE OF s SKIP LOCKED) \
             UPDATE sessions AS s SET let_go = TRUE, spec = '', portrait = '', speech = NULL, metadata = '', ending = NULL \
             FROM old WHERE s.id = old.id RETURNING s.id"
        }
        RetentionClass::Usage => {
            "WITH old AS MATERIALIZED (SELECT hour, session, fence, worker FROM usage WHERE hour <= $1 - 3600000 \
             AND session NOT IN (SELECT id FROM sessions WHERE ended IS NULL) \
             ORDER BY hour LIMIT $2 FOR UPDATE OF usage SKIP LOCKED) \
             DELETE FROM usage AS u USING old WHERE u.session = old.session AND u.fence = old.fence AND u.hour = old.hour \
             AND u.worker = old.worker RETURNING u.session AS id"
        }
    }
}

/// Uploads whose removal was asked for and that are free, `$1` being the bound and `$2` the limit.
pub(super) const UNWANTED: &str = free_uploads!("u.unwanted AND ");

/// Results of renders with avatars that were removed, `$1` being the limit.
pub(super) const UNWANTED_RESULTS: &str = "SELECT id, ending FROM sessions WHERE avatar IN (SELECT avatar FROM removals) \
     AND results_kept AND kind = 'render' AND ended IS NOT NULL ORDER BY id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED";

/// Machines and quotas of hours that are old, `$1` being the bound and `$2` the limit of each.
pub(super) const OLD_MACHINES: &str = "DELETE FROM machine_hours WHERE (worker, hour) IN (SELECT worker, hour FROM machine_hours \
     WHERE hour <= $1 - 3600000 ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING worker AS id";
pub(super) const OLD_QUOTAS: &str = "DELETE FROM delivered WHERE (api_key, hour) IN (SELECT api_key, hour FROM delivered \
     WHERE hour <= $1 - 3600000 ORDER BY hour LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING api_key AS id";
