//! Clients on real sockets, all driven by one thread.

use super::client::{Client, Wish};
use super::picture;
use bytes::Bytes;
use mouthpiece_transport::{
    AudioPacket, OutgoingStream, StreamEvent, StreamParams, Transport, TransportSettings, VideoFrame,
};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Whatever is waited for comes long before.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn settings() -> TransportSettings {
    TransportSettings {
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        addresses: vec![],
        public: true,
        stun: None,
        max_viewers: 100,
        max_viewers_per_stream: 100,
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A session that shows and speaks in real time, as long as somebody calls `perform`.
pub struct Session {
    pub stream: OutgoingStream,
    pub events: Receiver<StreamEvent>,
    pub seen: Vec<StreamEvent>,
    start: Instant,
    frames: u64,
    packets: u64,
    key: bool,
    size: usize,
}

impl Session {
    pub fn open(transport: &Transport, bits: usize) -> Self {
        let (sink, events) = channel();
        let params = StreamParams { fps: 25, bitrate: [200_000, 1_500_000] };
        let stream = transport.open(params, Box::new(move |event| drop(sink.send(event)))).unwrap();
        let size = bits / 25 / 8;
        Self { stream, events, seen: vec![], start: Instant::now(), frames: 0, packets: 0, key: true, size }
    }

    pub fn perform(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.key |= event == StreamEvent::KeyFrameWanted;
            self.seen.push(event);
        }
        while self.start + Duration::from_millis(40) * self.frames as u32 <= Instant::now() {
            let pts = Duration::from_millis(40) * self.frames as u32;
            let key = std::mem::take(&mut self.key);
            let data = picture::frame(self.frames, key, self.size * if key { 4 } else { 1 });
            assert!(self.stream.video(VideoFrame { data, key, pts, captured: self.start + pts }));
            self.frames += 1;
        }
        while self.start + Duration::from_millis(20) * self.packets as u32 <= Instant::now() {
            let pts = Duration::from_millis(20) * self.packets as u32;
            let data = Bytes::copy_from_slice(&picture::sound(self.packets));
            assert!(self.stream.audio(AudioPacket { data, pts, captured: self.start + pts }));
            self.packets += 1;
        }
    }
}

/// A client and its socket.
pub struct Caller {
    pub client: Client,
    socket: UdpSocket,
}

impl Caller {
    pub fn call(transport: &Transport, session: &Session, name: u128, wish: Wish) -> Self {
        Self::call_from(UdpSocket::bind("127.0.0.1:0").unwrap(), transport, session, name, wish)
    }

    pub fn call_from(socket: UdpSocket, transport: &Transport, session: &Session, name: u128, wish: Wish) -> Self {
        socket.set_nonblocking(true).unwrap();
        let mut client = Client::new(Instant::now(), name, socket.local_addr().unwrap());
        let offer = client.offer(wish);
        let answered = runtime().block_on(transport.offer(session.stream.id(), name, offer)).unwrap();
        client.accept(&answered.sdp);
        client.tag = answered.tag;
        Self { client, socket }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn work(&mut self) {
        let mut buffer = [0; 2048];
        while let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
            self.client.receive(Instant::now(), source, &buffer[..length]);
        }
        let now = Instant::now();
        self.client.speak(now);
        if self.client.deadline <= now {
            self.client.work(now);
        }
        while let Some((to, data)) = self.client.out.pop_front() {
            let _ = self.socket.send_to(&data, to);
        }
    }
}

/// Drives all of them until something is so.
pub fn drive(sessions: &mut [Session], callers: &mut [Caller], until: impl Fn(&[Session], &[Caller]) -> bool) {
    let end = Instant::now() + PATIENCE;
    while !until(sessions, callers) {
        assert!(Instant::now() < end, "it never came to that");
        sessions.iter_mut().for_each(Session::perform);
        callers.iter_mut().for_each(Caller::work);
        std::thread::sleep(Duration::from_millis(1));
    }
}
