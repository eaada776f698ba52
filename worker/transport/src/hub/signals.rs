//! What viewers ask for by other ways than the socket: to come, to be found, to begin again, to go.

use super::bitrate::{self, Estimate};
use super::deadlines::Who;
use super::viewer::{Viewer, ViewerTrack};
use super::{Hub, Key, rtc};
use crate::error::SignalError;
use crate::events::LeftWhy;
use crate::sdp::answer::Answer;
use crate::sdp::fragment::{self, Fragment};
use crate::sdp::offer::Offer;
use crate::sdp::{MAX_CANDIDATES, MediaKind, candidates};
use crate::settings::StreamId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use str0m::change::SdpOffer;
use str0m::format::{Codec, PayloadParams};
use str0m::media::Mid;
use str0m::{Candidate, Rtc};
use tracing::{debug, error};

/// The answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The session description.
    pub sdp: String,
    /// Names the ICE session; changes when it begins again.
    pub tag: String,
}

/// The answer to the wish to begin ICE again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restarted {
    /// Our side, `application/trickle-ice-sdpfrag`.
    pub fragment: String,
    /// Names the new ICE session.
    pub tag: String,
}

/// What came of an offer.
struct Negotiated {
    rtc: Rtc,
    answer: Answer,
    video: Option<ViewerTrack>,
    audio: Option<ViewerTrack>,
    microphone: Option<Mid>,
}

impl Hub {
    /// Answers a new viewer's offer. Whoever does not connect within 30 s is forgotten.
    ///
    /// # Errors
    /// [`SignalError`]; nothing is left of a viewer that was refused.
    pub fn offer(&mut self, now: Instant, stream: StreamId, viewer: u128, sdp: &str) -> Result<Answered, SignalError> {
        let channel = self.streams.get(&stream).ok_or(SignalError::NoStream)?;
        if self.names.contains_key(&(stream, viewer)) {
            return Err(SignalError::Unprocessable("this viewer has its answer already".to_owned()));
        }
        let settings = self.settings;
        if self.viewers.len() >= settings.max_viewers || channel.viewers.len() >= settings.max_viewers_per_stream {
            return Err(SignalError::Full);
        }
        let joins = channel.viewers.iter().any(|key| self.viewers.get(key).is_some_and(|v| v.connected));
        let start = bitrate::whole(channel.told.start(joins));
        let most = bitrate::whole(channel.params.bitrate[1]);
        let offer = guarded(|| Offer::read(sdp))?;
        let rtc = rtc::build(&self.config, start, most, now);
        let Negotiated { mut rtc, answer, video, audio, microphone } = guarded(|| self.negotiate(rtc, &offer))?;
        let tag = rtc.direct_api().local_ice_credentials().ufrag;
        self.keys += 1;
        let key = Key(self.keys);
        self.routes.named(key, &tag);
        self.names.insert((stream, viewer), key);
        let mut new = Viewer {
            name: viewer,
            stream,
            rtc: Box::new(rtc),
            peer: offer.fragment().to_owned(),
            candidates: 0,
            sections: answer.sections,
            offer,
            tag: tag.clone(),
            wants_key: video.is_some(),
            video,
            audio,
            microphone,
            connected: false,
            estimate: Estimate::default(),
            start,
            born: now,
            heard: now,
            next: now,
        };
        let known = std::mem::take(&mut new.offer.candidates);
        add(&mut new, known);
        self.viewers.insert(key, new);
        if let Some(channel) = self.streams.get_mut(&stream) {
            channel.viewers.push(key);
        }
        self.deadlines.set(Who::Viewer(key), Some(now));
        self.counts.answered += 1;
        self.work(now, key, None);
        Ok(Answered { sdp: answer.text, tag })
    }

    /// More candidates of a viewer.
    ///
    /// # Errors
    /// [`SignalError::StaleTag`] where `tag` names an ICE session that was replaced, and others.
    pub fn trickle(
        &mut self,
        now: Instant,
        stream: StreamId,
        viewer: u128,
        tag: &str,
        fragment: &str,
    ) -> Result<(), SignalError> {
        let key = self.key(stream, viewer)?;
        let viewer = self.viewers.get_mut(&key).ok_or(SignalError::NoViewer)?;
        if viewer.tag != tag {
            return Err(SignalError::StaleTag);
        }
        let fragment = guarded(|| Fragment::read(fragment))?;
        if fragment.credentials.is_some_and(|own| own.ufrag != viewer.peer) {
            let said = "ice-ufrag is not that of the offer; a restart is asked for with If-Match: \"*\"";
            return Err(SignalError::Unprocessable(said.to_owned()));
        }
        add(viewer, fragment.candidates);
        self.work(now, key, None);
        Ok(())
    }

