//! Live sessions over HTTP: watching by WHEP, speaking by WebSocket, and what is said to a session that runs.

mod ask;
pub mod audio;
pub mod control;
pub mod cors;
pub mod ice;
pub mod making;
pub mod settings;
mod wait;
pub mod whep;

pub use ice::{IceServer, IceServerError};
pub use settings::{LiveSettings, Patience};

use super::Api;
use super::auth::{SessionToken, Visitor};
use super::dto::SessionBody;
use super::dto::time_text;
use super::{Problem, now};
use mouthpiece_domain::session::{Phase, Session};
use mouthpiece_domain::time::{HOUR_MS, Wall, as_millis};

/// A token outlives what its session may last by so much.
const GRACE_MS: i64 = HOUR_MS;

/// Adds to a session's body what only whoever may watch it is told: ICE servers and, for the key that made it, its token.
///
/// # Errors
/// 500 when no token can be made, which never happens.
pub fn complete(api: &Api, visitor: &Visitor, session: &Session, body: &mut SessionBody) -> Result<(), Problem> {
    let open = session.phase < Phase::Ended && visitor.may_use().is_ok();
    let Some(live) = body.live.as_mut().filter(|_| open) else { return Ok(()) };
    let seconds = |ms: i64| u64::try_from(ms.div_euclid(1000)).unwrap_or_default();
    let at = now();
    live.ice_servers = ice::told(&api.settings.live.ice_servers, session.id, seconds(at.0));
    if visitor.made(session) {
        // Of a full hour, so that reading the session again mostly tells the same token.
        let lasts = as_millis(session.max_duration.saturating_add(session.queue_timeout));
        let lasts = i64::try_from(lasts).unwrap_or(i64::MAX).saturating_add(GRACE_MS + HOUR_MS);
        let expires = Wall(at.hour().0.saturating_add(lasts));
        let token = SessionToken::issue(visitor.key(), session.id, seconds(expires.0));
        let token = token.ok_or_else(|| Problem::internal("no session token can be made"))?;
        live.token = Some(token.text());
        live.token_expires = Some(time_text(expires));
    }
    Ok(())
}
