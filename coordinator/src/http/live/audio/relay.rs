//! One audio socket: what a program says goes over a line to the session's worker, what the session says comes back.
//!
//! Nothing waits without a bound: a worker that takes nothing, a caller that reads nothing or is silent when it is asked
//! whether it is there, and a session that is nowhere each end the socket with a reason. The messages that wait for room in
//! the line are bounded too; until they are too many the caller is still listened to. What messages look like is a dialect's.

use super::dialect::{MessageRefusal, NO_ROOM, SpeechDialect, SpeechEvent};
use super::message;
use super::pushed_log::{PushedLog, SaidAnew};
use super::socket::{Socket, SocketClose, SocketInput};
use crate::http::Api;
use crate::http::auth::Visitor;
use crate::office::SocketTimeouts;
use crate::office::live::Whereabouts;
use crate::office::seats::BoundedSeat;
use actix_web::web::Data;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{CallerId, SessionId};
use mouthpiece_domain::live::{EventPosition, LineInput, LineOutput};
use mouthpiece_domain::session::Fence;
use mouthpiece_ports::lines::CallerLine;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};

/// Messages that wait for room in the line.
const BACKLOG: usize = 32;
/// Bytes of speech among them.
const BACKLOG_BYTES: usize = 4 * message::LARGEST;
/// So many refusals in a row are no mistake any more.
const MOST_ERRORS: u32 = 20;

/// A socket and its line.
pub struct Relay<D> {
    api: Data<Api>,
    visitor: Visitor,
    socket: Socket,
    dialect: D,
    /// Where the session runs.
    hold: Hold,
    /// The placement that the last line led to.
    opened_to: Fence,
    line: CallerLine,
    /// The line takes nothing more; its last words may still come.
    deaf: bool,
    /// Since when the session is looked for.
    lost: Option<Instant>,
    /// Who the caller is, over all lines.
    caller: CallerId,
    /// Up to where everything was heard.
    heard_to: Option<EventPosition>,
    /// What comes is told again from where it was lost.
    resuming: bool,
    /// The caller asked for what it had missed before this socket, and was not answered yet.
    asked_after: bool,
    /// What is said first on a line.
    introduction: Option<LineInput>,
    pushed: PushedLog,
    /// Since when there is no room for the first of them.
    stuck: Instant,
    errors: u32,
    /// When the caller was last heard.
    heard: Instant,
    tempo: SocketTimeouts,
}

/// What a relay goes on with.
enum Next {
    /// The caller said something, or is gone.
    Heard(SocketInput),
    /// The session said something, or the line ended.
    Down(Option<LineOutput>),
    /// A message that waited was sent.
    Room,
    /// The line takes nothing more.
    Deaf,
    /// It is time to look after the caller.
    Beat,
    /// A message has waited too long.
    Stuck,
    /// The server stops.
    Stopping,
}

impl<D: SpeechDialect> Relay<D> {
    /// Between a socket and a line that was opened to `hold`. A caller that had heard everything up to `after` is told what
    /// came since.
    pub fn new(
        api: Data<Api>,
        visitor: Visitor,
        socket: Socket,
        dialect: D,
        (hold, line): (Hold, CallerLine),
        after: Option<EventPosition>,
    ) -> Self {
        let now = Instant::now();
        let mut relay = Self {
            tempo: api.settings.live.sockets,
            api,
            visitor,
            socket,
            dialect,
            hold,
            opened_to: hold.fence,
            line,
            deaf: false,
            lost: None,
            caller: CallerId(uuid::Uuid::new_v4().as_u128()),
            heard_to: after,
            resuming: after.is_some(),
            asked_after: after.is_some(),
            introduction: None,
            pushed: PushedLog::default(),
            stuck: now,
            errors: 0,
            heard: now,
        };
        let nothing = relay.pushed.again();
        relay.introduce(nothing);
        relay
    }

    /// Relays until one side ends it; `seat` is given back then.
    pub async fn run(mut self, seat: BoundedSeat<SessionId>) {
        let open = self.api.metrics.live.socket();
        let Err(close) = self.relay().await;
        drop((open, seat, self.line));
        tracing::info!(session_id = %self.hold.session, code = close.code, reason = close.reason, "an audio socket ended");
        self.socket.close(close).await;
    }

