//! Speaking from a program: the audio socket.

mod guard;
mod host;
mod socket;

use crate::http::auth::site::same_site;
use crate::http::auth::{LinkedVisitor, token_in_query};
use crate::http::fields::Fields;
use crate::http::problem::Problem;
use crate::http::{Api, answers};
use crate::office::live::must_be_live;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, rt};
use host::CoordinatorHost;
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::{EventPosition, SPEECH_RATES};
use mouthpiece_speech::{AgentDialect, Relay, RelayStart, USUAL_RATE, read_position};
use tokio::time::Instant;
use uuid::Uuid;

/// Opens a WebSocket to speak in a live session, at most 8 a session. While the session has not started this waits for it a
/// little, then tells to come back.
///
/// **To the session**, as JSON texts of at most 1 MiB: `{"type":"agent.speak","audio":"..."}` with base64 of PCM16 little
/// endian mono at `sample_rate` (8000 to 48000, by default 24000), faster than real time if there is more;
/// `agent.speak_end` when that was all of an utterance; `agent.interrupt`; `agent.start_listening` and
/// `agent.stop_listening`; `session.keep_alive`. Binary messages are the same PCM16 at the query's `sample_rate`.
///
/// Speech may be cut anywhere: the first byte of a sample waits for the second one, in the next message. What is left over is
/// dropped at `agent.speak_end`, at `agent.interrupt`, after `no_room`, and when nothing more came for 5 s, which ends an
/// utterance, too. Empty speech is nothing.
///
/// **From the session**: `session.state_updated {state}` (`live`, `reconnecting`, `ended` with a `reason`),
/// `agent.state_updated {state}` (`idle`, `listening`, `talking`; it follows what is heard), `agent.speak_started {event_id}`,
/// `agent.speak_ended {event_id, played_ms}`, `agent.speak_interrupted {event_id, played_ms}`,
/// `agent.buffer {buffered_ms, limit_ms}`, and `error {code, message, event_id, retry_after_ms}` for a message that was not
/// taken: `malformed`, `unknown_type`, `unknown_field`, `invalid_field`, or `no_room` with the time to send it again.
///
/// **Every message is answered**, with its `event_id` if it has one. An utterance begins and then ends or is interrupted, once
/// each, told to all sockets under the last `event_id` that its messages had. `agent.speak_end` with nothing to end is answered
/// by an `agent.speak_ended` with `played_ms` 0 of its own. `agent.interrupt` is answered by the `agent.speak_interrupted` of
/// each utterance that it cuts off, or by one of its own with `played_ms` 0 when there is none, and then by an
/// `agent.state_updated` with its `event_id`. `agent.start_listening` and `agent.stop_listening` are answered by an
/// `agent.state_updated`, `session.keep_alive` by a `session.state_updated`.
///
/// **When more talk at once than an engine holds**, all faces of its worker get 25 or 20 frames a second:
/// `session.frame_rate {fps, asked}`, and again when there is room for more.
///
/// **When something breaks.** A session whose worker is lost or leaves goes on elsewhere: `session.state_updated` says
/// `reconnecting` and then `live`, and what was pushed and not played is said there. An utterance of which a part had been played
/// is told to go on by `agent.speak_resumed {event_id, from_ms}` instead of a second `agent.speak_started`; up to a tenth of a
/// second of it may be heard twice. Up to 8 MiB of what waits are kept for that; `agent.speak_lost {lost_ms}` tells what was more.
/// `session.position {position}` follows what everybody is told. Whoever loses this socket opens another, with any coordinator,
/// with the last of them as `after`, and hears `session.resumed {complete}` and what came since; `complete` is `false` when
/// some of it is not known any more.
///
/// **Straight to the worker.** Where the session's `live` has a `direct_audio_url`, the same may be said there, without a coordinator between.
/// Nobody keeps then what a worker that is killed had not played: `agent.speak_progress {event_id, played_ms}`, told there unless
/// `progress=false` is asked for (and here with `progress=true`), says from where to push again. When the session moves, what was not
/// played goes along; then `session.reconnect {messages_taken}` tells how many of this socket's messages that were, and it is
/// closed with 1012: the session's answer has another address. That also happens after an hour.
///
/// It is closed with 1000 when the session has ended, 1001 when the server stops, 1008 after 20 unusable messages in a row,
/// when nothing is read for 10 s, when pings are not answered for 30 s or when the right to it ended, 1009 for too large a
/// message, 1011 when the session's worker was lost and it ran nowhere else within 30 s, 1013 when it took nothing for 5 s.
#[utoipa::path(
    get, operation_id = "speak_in_session", path = "/v1/sessions/{id}/audio", tag = "live",
    params(
        ("id" = String, Path),
        ("token" = Option<String>, Query, description = "The session's token, where a browser cannot send headers"),
        ("sample_rate" = Option<u32>, Query, minimum = 8000, maximum = 48000,
            description = "Of binary messages. Default: 24000"),
        ("after" = Option<String>, Query,
            description = "The last position that an earlier socket told: what came since is told first"),
        ("progress" = Option<bool>, Query,
            description = "`true`: `agent.speak_progress` tells how much was played. Default: `false`; `true` at a worker"),
    ),
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = 409, description = "It does not run: come back after Retry-After; without one it never will"),
        (status = 429, description = "The session has as many sockets as it may have"),
    ),
)]
pub async fn open(
    api: Data<Api>,
    LinkedVisitor(visitor): LinkedVisitor,
    id: Path<String>,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked = SocketQuery::read(req.query_string())?;
    let session = answers::visited(&api, &visitor, &id).await?.session;
    visitor.may_use()?;
    // Browsers let any site open a WebSocket here, with the page's cookie.
    if !req.headers().contains_key(AUTHORIZATION) && token_in_query(&req).is_none() {
        same_site(&req)?;
    }
    must_be_live(&session)?;
    let (answer, socket) = socket::upgrade(&req, payload, api.settings.live.sockets.read).await?;
    let seat = api.office.live.seat(session.id)?;
    let until = Instant::now() + api.settings.live.whep_wait;
    let hold = api.office.live.settled(session.id, until, |_| true).await?.hold()?;
    let line = api.office.live.line(&hold).await?;
    let SocketQuery { rate, after, progress } = asked;
    let caller = CallerId(Uuid::new_v4().as_u128());
    let start = RelayStart { dialect: AgentDialect::new(rate), hold, line, first: None, caller, after, progress };
    let relay = Relay::new(CoordinatorHost::new(api, visitor), socket, start);
    rt::spawn(relay.run(seat));
    Ok(answer)
}

/// Characters of a position.
const POSITION_CHARS: usize = 50;

/// What a socket is asked for with.
struct SocketQuery {
    /// Samples a second of binary messages.
    rate: u32,
    /// Up to where the caller heard everything on an earlier socket.
    after: Option<EventPosition>,
    /// The caller is told how much of its speech is played.
    progress: bool,
}

impl SocketQuery {
    fn read(query: &str) -> Result<Self, Problem> {
        let fields = Fields::query(query, &["token", "sample_rate", "after", "progress"])?;
        let rate = fields.number32("sample_rate", SPEECH_RATES)?.unwrap_or(USUAL_RATE);
        let after = fields.text("after", POSITION_CHARS)?.map(|text| {
            read_position(text).ok_or_else(|| {
                Problem::invalid("after", "must be the last position that an earlier socket told, like 1-17")
            })
        });
        let progress = fields.flag("progress")?.unwrap_or_default();
        Ok(Self { rate, after: after.transpose()?, progress })
    }
}