    /// A viewer's ICE session begins again, for example because its network changed. Media goes on meanwhile.
    ///
    /// # Errors
    /// [`SignalError`]; the session before goes on.
    pub fn restart(
        &mut self,
        now: Instant,
        stream: StreamId,
        viewer: u128,
        text: &str,
    ) -> Result<Restarted, SignalError> {
        let key = self.key(stream, viewer)?;
        let viewer = self.viewers.get_mut(&key).ok_or(SignalError::NoViewer)?;
        let fragment = guarded(|| Fragment::read(text))?;
        let Some(theirs) = fragment.credentials else {
            return Err(SignalError::Unprocessable("a restart brings a=ice-ufrag and a=ice-pwd".to_owned()));
        };
        if theirs.ufrag == viewer.peer {
            return Err(SignalError::Unprocessable("a restart brings a new ice-ufrag".to_owned()));
        }
        let text = viewer.offer.text(Some(&theirs));
        guarded(|| accept(&mut viewer.rtc, &text))?;
        let ours = viewer.rtc.direct_api().local_ice_credentials();
        viewer.peer = theirs.ufrag;
        viewer.tag.clone_from(&ours.ufrag);
        viewer.candidates = 0;
        viewer.heard = now;
        add(viewer, fragment.candidates);
        self.routes.named(key, &ours.ufrag);
        let lines = candidates::attributes(&self.advertised);
        let fragment = fragment::restarted(&ours, self.settings.lite, &viewer.sections, &lines);
        self.work(now, key, None);
        Ok(Restarted { fragment, tag: ours.ufrag })
    }

    /// Sends a viewer away.
    ///
    /// # Errors
    /// [`SignalError::NoStream`], [`SignalError::NoViewer`].
    pub fn hang_up(&mut self, now: Instant, stream: StreamId, viewer: u128) -> Result<(), SignalError> {
        let key = self.key(stream, viewer)?;
        self.remove(now, key, LeftWhy::HungUp, true);
        Ok(())
    }

    fn key(&self, stream: StreamId, viewer: u128) -> Result<Key, SignalError> {
        if !self.streams.contains_key(&stream) {
            return Err(SignalError::NoStream);
        }
        self.names.get(&(stream, viewer)).copied().ok_or(SignalError::NoViewer)
    }

    fn negotiate(&self, mut rtc: Rtc, offer: &Offer) -> Result<Negotiated, SignalError> {
        for peer in ["0.0.0.0:1", "[::]:1"].into_iter().filter_map(|any| any.parse().ok()) {
            if let Some(candidate) = self.local(peer).and_then(|addr| Candidate::host(addr, "udp").ok()) {
                rtc.add_local_candidate(candidate);
            }
        }
        let raw = accept(&mut rtc, &offer.text(None))?;
        let answer = Answer::shape(&raw, &offer.form, &candidates::attributes(&self.advertised));
        let mid = |kind, sends: bool| {
            let fits = |d: crate::sdp::Direction| if sends { d.sends } else { d.receives };
            answer.active(kind).find(|s| fits(s.direction)).map(|s| Mid::from(s.mid.as_str()))
        };
        let video = mid(MediaKind::Video, true).and_then(|mid| track(&mut rtc, mid, Codec::H264));
        let audio = mid(MediaKind::Audio, true).and_then(|mid| track(&mut rtc, mid, Codec::Opus));
        let microphone = mid(MediaKind::Audio, false);
        if offer.wants(MediaKind::Video) && video.is_none() {
            return Err(SignalError::NoCodec(offer.lack_of_video().sentence().to_owned()));
        }
        if (offer.wants(MediaKind::Audio) && audio.is_none()) || (offer.speaks() && microphone.is_none()) {
            let said = "the offer has no Opus, and audio is nothing else: offer opus/48000/2";
            return Err(SignalError::NoCodec(said.to_owned()));
        }
        if let Some(track) = &video {
            rtc::tune(&mut rtc, track.mid);
        }
        Ok(Negotiated { rtc, answer, video, audio, microphone })
    }
}

/// A connection's own answer to an offer. What str0m says of one that it refuses is no sentence for a caller: it holds
/// addresses of memory and parts of the text.
fn accept(rtc: &mut Rtc, offer: &str) -> Result<String, SignalError> {
    let offer = SdpOffer::from_sdp_string(offer).map_err(|e| {
        debug!(error = %e, "an offer cannot be read");
        SignalError::Malformed("a section is not written as RFC 8866 and RFC 8829 have it".to_owned())
    })?;
    let answer = rtc.sdp_api().accept_offer(offer).map_err(|e| {
        debug!(error = %e, "an offer cannot be accepted");
        SignalError::Unprocessable("its ICE or DTLS attributes cannot be agreed with".to_owned())
    })?;
    Ok(answer.to_sdp_string())
}

fn track(rtc: &mut Rtc, mid: Mid, codec: Codec) -> Option<ViewerTrack> {
    let writer = rtc.writer(mid)?;
    let pt = writer.payload_params().find(|params| params.spec().codec == codec).map(PayloadParams::pt)?;
    Some(ViewerTrack { mid, pt, begun: false })
}

fn add(viewer: &mut Viewer, candidates: Vec<Candidate>) {
    let room = MAX_CANDIDATES.saturating_sub(viewer.candidates);
    for candidate in candidates.into_iter().take(room) {
        debug!(stream = %viewer.stream, %candidate, "a candidate");
        viewer.candidates += 1;
        viewer.rtc.add_remote_candidate(candidate);
    }
}

/// Negotiates without letting a panic out: offers are made by strangers.
fn guarded<T>(negotiate: impl FnOnce() -> Result<T, SignalError>) -> Result<T, SignalError> {
    catch_unwind(AssertUnwindSafe(negotiate)).unwrap_or_else(|_| {
        error!("a description made the negotiation panic");
        Err(SignalError::Unprocessable("this description cannot be negotiated".to_owned()))
    })
}
