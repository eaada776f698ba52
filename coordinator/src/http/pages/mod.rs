//! The page and its session, and pages that explain problems.

mod assets;
mod problems;
mod session;
mod taken;

pub use assets::{asset, page};
pub use problems::problem;
pub use session::{close, open, read};

pub(super) use session::{__path_close, __path_open, __path_read};

use actix_web::HttpResponseBuilder;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};

/// The page runs its own files and nothing else: no inline script, no other site, in no other site's frame.
const OWN_FILES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                         media-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                         form-action 'none'; frame-ancestors 'none'";

/// The same, and videos from one other place.
fn with_videos_from(origin: &str) -> String {
    OWN_FILES.replace("media-src 'self' blob:", &format!("media-src 'self' blob: {origin}"))
}

/// Headers of what a browser shows.
fn guarded(answer: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    answer
        .insert_header((CONTENT_SECURITY_POLICY, OWN_FILES))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
}
