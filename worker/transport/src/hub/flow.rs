//! Media and packets through a hub, and what follows from them.

use super::channel::Early;
use super::deadlines::Who;
use super::viewer::{Encoded, Note, Over};
use super::{Hub, Key};
use crate::events::{LeftWhy, StreamEvent};
use crate::media::{AudioPacket, VideoFrame, ticks};
use crate::settings::StreamId;
use crate::stun;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use str0m::Input;
use str0m::net::{Protocol, Receive};
use tracing::{debug, error};

impl Hub {
    /// A video frame of a stream, for all who watch it.
    pub fn video(&mut self, now: Instant, id: StreamId, frame: VideoFrame) {
        let Some(channel) = self.streams.get_mut(&id) else { return };
        if frame.captured <= now {
            return self.show(now, id, &frame);
        }
        let early = channel.held.keep(frame.captured, Early::Video(frame));
        self.later(now, id, early);
    }

    /// A packet of a stream's sound, for all who watch it.
    pub fn audio(&mut self, now: Instant, id: StreamId, packet: AudioPacket) {
        let Some(channel) = self.streams.get_mut(&id) else { return };
        if packet.captured <= now {
            return self.sound(now, id, &packet);
        }
        let early = channel.held.keep(packet.captured, Early::Audio(packet));
        self.later(now, id, early);
    }

    /// Video of a stream was lost before it came here: nobody can decode what follows until a key frame.
    pub fn torn(&mut self, now: Instant, id: StreamId) {
        let Some(channel) = self.streams.get(&id) else { return };
        let mut anybody = false;
        for key in &channel.viewers {
            if let Some(viewer) = self.viewers.get_mut(key) {
                viewer.wants_key |= viewer.video.is_some();
                anybody |= viewer.connected && viewer.wants_key;
            }
        }
        if anybody {
            self.want_key(now, id);
        }
    }

