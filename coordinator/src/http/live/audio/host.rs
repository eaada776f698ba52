//! What a coordinator is to the relays of its audio sockets.

use crate::http::Api;
use crate::http::auth::Visitor;
use crate::office::live::Whereabouts;
use actix_web::web::Data;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_speech::{RelayNews, SessionFound, SocketClose, SocketTimeouts, SpeechHost, SpeechRight};
use std::rc::Rc;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// This coordinator, and on whose behalf a socket is open.
#[derive(Clone)]
pub struct CoordinatorHost {
    api: Data<Api>,
    visitor: Rc<Visitor>,
}

impl CoordinatorHost {
    /// For a visitor's socket.
    pub fn new(api: Data<Api>, visitor: Visitor) -> Self {
        Self { api, visitor: Rc::new(visitor) }
    }
}

impl SpeechHost for CoordinatorHost {
    fn timeouts(&self) -> SocketTimeouts {
        self.api.settings.live.sockets
    }

    fn closing(&self) -> watch::Receiver<bool> {
        self.api.office.closing.watch()
    }

    async fn right(&self) -> SpeechRight {
        if self.api.office.access.still_allowed(&self.visitor).await {
            return SpeechRight::Held;
        }
        SpeechRight::Ended(SocketClose::new(1008, "the token expired, or its API key was revoked"))
    }

    async fn find(&self, before: Hold, soon: Instant) -> SessionFound {
        let live = &self.api.office.live;
        // Where it ran last is tried again, too, after a while.
        match live.settled(before.session, soon, |hold| *hold != before).await {
            Ok(Whereabouts::Runs(hold)) => match live.line(&hold).await {
                Ok(line) => SessionFound::Runs(hold, line),
                Err(_) => {
                    sleep_until(soon).await;
                    SessionFound::NotYet
                }
            },
            Ok(Whereabouts::Waits(_)) => SessionFound::NotYet,
            Ok(Whereabouts::Ended(session)) => {
                SessionFound::Ended(session.end.as_ref().map_or("lost", |end| end.reason.name()).to_owned())
            }
            Err(_) if self.api.office.closing.has_begun() => SessionFound::Stopping,
            // A store that is away for a moment; the problem was logged.
            Err(_) => {
                sleep(self.timeouts().again).await;
                SessionFound::NotYet
            }
        }
    }

    fn saw(&self, news: RelayNews) {
        let live = &self.api.metrics.live;
        match news {
            RelayNews::Opened => live.socket_opened(),
            RelayNews::Closed => live.socket_closed(),
            RelayNews::Heard { samples, rate } => live.heard(samples, rate),
            RelayNews::Refused { code } => live.refused(code),
        }
    }
}
