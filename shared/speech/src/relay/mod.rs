//! One caller's socket: what a program says goes over a line to the session's worker, what the session says comes back.
//!
//! Nothing waits without a bound: a worker that takes nothing, a caller that reads nothing or is silent when it is asked
//! whether it is there, and a session that is nowhere each end the socket with a reason. The messages that wait for room in
//! the line are bounded too; until they are too many the caller is still listened to. What messages look like is a dialect's.

mod follow;

use crate::dialect::{MessageRefusal, NO_ROOM, SpeechDialect, SpeechEvent};
use crate::host::{RelayNews, SpeechHost, SpeechRight};
use crate::message;
use crate::pushed_log::{PushedLog, SaidAnew};
use crate::socket::{SocketClose, SocketInput, SpeechSocket};
use crate::timeouts::SocketTimeouts;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::CallerId;
use mouthpiece_domain::live::{CallerIntroduction, EventPosition, LineInput, LineOutput};
use mouthpiece_domain::session::Fence;
use mouthpiece_ports::lines::CallerLine;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{Permit, Receiver, Sender};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// Messages that wait for room in the line.
const BACKLOG: usize = 32;
/// Bytes of speech among them.
const BACKLOG_BYTES: usize = 4 * message::LARGEST;
/// So many refusals in a row are no mistake any more.
const MOST_ERRORS: u32 = 20;

/// What a relay begins with.
pub struct RelayStart<D> {
    /// What is spoken over the socket.
    pub dialect: D,
    /// Where the session runs.
    pub hold: Hold,
    /// A line that was opened to there.
    pub line: CallerLine,
    /// What came over it already.
    pub first: Option<LineOutput>,
    /// A number of this caller's own, over all lines.
    pub caller: CallerId,
    /// Up to where the caller heard everything on an earlier socket: it is told what came since.
    pub after: Option<EventPosition>,
    /// The caller is told how much is played of what it says.
    pub progress: bool,
}

/// A socket and its line.
pub struct Relay<D, S, H> {
    host: H,
    socket: S,
    dialect: D,
    /// Where the session runs.
    hold: Hold,
    /// The placement that the last line led to.
    opened_to: Fence,
    /// To the session; none where the line takes nothing more, and its last words may still come.
    up: Option<Sender<LineInput>>,
    /// From the session.
    down: Receiver<LineOutput>,
    first: Option<LineOutput>,
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
    /// Messages that came, whatever they said.
    came: u64,
    progress: bool,
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

/// Counts a socket while it is open.
struct OpenSocket<H: SpeechHost>(H);

impl<H: SpeechHost> Drop for OpenSocket<H> {
    fn drop(&mut self) {
        self.0.saw(RelayNews::Closed);
    }
}

impl<D: SpeechDialect, S: SpeechSocket, H: SpeechHost> Relay<D, S, H> {
    /// Between a socket and a line.
    pub fn new(host: H, socket: S, start: RelayStart<D>) -> Self {
        let RelayStart { dialect, hold, line: CallerLine { up, down }, first, caller, after, progress } = start;
        let now = Instant::now();
        let mut relay = Self {
            tempo: host.timeouts(),
            host,
            socket,
            dialect,
            hold,
            opened_to: hold.fence,
            up: Some(up),
            down,
            first,
            lost: None,
            caller,
            heard_to: after,
            resuming: after.is_some(),
            asked_after: after.is_some(),
            introduction: None,
            pushed: PushedLog::default(),
            came: 0,
            progress,
            stuck: now,
            errors: 0,
            heard: now,
        };
        let nothing = relay.pushed.again();
        relay.introduce(nothing);
        relay
    }

    /// Relays until one side ends it; `seat` is given back then.
    pub async fn run<Seat>(mut self, seat: Seat) {
        let open = OpenSocket(self.host.clone());
        self.host.saw(RelayNews::Opened);
        let Err(close) = self.relay().await;
        drop((open, seat, self.up, self.down));
        tracing::info!(session_id = %self.hold.session, code = close.code, reason = close.reason, "an audio socket ended");
        self.socket.close(close).await;
    }