    async fn relay(&mut self) -> Result<Infallible, SocketClose> {
        let mut closing = self.api.office.closing.watch();
        let mut beat = interval(self.tempo.ping.max(Duration::from_millis(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell_caller(&SpeechEvent::Live).await?;
        loop {
            match self.next(&mut closing, &mut beat).await {
                Next::Heard(heard) => self.hear(heard).await?,
                Next::Down(Some(down)) => self.tell(&down).await?,
                Next::Down(None) => self.reopen().await?,
                Next::Room => self.stuck = Instant::now(),
                Next::Deaf => self.deaf = true,
                Next::Beat => self.look_after().await?,
                Next::Stopping => return Err(stopping()),
                Next::Stuck => {
                    let reason = format!("the session took nothing for {:?}: try again later", self.tempo.room);
                    return Err(SocketClose::new(1013, reason));
                }
            }
        }
    }

    /// What happens next. A message that waits is sent as soon as there is room.
    async fn next(&mut self, closing: &mut watch::Receiver<bool>, beat: &mut Interval) -> Next {
        let (waits, listens) = (self.waits(), self.has_room());
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => Next::Stopping,
            heard = self.socket.next(), if listens => Next::Heard(heard),
            room = self.line.up.reserve(), if waits && !self.deaf => match room {
                Ok(room) => {
                    if let Some(up) = self.introduction.take().or_else(|| self.pushed.send()) {
                        room.send(up);
                    }
                    Next::Room
                }
                Err(_) => Next::Deaf,
            },
            down = self.line.down.recv() => Next::Down(down),
            _ = beat.tick() => Next::Beat,
            () = sleep_until(self.stuck + self.tempo.room), if waits => Next::Stuck,
        }
    }

    /// Whether something is to be sent.
    fn waits(&self) -> bool {
        self.introduction.is_some() || self.pushed.unsent() > 0
    }

    /// Whether the caller is listened to.
    fn has_room(&self) -> bool {
        // Of thousands, as after a worker was lost, the bytes are not counted.
        self.pushed.unsent() < BACKLOG && self.pushed.unsent_bytes() < BACKLOG_BYTES
    }

    async fn hear(&mut self, heard: SocketInput) -> Result<(), SocketClose> {
        self.heard = Instant::now();
        let read = match heard {
            SocketInput::Text(text) => self.dialect.text(&text, self.heard),
            SocketInput::Binary(bytes) => self.dialect.binary(&bytes, self.heard),
            SocketInput::Ping(bytes) => return self.socket.pong(&bytes).await,
            SocketInput::Pong => return Ok(()),
            SocketInput::Gone => return Err(SocketClose::new(1000, "")),
            SocketInput::Broken(close) => return Err(close),
        };
        match read {
            Ok(None) => Ok(()),
            Ok(Some(up)) => {
                self.errors = 0;
                if let LineInput::Speak { rate, samples, .. } = &up {
                    self.api.metrics.live.heard(samples.len(), *rate);
                }
                if !self.waits() {
                    self.stuck = self.heard;
                }
                self.pushed.push(up);
                Ok(())
            }
            Err(refusal) => self.refuse(&refusal).await,
        }
    }

    async fn refuse(&mut self, refusal: &MessageRefusal) -> Result<(), SocketClose> {
        self.api.metrics.live.refused(refusal.code.name());
        self.tell_caller(&SpeechEvent::Refused(refusal)).await?;
        self.errors += 1;
        if self.errors < MOST_ERRORS {
            return Ok(());
        }
        Err(SocketClose::new(1008, format!("{MOST_ERRORS} messages in a row could not be used: mend the program")))
    }

    async fn tell_caller(&mut self, event: &SpeechEvent<'_>) -> Result<(), SocketClose> {
        let text = self.dialect.event(event);
        self.socket.say(text).await
    }

    /// What the session says.
    async fn tell(&mut self, down: &LineOutput) -> Result<(), SocketClose> {
        if self.lost.take().is_some() {
            self.tell_caller(&SpeechEvent::Live).await?;
        }
        match down {
            LineOutput::Settled { through, begun, of_next_ms } => {
                self.pushed.settled(*through, begun.clone(), *of_next_ms);
                return Ok(());
            }
            LineOutput::Refused { number, .. } => {
                self.pushed.refused(*number);
                self.dialect.begin_anew();
                self.api.metrics.live.refused(NO_ROOM);
            }
            // Where it is told that everything was heard before, nothing new was.
            LineOutput::Position { position } if !self.resuming && self.heard_to == Some(*position) => return Ok(()),
            LineOutput::Position { position } if !self.resuming => self.heard_to = Some(*position),
            LineOutput::Resumed { .. } => {
                self.resuming = false;
                if !std::mem::take(&mut self.asked_after) {
                    return Ok(());
                }
            }
            // Told to this caller as an answer, not again after that.
            _ if self.resuming && !matches!(down, LineOutput::Over { .. }) => return Ok(()),
            _ => {}
        }
        self.tell_caller(&SpeechEvent::Voice(down)).await?;
        match down {
            LineOutput::Over { reason } => Err(SocketClose::new(1000, format!("the session has ended: {reason}"))),
            _ => Ok(()),
        }
    }

    /// Now and then: is the caller there, and may it still?
    async fn look_after(&mut self) -> Result<(), SocketClose> {
        let silence = self.tempo.silence;
        if self.heard.elapsed() > silence {
            return Err(SocketClose::new(1008, format!("pings were not answered for {silence:?}")));
        }
        if !self.api.office.access.still_allowed(&self.visitor).await {
            return Err(SocketClose::new(1008, "the token expired, or its API key was revoked"));
        }
        self.socket.ping().await
    }

    /// The line ended without a last word: the session is looked for, and a line to where it runs now is opened. Whether it
    /// leads there is only known when something comes over it.
    async fn reopen(&mut self) -> Result<(), SocketClose> {
        let (api, tempo) = (Data::clone(&self.api), self.tempo);
        if self.lost.is_none() {
            self.tell_caller(&SpeechEvent::Reconnecting).await?;
        }
        let since = *self.lost.get_or_insert_with(Instant::now);
        let given_up = since + tempo.elsewhere;
        loop {
            let now = Instant::now();
            if now >= given_up {
                let reason =
                    format!("the session's worker was lost, and within {:?} it ran nowhere else", tempo.elsewhere);
                return Err(SocketClose::new(1011, reason));
            }
            let before = self.hold;
            // Where it ran last is tried again, too: only the way there may have been broken.
            let soon = given_up.min(now + tempo.again);
            let found = tokio::select! {
                found = api.office.live.settled(before.session, soon, |hold| *hold != before) => found,
                heard = self.socket.next(), if self.has_room() => {
                    self.hear(heard).await?;
                    continue;
                }
            };
            match found {
                Ok(Whereabouts::Runs(hold)) => {
                    self.hold = hold;
                    if let Ok(line) = api.office.live.line(&hold).await {
                        self.line = line;
                        self.deaf = false;
                        self.stuck = Instant::now();
                        return self.go_on().await;
                    }
                }
                Ok(Whereabouts::Waits(_)) => {}
                Ok(Whereabouts::Ended(session)) => {
                    let reason = session.end.as_ref().map_or("lost", |end| end.reason.name());
                    self.tell_caller(&SpeechEvent::Ended(reason)).await?;
                    return Err(SocketClose::new(1000, format!("the session has ended: {reason}")));
                }
                Err(_) if api.office.closing.has_begun() => return Err(stopping()),
                // A store that is away for a moment; the problem was logged.
                Err(_) => sleep(tempo.again).await,
            }
        }
    }

    /// A line was opened again: says who calls, and anew what the session is not known to be done with. What was missed comes
    /// first; what comes before that is told again after it.
    async fn go_on(&mut self) -> Result<(), SocketClose> {
        let is_elsewhere = self.opened_to != self.hold.fence;
        self.opened_to = self.hold.fence;
        let anew = if is_elsewhere { self.pushed.elsewhere() } else { self.pushed.again() };
        let lost_ms = anew.lost_ms;
        self.resuming = self.heard_to.is_some();
        self.introduce(anew);
        if lost_ms > 0 {
            self.tell_caller(&SpeechEvent::Lost { lost_ms }).await?;
        }
        Ok(())
    }

    fn introduce(&mut self, anew: SaidAnew) {
        let SaidAnew { next, listening, begun, .. } = anew;
        let (caller, after) = (self.caller, self.heard_to);
        self.introduction = Some(LineInput::Identify { caller, next, after, listening, begun });
    }
}

fn stopping() -> SocketClose {
    SocketClose::new(1001, "the server is about to stop: connect again")
}
