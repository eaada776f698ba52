//! A line that ended without a last word, and a socket whose caller is to go elsewhere.

use super::{Relay, over, room, stopping};
use crate::dialect::{SpeechDialect, SpeechEvent};
use crate::host::{SessionFound, SpeechHost};
use crate::socket::{SocketClose, SpeechSocket};
use mouthpiece_domain::fleet::Hold;
use mouthpiece_ports::lines::CallerLine;
use std::pin::pin;
use tokio::time::{Instant, timeout_at};

impl<D: SpeechDialect, S: SpeechSocket, H: SpeechHost> Relay<D, S, H> {
    /// The line ended without a last word: the session is looked for, and a line to where it runs now is opened. Whether it
    /// leads there is only known when something comes over it.
    pub(super) async fn reopen(&mut self) -> Result<(), SocketClose> {
        if self.lost.is_none() {
            self.tell_caller(&SpeechEvent::Reconnecting).await?;
        }
        let since = *self.lost.get_or_insert_with(Instant::now);
        let given_up = since + self.tempo.elsewhere;
        loop {
            let now = Instant::now();
            if now >= given_up {
                return Err(self.give_up().await?);
            }
            let (host, soon) = (self.host.clone(), given_up.min(now + self.tempo.again));
            let mut looking = pin!(host.find(self.hold, soon));
            let found = loop {
                let listens = self.has_room();
                tokio::select! {
                    found = &mut looking => break found,
                    heard = self.socket.next(), if listens => self.hear(heard).await?,
                }
            };
            match found {
                SessionFound::Runs(hold, line) => return self.go_on(hold, line).await,
                SessionFound::Left(hold, line) => {
                    self.go_on(hold, line).await?;
                    let reason = "the session runs on another worker now: ask for its address again";
                    return self.depart(SocketClose::new(1012, reason)).await;
                }
                SessionFound::NotYet => {}
                SessionFound::Ended(reason) => {
                    self.tell_caller(&SpeechEvent::Ended(&reason)).await?;
                    return Err(over(&reason));
                }
                SessionFound::Stopping => return Err(stopping()),
            }
        }
    }

    /// A line was opened again: says who calls, and anew what the session is not known to be done with. What was missed comes
    /// first; what comes before that is told again after it.
    async fn go_on(&mut self, hold: Hold, CallerLine { up, down }: CallerLine) -> Result<(), SocketClose> {
        (self.hold, self.up, self.down, self.stuck) = (hold, Some(up), down, Instant::now());
        let is_elsewhere = self.opened_to != hold.fence;
        self.opened_to = hold.fence;
        let anew = if is_elsewhere { self.pushed.elsewhere() } else { self.pushed.again() };
        let lost_ms = anew.lost_ms;
        self.resuming = self.heard_to.is_some();
        self.introduce(anew);
        self.tell_lost(lost_ms).await
    }

    /// The session runs nowhere: the caller is told what of its speech is lost.
    async fn give_up(&mut self) -> Result<SocketClose, SocketClose> {
        let lost_ms = self.pushed.given_up();
        self.tell_lost(lost_ms).await?;
        let elsewhere = self.tempo.elsewhere;
        let reason = format!("the session's worker was lost, and within {elsewhere:?} it ran nowhere else");
        Ok(SocketClose::new(1011, reason))
    }

    async fn tell_lost(&mut self, lost_ms: u64) -> Result<(), SocketClose> {
        if lost_ms == 0 {
            return Ok(());
        }
        self.tell_caller(&SpeechEvent::Lost { lost_ms }).await
    }

    /// The caller is to open another socket. What it said before goes to the session first, and it is told how many of its
    /// messages that were. It is not listened to meanwhile.
    ///
    /// Returns when the line was lost before all of it was there: the session is to be looked for again.
    ///
    /// # Errors
    /// `close`, when all of it is there; or what else ends the socket.
    pub(super) async fn depart(&mut self, close: SocketClose) -> Result<(), SocketClose> {
        let until = Instant::now() + self.tempo.room;
        match timeout_at(until, self.send_rest()).await {
            Ok(Ok(true)) => {
                self.tell_caller(&SpeechEvent::Reconnect { taken: self.came }).await?;
                Err(close)
            }
            Ok(Ok(false)) => Ok(()),
            Ok(Err(ends)) => Err(ends),
            Err(_) => Err(self.takes_nothing()),
        }
    }

    /// Sends all that waits, and ends the line; true when the session has all of it. What the session says is told meanwhile: it
    /// does not wait for who does not listen.
    async fn send_rest(&mut self) -> Result<bool, SocketClose> {
        loop {
            let waits = self.waits();
            if !waits {
                // The session hears the end behind all else, and lets go of the line then.
                self.up = None;
            }
            let down = tokio::select! {
                room = room(self.up.as_ref()) => match room {
                    Ok(room) => {
                        if let Some(up) = self.introduction.take().or_else(|| self.pushed.send()) {
                            room.send(up);
                        }
                        continue;
                    }
                    Err(_) => return Ok(false),
                },
                down = self.down.recv() => down,
            };
            match down {
                Some(down) => self.tell(&down).await?,
                None => return Ok(!waits),
            }
        }
    }
}
