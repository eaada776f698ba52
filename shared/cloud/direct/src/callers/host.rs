//! What a worker is to the relays of callers that came straight to it.

use super::listener::CallersShared;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_speech::{RelayNews, SessionFound, SocketClose, SocketTimeouts, SpeechHost, SpeechRight};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// This worker's process, and since when a socket is open.
#[derive(Clone)]
pub(super) struct WorkerHost {
    pub shared: Arc<CallersShared>,
    pub since: Instant,
}

impl SpeechHost for WorkerHost {
    fn timeouts(&self) -> SocketTimeouts {
        self.shared.settings.timeouts
    }

    fn closing(&self) -> watch::Receiver<bool> {
        self.shared.closing.subscribe()
    }

    /// Nobody is asked whether the caller's key still holds, so no socket is open for ever.
    async fn right(&self) -> SpeechRight {
        let longest = self.shared.settings.longest;
        if self.since.elapsed() < longest {
            return SpeechRight::Held;
        }
        SpeechRight::Renew(SocketClose::new(1012, format!("open for {longest:?}: ask for the session's address again")))
    }

    /// Heartbeats of other workers tell where the session went on.
    async fn find(&self, before: Hold, soon: Instant) -> SessionFound {
        let mut closing = self.closing();
        tokio::select! {
            found = self.look(before, soon) => found,
            _ = closing.wait_for(|closing| *closing) => SessionFound::Stopping,
        }
    }

    fn saw(&self, news: RelayNews) {
        self.shared.observer.caller(news);
    }
}

impl WorkerHost {
    async fn look(&self, before: Hold, soon: Instant) -> SessionFound {
        let CallersShared { dialler, listener, .. } = &*self.shared;
        loop {
            let runs = dialler.directory.runs(before.session).await.filter(|hold| hold.fence > before.fence);
            match runs {
                Some(hold) if listener.doors().has(hold.worker) => {
                    if let Ok(line) = listener.doors().ring(hold) {
                        return SessionFound::Runs(hold, line);
                    }
                }
                Some(hold) => match dialler.line(hold).await {
                    Ok(line) => return SessionFound::Left(hold, line),
                    Err(error) => {
                        tracing::info!(%error, session_id = %hold.session, "a session cannot be followed yet");
                    }
                },
                None => {}
            }
            if Instant::now() >= soon {
                break;
            }
            sleep_until(soon.min(Instant::now() + self.shared.settings.timeouts.again / 4)).await;
        }
        // Where it ran last is tried again: the session lets callers go that do not read what they are told.
        match listener.doors().ring(before) {
            Ok(line) => SessionFound::Runs(before, line),
            Err(_) => SessionFound::NotYet,
        }
    }
}
