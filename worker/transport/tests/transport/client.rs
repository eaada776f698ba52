//! A viewer: a connection of its own, as a browser would have it.

use super::picture;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub video: bool,
    pub audio: bool,
    pub microphone: bool,
    pub data: bool,
}

impl Wish {
    pub const BOTH: Self = Self { video: true, audio: true, microphone: false, data: false };
    pub const SPEAKER: Self = Self { microphone: true, ..Self::BOTH };
}

/// A frame that came.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    pub at: Instant,
    /// RTP time.
    pub time: u64,
    /// Written into the picture by whoever drew it.
    pub number: u64,
    pub key: bool,
}

/// A sender report that came.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    pub at: Instant,
    pub video: bool,
    pub wall: SystemTime,
    pub time: u64,
}

pub struct Client {
    pub name: u128,
    pub addr: SocketAddr,
    pub rtc: Rtc,
    pub tag: String,
    pub answer: String,
    pending: Option<SdpPendingOffer>,
    pub deadline: Instant,
    pub connected: Option<Instant>,
    pub closed: bool,
    /// Asks for a key frame when a picture cannot be decoded.
    pub asks: bool,
    pub requests: usize,
    video: Option<Mid>,
    audio: Option<Mid>,
    pub frames: Vec<Frame>,
    pub sounds: Vec<(Instant, u64)>,
    pub reports: Vec<Report>,
    pub out: VecDeque<(SocketAddr, Vec<u8>)>,
    pub busy: Instant,
    pub speaks_from: Option<Instant>,
    pub spoken: u64,
}

impl Client {
    pub fn new(now: Instant, name: u128, addr: SocketAddr) -> Self {
        let mut rtc =
            Rtc::builder().clear_codecs().enable_vp8(true).enable_h264(true).enable_opus(true, false).build(now);
        rtc.add_local_candidate(Candidate::host(addr, "udp").unwrap());
        Self {
            name,
            addr,
            rtc,
            tag: String::new(),
            answer: String::new(),
            pending: None,
            deadline: now,
            connected: None,
            closed: false,
            asks: true,
            requests: 0,
            video: None,
            audio: None,
            frames: Vec::new(),
            sounds: Vec::new(),
            reports: Vec::new(),
            out: VecDeque::new(),
            busy: now,
            speaks_from: None,
            spoken: 0,
        }
    }

    pub fn offer(&mut self, wish: Wish) -> String {
        let mut api = self.rtc.sdp_api();
        if wish.video {
            self.video = Some(api.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None));
        }
        if wish.audio || wish.microphone {
            let direction = match (wish.audio, wish.microphone) {
                (true, true) => Direction::SendRecv,
                (true, false) => Direction::RecvOnly,
                _ => Direction::SendOnly,
            };
            self.audio = Some(api.add_media(MediaKind::Audio, direction, None, None, None));
        }
        if wish.data {
            api.add_channel("control".to_owned());
        }
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    /// An offer that begins ICE again.
    pub fn offer_again(&mut self) -> String {
        let mut api = self.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    pub fn accept(&mut self, answer: &str) {
        answer.clone_into(&mut self.answer);
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
    }

    pub fn receive(&mut self, now: Instant, source: SocketAddr, data: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.addr, data) else { return };
        self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
        self.work(now);
    }

    /// One packet of what it says, every 20 ms once it began.
    pub fn speak(&mut self, now: Instant) {
        let (Some(start), Some(audio)) = (self.speaks_from, self.audio) else { return };
        while self.connected.is_some() && start + Duration::from_millis(20) * self.spoken as u32 <= now {
            let Some(writer) = self.rtc.writer(audio) else { return };
            let pt = writer.payload_params().find(|p| p.spec().codec == Codec::Opus).unwrap().pt();
            let time = MediaTime::new(self.spoken * 960, Frequency::FORTY_EIGHT_KHZ);
            writer.write(pt, now, time, picture::sound(self.spoken)).unwrap();
            self.spoken += 1;
            self.work(now);
        }
    }

    pub fn next_word(&self) -> Option<Instant> {
        self.speaks_from
            .filter(|_| self.connected.is_some())
            .map(|at| at + Duration::from_millis(20) * self.spoken as u32)
    }

    pub fn hang_up(&mut self, now: Instant) {
        self.speaks_from = None;
        self.rtc.close().unwrap();
        self.work(now);
    }

    pub fn work(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) if at > now => {
                    self.deadline = at;
                    return;
                }
                Ok(Output::Timeout(_)) => self.rtc.handle_input(Input::Timeout(now)).unwrap(),
                Ok(Output::Transmit(send)) => self.out.push_back((send.destination, send.contents.into())),
                Ok(Output::Event(event)) => self.event(now, event),
                Err(_) => self.closed = true, // no handshake in time
            }
        }
    }

    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => self.connected = Some(now),
            Event::Closed => self.closed = true,
            Event::MediaData(media) if Some(media.mid) == self.video => {
                let Some((number, key)) = picture::read(&media.data) else { panic!("a picture was damaged") };
                self.frames.push(Frame { at: now, time: media.time.numer(), number, key });
                if !media.contiguous && !key && self.asks && self.frames.len() > 1 {
                    self.ask();
                }
            }
            Event::MediaData(media) => {
                let number = picture::heard(&media.data).unwrap();
                assert_eq!(media.time.numer() as u32, (number * 960) as u32);
                self.sounds.push((now, media.time.numer()));
            }
            Event::SenderFeedback(report) => {
                let (wall, time) = (report.sender_info.ntp_time, report.sender_info.rtp_time.numer());
                self.reports.push(Report { at: now, video: Some(report.mid) == self.video, wall, time });
            }
            _ => {}
        }
    }

    pub fn ask(&mut self) {
        let mut writer = self.rtc.writer(self.video.unwrap()).unwrap();
        writer.request_keyframe(None, KeyframeRequestKind::Pli).unwrap();
        self.requests += 1;
    }
}

impl Client {
    /// Says that it bears no more (REMB).
    pub fn limit(&mut self, bits: u64) {
        let video = self.video.unwrap();
        let mut api = self.rtc.direct_api();
        api.stream_rx_by_mid(video, None).unwrap().request_remb(str0m::bwe::Bitrate::bps(bits));
    }
}