    /// A datagram from the network.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) {
        self.counts.packets_in += 1;
        if self.deliver(now, source, datagram).is_none() {
            self.counts.noise += 1;
        }
    }

    /// None where it is nobody's.
    fn deliver(&mut self, now: Instant, source: SocketAddr, datagram: &[u8]) -> Option<()> {
        let kind = stun::kind(datagram);
        let key = match kind {
            stun::DatagramKind::Request(fragment) => self.routes.fragment(fragment)?,
            stun::DatagramKind::Stun | stun::DatagramKind::Other => self.routes.address(source)?,
        };
        let local = self.local(source)?;
        let viewer = self.viewers.get_mut(&key)?;
        let is_request = matches!(kind, stun::DatagramKind::Request(_));
        let input = parsed(|| {
            let input = Input::Receive(now, Receive::new(Protocol::Udp, source, local, datagram).ok()?);
            // Its integrity is checked in there. Only then is the viewer known to be at that address.
            (!is_request || viewer.rtc.accepts(&input)).then_some(input)
        })?;
        if is_request {
            self.routes.proven(key, source);
        }
        viewer.heard = now;
        self.work(now, key, Some(input));
        Some(())
    }

    /// Lets a viewer's connection work, and does what follows.
    pub(super) fn work(&mut self, now: Instant, key: Key, input: Option<Input<'_>>) {
        let Some(viewer) = self.viewers.get_mut(&key) else { return };
        let mut notes = std::mem::take(&mut self.notes);
        let result = viewer.work(now, input, &mut self.out, &mut notes);
        self.deadlines.set(Who::Viewer(key), Some(viewer.deadline()));
        for note in notes.drain(..) {
            self.note(now, key, note);
        }
        self.notes = notes;
        match result {
            Ok(()) => {}
            Err(Over::Closed) => self.remove(now, key, LeftWhy::HungUp, false),
            Err(Over::Broken) => self.remove(now, key, LeftWhy::Failed, false),
        }
    }

    pub(super) fn wake_viewer(&mut self, now: Instant, key: Key) {
        match self.viewers.get(&key) {
            None => self.deadlines.set(Who::Viewer(key), None),
            Some(viewer) if !viewer.expired(now) => self.work(now, key, None),
            Some(viewer) => {
                let why = if viewer.connected { LeftWhy::Gone } else { LeftWhy::NeverCame };
                self.remove(now, key, why, true);
            }
        }
    }

    pub(super) fn wake_stream(&mut self, now: Instant, id: StreamId) {
        while let Some(early) = self.streams.get_mut(&id).and_then(|channel| channel.held.take(now)) {
            self.pass(now, id, early);
        }
        if self.streams.get(&id).and_then(|channel| channel.key_frames.due()).is_some_and(|due| due <= now) {
            self.want_key(now, id);
        }
        self.set_deadline(id);
    }

    /// A viewer is no more.
    pub(super) fn remove(&mut self, now: Instant, key: Key, why: LeftWhy, farewell: bool) {
        let Some(mut viewer) = self.viewers.remove(&key) else { return };
        if farewell {
            viewer.close(now, &mut self.out);
        }
        let (id, name) = (viewer.stream, viewer.name);
        self.routes.forget(key);
        self.names.remove(&(id, name));
        self.deadlines.set(Who::Viewer(key), None);
        let Some(channel) = self.streams.get_mut(&id) else { return };
        channel.viewers.retain(|other| *other != key);
        if channel.microphone == Some(key) {
            let viewers = &self.viewers;
            let speaks = |key: &Key| viewers.get(key).is_some_and(|v| v.connected && v.microphone.is_some());
            channel.microphone = channel.viewers.iter().copied().find(speaks);
            self.events.push((id, StreamEvent::MicrophoneGone { viewer: name }));
        }
        if channel.viewers.is_empty() {
            channel.key_frames.came(); // nobody waits any more
        }
        self.set_deadline(id);
        self.events.push((id, StreamEvent::Left { viewer: name, why }));
        self.tell_bitrate(id);
        debug!(stream = %id, viewer = %format_args!("{name:032x}"), ?why, "a viewer left");
    }

    fn note(&mut self, now: Instant, key: Key, note: Note) {
        let Some(viewer) = self.viewers.get_mut(&key) else { return };
        let (id, name) = (viewer.stream, viewer.name);
        match note {
            Note::Connected => {
                viewer.connected = true;
                let after = now.saturating_duration_since(viewer.born);
                viewer.heard = now;
                self.deadlines.set(Who::Viewer(key), Some(viewer.deadline()));
                let (shows, speaks) = (viewer.video.is_some(), viewer.microphone.is_some());
                self.counts.joined += 1;
                if let Some(channel) = self.streams.get_mut(&id)
                    && speaks
                {
                    channel.microphone.get_or_insert(key);
                }
                self.events.push((id, StreamEvent::Joined { viewer: name, after }));
                if shows {
                    self.want_key(now, id);
                }
            }
            Note::KeyFrame => self.want_key(now, id),
            Note::Bandwidth => self.tell_bitrate(id),
            Note::Tried(address) => self.routes.tried(key, address),
            Note::Sound { data, time, contiguous, arrived } => {
                if self.streams.get(&id).is_some_and(|channel| channel.microphone == Some(key)) {
                    let event = StreamEvent::Microphone { viewer: name, data, time, contiguous, arrived };
                    self.events.push((id, event));
                }
            }
        }
    }

    fn show(&mut self, now: Instant, id: StreamId, frame: &VideoFrame) {
        let Some(channel) = self.streams.get_mut(&id) else { return };
        let time = ticks(frame.pts, 90_000);
        let encoded = Encoded { data: frame.data[..].into(), time, captured: frame.captured.min(now) };
        let (mut went, mut waits) = (false, false);
        self.crowd.clone_from(&channel.viewers);
        for key in &self.crowd {
            if let Some(viewer) = self.viewers.get_mut(key) {
                went |= viewer.show(&encoded, frame.key);
                waits |= viewer.connected && viewer.wants_key;
            }
        }
        if went {
            channel.frame(time as u32, frame.pts); // RTP time wraps
        }
        if frame.key {
            channel.key_frames.came();
            self.set_deadline(id);
        } else if waits && channel.key_frames.overdue(now) {
            self.want_key(now, id);
        }
        self.work_crowd(now);
    }

    fn sound(&mut self, now: Instant, id: StreamId, packet: &AudioPacket) {
        let Some(channel) = self.streams.get(&id) else { return };
        let time = ticks(packet.pts, 48_000);
        let encoded = Encoded { data: packet.data[..].into(), time, captured: packet.captured.min(now) };
        self.crowd.clone_from(&channel.viewers);
        self.crowd.retain(|key| self.viewers.get_mut(key).is_some_and(|viewer| viewer.sound(&encoded)));
        self.work_crowd(now);
    }

    fn work_crowd(&mut self, now: Instant) {
        let crowd = std::mem::take(&mut self.crowd);
        for key in &crowd {
            self.work(now, *key, None);
        }
        self.crowd = crowd;
    }

    fn later(&mut self, now: Instant, id: StreamId, early: Option<Early>) {
        match early {
            Some(too_much) => self.pass(now, id, too_much),
            None => self.set_deadline(id),
        }
    }

    fn pass(&mut self, now: Instant, id: StreamId, early: Early) {
        match early {
            Early::Video(frame) => self.show(now, id, &frame),
            Early::Audio(packet) => self.sound(now, id, &packet),
        }
    }

    fn want_key(&mut self, now: Instant, id: StreamId) {
        if let Some(channel) = self.streams.get_mut(&id) {
            if channel.key_frames.want(now) {
                self.events.push((id, StreamEvent::KeyFrameWanted));
            }
            self.set_deadline(id);
        }
    }

    fn tell_bitrate(&mut self, id: StreamId) {
        let Some(channel) = self.streams.get_mut(&id) else { return };
        let connected = channel.viewers.iter().filter_map(|key| self.viewers.get(key)).filter(|v| v.connected);
        let least = connected.filter_map(|viewer| viewer.estimate.video()).min();
        if let Some(rate) = least.and_then(|least| channel.told.news(least)) {
            self.events.push((id, StreamEvent::Bitrate(rate)));
        }
    }

    fn set_deadline(&mut self, id: StreamId) {
        let due = self.streams.get(&id).and_then(|channel| channel.due());
        self.deadlines.set(Who::Stream(id), due);
    }
}

/// Reads what a stranger wrote. Where that makes the reader panic, it is noise.
fn parsed<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        error!("a datagram made its parser panic");
        None
    })
}