    async fn relay(&mut self) -> Result<Infallible, SocketClose> {
        let mut closing = self.host.closing();
        let mut beat = interval(self.tempo.ping.max(Duration::from_millis(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.tell_caller(&SpeechEvent::Live).await?;
        if let Some(first) = self.first.take() {
            self.tell(&first).await?;
        }
        loop {
            match self.next(&mut closing, &mut beat).await {
                Next::Heard(heard) => self.hear(heard).await?,
                Next::Down(Some(down)) => self.tell(&down).await?,
                Next::Down(None) => self.reopen().await?,
                Next::Room => self.stuck = Instant::now(),
                Next::Deaf => self.up = None,
                Next::Beat => self.look_after().await?,
                Next::Stopping => return Err(stopping()),
                Next::Stuck => return Err(self.takes_nothing()),
            }
        }
    }

    /// What happens next. A message that waits is sent as soon as there is room.
    async fn next(&mut self, closing: &mut watch::Receiver<bool>, beat: &mut Interval) -> Next {
        let (waits, listens) = (self.waits(), self.has_room());
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => Next::Stopping,
            heard = self.socket.next(), if listens => Next::Heard(heard),
            room = room(self.up.as_ref()), if waits && self.up.is_some() => match room {
                Ok(room) => {
                    if let Some(up) = self.introduction.take().or_else(|| self.pushed.send()) {
                        room.send(up);
                    }
                    Next::Room
                }
                Err(_) => Next::Deaf,
            },
            down = self.down.recv() => Next::Down(down),
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
        self.came += 1;
        match read {
            Ok(None) => Ok(()),
            Ok(Some(up)) => {
                self.errors = 0;
                if let LineInput::Speak { rate, samples, .. } = &up {
                    self.host.saw(RelayNews::Heard { samples: samples.len(), rate: *rate });
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
        self.host.saw(RelayNews::Refused { code: refusal.code.name() });
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
                return match begun {
                    Some(begun) if self.progress => {
                        let (event, played_ms) = (begun.event.as_deref(), begun.played_ms);
                        self.tell_caller(&SpeechEvent::Progress { event, played_ms }).await
                    }
                    _ => Ok(()),
                };
            }
            LineOutput::Refused { number, .. } => {
                self.pushed.refused(*number);
                self.dialect.begin_anew();
                self.host.saw(RelayNews::Refused { code: NO_ROOM });
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
            LineOutput::Over { reason } => Err(over(reason)),
            _ => Ok(()),
        }
    }

    /// Now and then: is the caller there, and may it still?
    async fn look_after(&mut self) -> Result<(), SocketClose> {
        let silence = self.tempo.silence;
        if self.heard.elapsed() > silence {
            return Err(SocketClose::new(1008, format!("pings were not answered for {silence:?}")));
        }
        match self.host.right().await {
            SpeechRight::Held => self.socket.ping().await,
            SpeechRight::Ended(close) => Err(close),
            SpeechRight::Renew(close) => self.depart(close).await,
        }
    }

    fn introduce(&mut self, anew: SaidAnew) {
        let SaidAnew { next, listening, begun, .. } = anew;
        let who = CallerIntroduction { caller: self.caller, next, after: self.heard_to, listening, begun };
        self.introduction = Some(LineInput::Identify(who));
    }

    fn takes_nothing(&self) -> SocketClose {
        SocketClose::new(1013, format!("the session took nothing for {:?}: try again later", self.tempo.room))
    }
}

/// Waits for room in a line; for ever where it takes nothing more.
async fn room(up: Option<&Sender<LineInput>>) -> Result<Permit<'_, LineInput>, SendError<()>> {
    match up {
        Some(up) => up.reserve().await,
        None => std::future::pending().await,
    }
}

fn over(reason: &str) -> SocketClose {
    SocketClose::new(1000, format!("the session has ended: {reason}"))
}

fn stopping() -> SocketClose {
    SocketClose::new(1001, "the server is about to stop: connect again")
}
