//! One viewer: its connection, what it is sent, and what comes out of it.

use super::bitrate::Estimate;
use super::outbox::{Datagram, Mark, Outbox};
use super::wire::{Outgoing, outgoing};
use crate::sdp::offer::Offer;
use crate::settings::StreamId;
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::BweKind;
use str0m::format::Codec;
use str0m::media::{Frequency, MediaTime, Mid, Pt};
use str0m::{Event, Input, Output, Rtc};
use tracing::{debug, error};

/// A viewer that nothing came from for so long is gone. Browsers send reports every second and checks every few.
const SILENCE: Duration = Duration::from_secs(8);
/// A viewer that has an answer connects within so long.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Steps of the state machines without time passing, at most, before others get their turn.
const STEPS: usize = 4096;
/// Errors in a row that a connection may make before it counts as broken.
const ERRORS: usize = 16;

/// A medium that the viewer receives.
#[derive(Debug)]
pub(super) struct ViewerTrack {
    pub mid: Mid,
    pub pt: Pt,
    /// Something of it was sent.
    pub begun: bool,
}

/// Encoded media for many viewers.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    pub data: Arc<[u8]>,
    /// RTP time.
    pub time: u64,
    /// Never in the future.
    pub captured: Instant,
}

/// What a connection tells.
#[derive(Debug)]
pub(super) enum Note {
    Connected,
    KeyFrame,
    Bandwidth,
    Tried(std::net::SocketAddr),
    Sound { data: Bytes, time: u64, contiguous: bool, arrived: Instant },
}

/// Why a connection is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Closed,
    Broken,
}

/// One viewer.
pub(super) struct Viewer {
    pub name: u128,
    pub stream: StreamId,
    pub rtc: Box<Rtc>,
    /// For ICE sessions begun again.
    pub offer: Offer,
    pub sections: Vec<crate::sdp::answer::Section>,
    /// The peer's user fragment.
    pub peer: String,
    /// Our user fragment, which names the ICE session.
    pub tag: String,
    /// The peer's candidates of this ICE session so far.
    pub candidates: usize,
    pub video: Option<ViewerTrack>,
    pub audio: Option<ViewerTrack>,
    /// Where it speaks, if it does.
    pub microphone: Option<Mid>,
    pub connected: bool,
    /// It can show nothing before a key frame.
    pub wants_key: bool,
    pub estimate: Estimate,
    /// The bandwidth that its estimate began with.
    pub start: u64,
    pub born: Instant,
    /// When anything came from it.
    pub heard: Instant,
    pub next: Instant,
}

impl Viewer {
    /// Whether it is given up.
    pub fn expired(&self, now: Instant) -> bool {
        now >= self.patience()
    }

    /// When it is to be woken.
    pub fn deadline(&self) -> Instant {
        self.next.min(self.patience())
    }

    fn patience(&self) -> Instant {
        if self.connected { self.heard + SILENCE } else { self.born + ARRIVAL }
    }

    /// Sends a video frame, unless it could not be decoded; true when it went.
    pub fn show(&mut self, frame: &Encoded, key: bool) -> bool {
        if !self.connected || (self.wants_key && !key) {
            return false;
        }
        let Some(track) = &mut self.video else { return false };
        if !write(&mut self.rtc, track, frame, Frequency::NINETY_KHZ) {
            return false;
        }
        self.wants_key = false;
        true
    }

    /// Sends sound.
    pub fn sound(&mut self, packet: &Encoded) -> bool {
        let Some(track) = self.audio.as_mut().filter(|_| self.connected) else { return false };
        write(&mut self.rtc, track, packet, Frequency::FORTY_EIGHT_KHZ)
    }

    /// Lets the connection work until it has nothing to do before `next`.
    ///
    /// A panic in there ends this viewer and nobody else: what came in was made by strangers.
    pub fn work(
        &mut self,
        now: Instant,
        input: Option<Input<'_>>,
        out: &mut Outbox,
        notes: &mut Vec<Note>,
    ) -> Result<(), Over> {
        let work = AssertUnwindSafe(|| self.drive(now, input, out, notes));
        catch_unwind(work).unwrap_or_else(|_| {
            error!(viewer = %format_args!("{:032x}", self.name), "a connection's state machine panicked");
            Err(Over::Broken)
        })
    }

