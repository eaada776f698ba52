//! The handles of a transport: what a worker holds.

use crate::counts::{SharedCounts, TransportCounts};
use crate::error::{SignalError, TransportError};
use crate::events::StreamEvent;
pub use crate::hub::{Answered, Restarted};
use crate::inbox::{InboxRefused, SignalReply, TransportCommand, TransportInbox};
use crate::media::{AudioPacket, VideoFrame};
use crate::settings::{StreamId, StreamParams, TransportSettings};
use crate::shell;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// One UDP socket and everything behind it. Ends when the last handle and the last stream are dropped.
#[derive(Clone)]
pub struct Transport {
    shared: Arc<TransportShared>,
}

/// What the handles and the thread have in common.
pub(crate) struct TransportShared {
    pub inbox: Arc<TransportInbox>,
    pub counts: Arc<SharedCounts>,
    pub candidates: Arc<Mutex<Vec<SocketAddr>>>,
    local: SocketAddr,
    ids: AtomicU64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for TransportShared {
    fn drop(&mut self) {
        self.inbox.end(TransportCommand::Stop);
    }
}

impl Transport {
    /// Opens the socket and starts the thread `transport`.
    ///
    /// # Errors
    /// [`TransportError`] for settings out of their range, a socket or a thread that cannot be had, or where no address is
    /// found.
    pub fn start(settings: TransportSettings) -> Result<Self, TransportError> {
        settings.check()?;
        let (inbox, counts, candidates) = (Arc::default(), Arc::default(), Arc::default());
        let prepared = shell::prepare(settings, Arc::clone(&inbox), Arc::clone(&counts), Arc::clone(&candidates))?;
        let local = prepared.local();
        let thread = prepared.start().map_err(TransportError::Thread)?;
        let (ids, thread) = (AtomicU64::new(1), Mutex::new(Some(thread)));
        Ok(Self { shared: Arc::new(TransportShared { inbox, counts, candidates, local, ids, thread }) })
    }

    /// Where the socket is.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local
    }

    /// The addresses that viewers are told. With a STUN server one more comes once it has answered.
    pub fn candidates(&self) -> Vec<SocketAddr> {
        self.shared.candidates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A session's outgoing stream. `sink` is called on the transport's thread and must not block.
    ///
    /// # Errors
    /// [`TransportError::Setting`], [`TransportError::Busy`], [`TransportError::Stopped`].
    pub fn open(
        &self,
        params: StreamParams,
        sink: Box<dyn Fn(StreamEvent) + Send + Sync>,
    ) -> Result<OutgoingStream, TransportError> {
        params.check()?;
        let id = StreamId(self.shared.ids.fetch_add(1, Ordering::Relaxed));
        let sent_bytes: Arc<AtomicU64> = Arc::default();
        let counted = Arc::clone(&sent_bytes);
        match self.shared.inbox.ask(TransportCommand::Open { id, params, sink, sent_bytes: counted }) {
            Ok(()) => {
                Ok(OutgoingStream { id, torn: AtomicBool::new(false), sent_bytes, shared: Arc::clone(&self.shared) })
            }
            Err(InboxRefused::Full) => Err(TransportError::Busy),
            Err(InboxRefused::Stopped) => Err(TransportError::Stopped),
        }
    }

    /// Answers a new viewer's offer; all our candidates are in the answer.
    ///
    /// # Errors
    /// [`SignalError`].
    pub async fn offer(&self, stream: StreamId, viewer: u128, sdp: String) -> Result<Answered, SignalError> {
        self.ask(|reply| TransportCommand::Offer { stream, viewer, sdp, reply }).await
    }

    /// More candidates of a viewer (`application/trickle-ice-sdpfrag`); `tag` is the newest that it was given.
    ///
    /// # Errors
    /// [`SignalError`].
    pub async fn trickle(
        &self,
        stream: StreamId,
        viewer: u128,
        tag: String,
        fragment: String,
    ) -> Result<(), SignalError> {
        self.ask(|reply| TransportCommand::Trickle { stream, viewer, tag, fragment, reply }).await
    }

    /// Begins a viewer's ICE session again; media goes on meanwhile.
    ///
    /// # Errors
    /// [`SignalError`].
    pub async fn restart(&self, stream: StreamId, viewer: u128, fragment: String) -> Result<Restarted, SignalError> {
        self.ask(|reply| TransportCommand::Restart { stream, viewer, fragment, reply }).await
    }

    /// Sends a viewer away.
    ///
    /// # Errors
    /// [`SignalError::NoViewer`] and [`SignalError::NoStream`] where there is none (any more).
    pub async fn hang_up(&self, stream: StreamId, viewer: u128) -> Result<(), SignalError> {
        self.ask(|reply| TransportCommand::HangUp { stream, viewer, reply }).await
    }

    /// What it has done so far.
    pub fn counts(&self) -> TransportCounts {
        self.shared.counts.read()
    }

    /// Says goodbye to all viewers and ends the thread. Streams that are still held take nothing any more.
    pub async fn stop(self) {
        let thread = self.shared.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.inbox.end(TransportCommand::Stop);
        if let Some(thread) = thread {
            // It ends within a fraction of a second; waiting for it must not hold up whoever polls this.
            let (ended, end) = oneshot::channel::<()>();
            let waiter = std::thread::Builder::new().name("transport-end".to_owned()).spawn(move || {
                let _ = thread.join();
                drop(ended);
            });
            if waiter.is_ok() {
                let _ = end.await;
            }
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(SignalReply<T>) -> TransportCommand) -> Result<T, SignalError> {
        let (reply, answer) = oneshot::channel();
        match self.shared.inbox.ask(command(reply)) {
            Ok(()) => answer.await.unwrap_or(Err(SignalError::Stopped)),
            Err(InboxRefused::Full) => Err(SignalError::Full),
            Err(InboxRefused::Stopped) => Err(SignalError::Stopped),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("local", &self.shared.local).finish_non_exhaustive()
    }
}

/// A session's outgoing stream. Dropping it says goodbye to its viewers.
pub struct OutgoingStream {
    id: StreamId,
    /// A frame was refused: what follows cannot be decoded before a key frame.
    torn: AtomicBool,
    sent_bytes: Arc<AtomicU64>,
    shared: Arc<TransportShared>,
}

impl OutgoingStream {
    /// Its name, for offers.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// Bytes that its viewers were sent so far, the headers of IP and UDP included.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Hands in a frame. Never blocks; false when the transport is so far behind that it was dropped. Viewers then get
    /// nothing until the next key frame, which is asked for.
    pub fn video(&self, frame: VideoFrame) -> bool {
        let torn = self.torn.swap(false, Ordering::Relaxed);
        let taken = self.shared.inbox.media(TransportCommand::Video { id: self.id, frame, torn });
        if !taken {
            self.torn.store(true, Ordering::Relaxed);
            self.shared.counts.drop_one();
        }
        taken
    }

    /// Hands in a packet of sound. Never blocks; false when the transport is so far behind that it was dropped.
    pub fn audio(&self, packet: AudioPacket) -> bool {
        let taken = self.shared.inbox.media(TransportCommand::Audio { id: self.id, packet });
        if !taken {
            self.shared.counts.drop_one();
        }
        taken
    }
}

impl Drop for OutgoingStream {
    fn drop(&mut self) {
        self.shared.inbox.end(TransportCommand::Close { id: self.id });
    }
}

impl fmt::Debug for OutgoingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).finish_non_exhaustive()
    }
}
