//! A proven connection as two channels.
//!
//! What is left in one channel comes out of the peer's other one, in order. Back-pressure is the socket's own: nothing is read while
//! what came has no room, and nothing is taken from a channel while the socket takes nothing. The socket's buffers are small,
//! so that not much lies in them.
//!
//! Both sides send a ping now and then, whether or not they read just now, and anything that is heard counts. So a peer
//! that is held up by whoever it serves is told from one that is gone: the first still pings. Silence is counted while we
//! listen; who does not read cannot judge.

use crate::half_close::HalfClose;
use crate::wire::{DEAF, END, WireError, WireRead, WireWrite};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// A connection, encrypted or not.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// The WebSocket over one.
pub(crate) type Socket = WebSocketStream<Box<dyn Io>>;

/// How it is found out that a peer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Each side says so often that it is there.
    pub ping: Duration,
    /// A peer that was not heard for so long is gone. At least twice the peer's `ping`.
    pub silence: Duration,
    /// The peer's farewell is waited for at most so long.
    pub farewell: Duration,
}

impl Default for Liveness {
    /// A ping every 4 s, gone after 12 s, 2 s for a farewell.
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { ping: s(4), silence: s(12), farewell: s(2) }
    }
}

/// How a connection came to an end that was not agreed upon.
#[derive(Debug, Error)]
pub(crate) enum Lost {
    /// The peer is gone without a word.
    #[error("the peer was not heard for {0:?}")]
    Silent(Duration),
    /// The network or the peer broke it.
    #[error("the connection is broken: {0}")]
    Broken(#[from] SocketError),
    /// The peer closed it while something could still come.
    #[error("the peer closed the connection")]
    Closed,
    /// Something cannot be carried.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Carries between a connection and two channels until both directions ended. However it ends, both channels are closed then.
///
/// Whoever hears no more waits for room no longer than for a silent peer.
pub(crate) async fn carry<O: WireWrite, I: WireRead>(
    socket: Socket,
    outgoing: mpsc::Receiver<O>,
    incoming: mpsc::Sender<I>,
    liveness: Liveness,
) -> Result<(), Lost> {
    let (sink, stream) = socket.split();
    let (state, changed) = watch::channel(HalfClose::default());
    let writer = Writer { sink, state: &state, changed, liveness };
    let mut reading = std::pin::pin!(read(stream, incoming, &state, liveness.silence));
    let written = tokio::select! {
        read = &mut reading => return read,
        written = writer.run(outgoing) => written,
    };
    written?;
    // The peer reads what was said last and closes, too: to cut it off now could cost it what it has not read yet.
    timeout(liveness.farewell, reading).await.unwrap_or(Ok(()))
}

/// Says what there is to say.
struct Writer<'a> {
    sink: SplitSink<Socket, Message>,
    state: &'a watch::Sender<HalfClose>,
    changed: watch::Receiver<HalfClose>,
    liveness: Liveness,
}

impl Writer<'_> {
    /// Returns when both directions ended, after the farewell.
    async fn run<O: WireWrite>(mut self, mut outgoing: mpsc::Receiver<O>) -> Result<(), Lost> {
        let mut beat = interval(self.liveness.ping.max(Duration::from_millis(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.tell(HalfClose::take_deaf) {
                self.send(Message::text(DEAF)).await?;
            }
            let now = *self.changed.borrow_and_update();
            if !now.is_heard() {
                outgoing.close();
            }
            if now.is_over() {
                return self.send(Message::Close(None)).await;
            }
            tokio::select! {
                message = outgoing.recv(), if now.is_heard() => match message {
                    Some(message) => self.send(message.write()?).await?,
                    None => {
                        if self.tell(HalfClose::stop_speaking) {
                            self.send(Message::text(END)).await?;
                        }
                    }
                },
                _ = self.changed.changed() => {}
                _ = beat.tick() => self.send(Message::Ping(Bytes::new())).await?,
            }
        }
    }

    fn tell(&self, what: impl FnOnce(&mut HalfClose) -> bool) -> bool {
        let mut tell = false;
        self.state.send_if_modified(|state| {
            tell = what(state);
            false
        });
        tell
    }

    async fn send(&mut self, message: Message) -> Result<(), Lost> {
        let Self { sink, changed, liveness, .. } = self;
        let mut sending = std::pin::pin!(sink.send(message));
        tokio::select! {
            biased;
            sent = &mut sending => return Ok(sent?),
            _ = changed.wait_for(|state| !state.listens()) => {}
        }
        match timeout(liveness.silence, sending).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Lost::Silent(liveness.silence)),
        }
    }
}

/// What came.
enum Came<I> {
    Said(I),
    End,
    Deaf,
    /// A sign of life, or a kind that is not known.
    Sign,
}

/// Hands on what comes; returns when the peer closed.
async fn read<I: WireRead>(
    mut stream: SplitStream<Socket>,
    incoming: mpsc::Sender<I>,
    state: &watch::Sender<HalfClose>,
    silence: Duration,
) -> Result<(), Lost> {
    let handed = hand_on(&mut stream, &incoming, state, silence).await;
    drop(incoming);
    state.send_modify(handed?);
    // What still comes is passed over until the peer closes.
    loop {
        match next::<I>(&mut stream, silence).await {
            Ok(Came::End) => state.send_modify(HalfClose::peer_ended),
            Ok(Came::Deaf) => state.send_modify(HalfClose::peer_deaf),
            Ok(Came::Said(_) | Came::Sign) => {}
            Err(Lost::Closed) if state.borrow().is_over() => return Ok(()),
            Err(lost) => return Err(lost),
        }
    }
}

/// Hands on until the peer says no more or nobody hears any more, and says which.
async fn hand_on<I: WireRead>(
    stream: &mut SplitStream<Socket>,
    incoming: &mpsc::Sender<I>,
    state: &watch::Sender<HalfClose>,
    silence: Duration,
) -> Result<fn(&mut HalfClose), Lost> {
    loop {
        // Nothing is read while there is no room; and that is not the peer's silence.
        let Ok(room) = incoming.reserve().await else { return Ok(HalfClose::stop_listening) };
        let said = loop {
            let came = tokio::select! {
                came = next::<I>(stream, silence) => came?,
                () = incoming.closed() => return Ok(HalfClose::stop_listening),
            };
            match came {
                Came::Said(said) => break said,
                Came::End => return Ok(HalfClose::peer_ended),
                Came::Deaf => state.send_modify(HalfClose::peer_deaf),
                Came::Sign => {}
            }
        };
        room.send(said);
    }
}

/// The next message; safe to cancel.
async fn next<I: WireRead>(stream: &mut SplitStream<Socket>, silence: Duration) -> Result<Came<I>, Lost> {
    let message = timeout(silence, stream.next()).await.map_err(|_| Lost::Silent(silence))?;
    let said = match message {
        Some(Ok(Message::Text(text))) => match text.as_str() {
            END => return Ok(Came::End),
            DEAF => return Ok(Came::Deaf),
            text => I::read_text(text)?,
        },
        Some(Ok(Message::Binary(bytes))) => I::read_binary(&bytes)?,
        Some(Ok(_)) => None,
        None | Some(Err(SocketError::ConnectionClosed)) => return Err(Lost::Closed),
        Some(Err(error)) => return Err(error.into()),
    };
    Ok(said.map_or(Came::Sign, Came::Said))
}