    /// Says goodbye, as far as a connection exists.
    pub fn close(&mut self, now: Instant, out: &mut Outbox) {
        let farewell = AssertUnwindSafe(|| {
            if self.rtc.close().is_ok() {
                for _ in 0..STEPS {
                    match self.rtc.poll_output() {
                        Ok(Output::Transmit(send)) => {
                            let (to, data, stream) = (send.destination, send.contents.into(), self.stream);
                            out.push(Datagram { to, data, stream, mark: None });
                        }
                        Ok(Output::Event(_)) => {}
                        Ok(Output::Timeout(at)) if at <= now => drop(self.rtc.handle_input(Input::Timeout(now))),
                        Ok(Output::Timeout(_)) | Err(_) => break,
                    }
                }
            }
        });
        if catch_unwind(farewell).is_err() {
            error!("a connection's state machine panicked at its end");
        }
    }

    fn drive(
        &mut self,
        now: Instant,
        input: Option<Input<'_>>,
        out: &mut Outbox,
        notes: &mut Vec<Note>,
    ) -> Result<(), Over> {
        if let Some(input) = input
            && let Err(e) = self.rtc.handle_input(input)
        {
            debug!(error = %e, "a packet was refused");
        }
        let (mut errors, mut closed) = (0, false);
        for _ in 0..STEPS {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) if at > now || !self.rtc.is_alive() => {
                    self.next = at;
                    return self.outcome(closed);
                }
                Ok(Output::Timeout(_)) => {
                    if let Err(e) = self.rtc.handle_input(Input::Timeout(now)) {
                        debug!(error = %e, "a connection's timer failed");
                        errors += 1;
                    }
                }
                Ok(Output::Transmit(send)) => self.transmit(send.destination, send.contents.into(), out, notes, closed),
                Ok(Output::Event(Event::Closed)) => closed = true,
                Ok(Output::Event(event)) => self.event(event, notes),
                Err(e) => {
                    debug!(error = %e, "a connection failed");
                    errors += 1;
                }
            }
            if errors > ERRORS {
                return Err(Over::Broken);
            }
        }
        // Whatever it is busy with, the others come first.
        debug!(stream = %self.stream, "a connection finds no rest");
        self.next = now + Duration::from_millis(1);
        self.outcome(closed)
    }

    fn outcome(&self, closed: bool) -> Result<(), Over> {
        match (closed, self.rtc.is_alive()) {
            (true, _) => Err(Over::Closed),
            (false, false) => Err(Over::Broken),
            (false, true) => Ok(()),
        }
    }

    fn transmit(
        &mut self,
        to: std::net::SocketAddr,
        data: Vec<u8>,
        out: &mut Outbox,
        notes: &mut Vec<Note>,
        closed: bool,
    ) {
        let mut mark = None;
        match outgoing(&data) {
            Outgoing::Media { payload_type, marker: true, time } => {
                if self.video.as_ref().is_some_and(|track| *track.pt == payload_type) {
                    mark = Some(Mark { stream: self.stream, time });
                }
            }
            // Before anything of a medium was sent, its sender report would tell a false time, and a receiver that
            // believes it is out of sync for many seconds.
            Outgoing::Report if !closed && !self.begun() => return,
            Outgoing::Request => notes.push(Note::Tried(to)),
            Outgoing::Media { .. } | Outgoing::Report | Outgoing::Else => {}
        }
        out.push(Datagram { to, data, stream: self.stream, mark });
    }

    fn begun(&self) -> bool {
        self.video.iter().chain(&self.audio).all(|track| track.begun)
    }

    fn event(&mut self, event: Event, notes: &mut Vec<Note>) {
        match event {
            Event::Connected if !self.connected => notes.push(Note::Connected),
            Event::KeyframeRequest(_) => notes.push(Note::KeyFrame),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, can_probe: true }) => {
                self.estimate.measured(estimate.as_u64(), self.start);
                notes.push(Note::Bandwidth);
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                self.estimate.said(estimate.as_u64());
                notes.push(Note::Bandwidth);
            }
            Event::MediaData(media)
                if Some(media.mid) == self.microphone && media.params.spec().codec == Codec::Opus =>
            {
                notes.push(Note::Sound {
                    data: Bytes::from_owner(media.data),
                    time: media.time.rebase(Frequency::FORTY_EIGHT_KHZ).numer(),
                    contiguous: media.contiguous,
                    arrived: media.network_time,
                });
            }
            _ => {}
        }
    }
}

fn write(rtc: &mut Rtc, track: &mut ViewerTrack, encoded: &Encoded, clock: Frequency) -> bool {
    let Some(writer) = rtc.writer(track.mid) else { return false };
    let time = MediaTime::new(encoded.time, clock);
    match writer.write(track.pt, encoded.captured, time, Arc::clone(&encoded.data)) {
        Ok(()) => {
            track.begun = true;
            true
        }
        Err(e) => {
            debug!(error = %e, "media was refused");
            false
        }
    }
}
