//! Somebody who watches a live session, as a browser would.

use crate::farm::SOON;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::ViewerId;
use mouthpiece_domain::live::OfferToWatch;
use mouthpiece_ports::questions::{QuestionBus, ask_worker};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;

/// A viewer with a socket of its own.
pub struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    here: SocketAddr,
    frames: u64,
}

impl Viewer {
    /// Asks to see a session.
    pub async fn of(bus: &dyn QuestionBus, hold: Hold) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let here = socket.local_addr().unwrap();
        let mut rtc = Rtc::builder().clear_codecs().enable_h264(true).enable_opus(true, false).build(Instant::now());
        rtc.add_local_candidate(Candidate::host(here, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let question = OfferToWatch { viewer: ViewerId(7), sdp: offer.to_sdp_string() };
        let sdp = ask_worker(bus, hold, question, SOON).await.unwrap().unwrap().sdp;
        rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&sdp).unwrap()).unwrap();
        Self { rtc, socket, here, frames: 0 }
    }

    /// Watches until `enough`, which is told how many frames came.
    pub async fn watch_until(&mut self, what: &str, mut enough: impl FnMut(u64) -> bool) {
        let watching = async {
            while !enough(self.frames) {
                self.step().await;
            }
        };
        let came = tokio::time::timeout(SOON, watching).await;
        assert!(came.is_ok(), "{what} never came; {} frames did", self.frames);
    }

    async fn step(&mut self) {
        let due = loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(due) => break due,
                Output::Transmit(out) => drop(self.socket.send_to(&out.contents, out.destination).await),
                Output::Event(Event::MediaData(data)) => {
                    self.frames += u64::from(data.params.spec().codec == Codec::H264);
                }
                Output::Event(_) => {}
            }
        };
        let mut buffer = [0; 2000];
        tokio::select! {
            came = self.socket.recv_from(&mut buffer) => {
                let (length, source) = came.unwrap();
                let Ok(contents) = buffer[..length].try_into() else { return };
                let received = Receive { proto: Protocol::Udp, source, destination: self.here, contents };
                self.rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
            }
            () = tokio::time::sleep_until(due.into()) => self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
        }
    }
}
