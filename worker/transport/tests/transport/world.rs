//! A hub, its clients, the network between them, and a clock that is only turned forward by what happens.

use super::client::{Client, Wish};
use super::network::{Link, Network};
use super::picture;
use bytes::Bytes;
use mouthpiece_transport::hub::{Advertised, Hub, HubSettings};
use mouthpiece_transport::{AudioPacket, SignalError, StreamEvent, StreamId, StreamParams, VideoFrame};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub const FPS: u64 = 25;
pub const STREAM: StreamId = StreamId(1);
pub const BOUNDS: [u32; 2] = [200_000, 1_500_000];

pub fn server() -> SocketAddr {
    "192.0.2.1:5000".parse().unwrap()
}

/// A session that shows and speaks.
pub struct Show {
    pub id: StreamId,
    pub started: Option<Instant>,
    pub frames: u64,
    pub packets: u64,
    pub key_wanted: bool,
    /// Obeyed when the network says so.
    pub bitrate: u32,
    /// Key frames are so many times larger.
    pub key_weight: f64,
    /// How late media is handed in.
    pub late: Duration,
    pub video: bool,
}

pub struct World {
    pub now: Instant,
    pub start: Instant,
    pub hub: Hub,
    pub clients: Vec<Client>,
    pub shows: Vec<Show>,
    pub up: Link,
    pub down: Link,
    pub network: Network,
    pub events: Vec<(Instant, StreamId, StreamEvent)>,
    /// When frames were handed in and when their last packet left: a number each.
    pub sent: Vec<(Duration, Instant)>,
    busy: Vec<Instant>,
    came: usize,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, HubSettings { lite: false, max_viewers: 2000, max_viewers_per_stream: 2000 })
    }

    pub fn with(seed: u64, settings: HubSettings) -> Self {
        let now = Instant::now();
        let mut hub = Hub::new(settings, vec![Advertised::host(server())]).unwrap();
        hub.open(STREAM, StreamParams { fps: FPS as u32, bitrate: BOUNDS });
        let show = Show {
            id: STREAM,
            started: Some(now),
            frames: 0,
            packets: 0,
            key_wanted: true,
            bitrate: 800_000,
            key_weight: 4.0,
            late: Duration::ZERO,
            video: true,
        };
        Self {
            now,
            start: now,
            hub,
            clients: Vec::new(),
            shows: vec![show],
            up: Link::good(),
            down: Link::good(),
            network: Network::new(seed),
            events: Vec::new(),
            sent: Vec::new(),
            busy: Vec::new(),
            came: 0,
        }
    }

    /// A client that has its answer; its index.
    pub fn join(&mut self, wish: Wish) -> usize {
        self.try_join(STREAM, wish).unwrap()
    }

    pub fn try_join(&mut self, stream: StreamId, wish: Wish) -> Result<usize, SignalError> {
        let number = self.came;
        let addr = SocketAddr::from(([198, 51, (number >> 8) as u8, number as u8], 4000));
        let mut client = Client::new(self.now, number as u128, addr);
        let offer = client.offer(wish);
        let answered = self.hub.offer(self.now, stream, client.name, &offer)?;
        client.accept(&answered.sdp);
        client.tag = answered.tag;
        client.work(self.now);
        self.clients.push(client);
        self.busy.push(self.now);
        self.came += 1;
        self.flush();
        Ok(self.clients.len() - 1)
    }

    /// Lets go of all clients, which are not told.
    pub fn forget(&mut self) {
        self.clients.clear();
        self.busy.clear();
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Lets time pass until something is so; false when it never was.
    pub fn wait(&mut self, most: Duration, what: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + most;
        self.run_until(end, what)
    }

    pub fn connect(&mut self, client: usize) {
        // A handshake repeats a lost flight after 1, 2, 4, 8 ... seconds.
        assert!(self.wait(Duration::from_secs(90), |w| w.clients[client].connected.is_some()), "never connected");
    }

    pub fn events_of(&self, fits: impl Fn(&StreamEvent) -> bool) -> usize {
        self.events.iter().filter(|(_, _, event)| fits(event)).count()
    }

    fn run_until(&mut self, end: Instant, what: impl Fn(&Self) -> bool) -> bool {
        loop {
            if what(self) {
                return true;
            }
            let clients = self.clients.iter().flat_map(|c| [Some(c.deadline), c.next_word()]).flatten();
            let shows = self.shows.iter().filter_map(Show::next);
            let next = clients.chain(shows).chain(self.network.next()).chain(self.hub.deadline()).min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => {
                    self.now = end;
                    return what(self);
                }
            }
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some((from, to, data)) = self.network.arrival(now) {
            if to == server() {
                self.hub.receive(now, from, &data);
            } else if let Some(client) = self.clients.iter_mut().find(|c| c.addr == to) {
                client.receive(now, from, &data);
            }
        }
        for client in &mut self.clients {
            client.speak(now);
            if client.deadline <= now {
                client.work(now);
            }
        }
        self.hub.tick(now);
        self.flush();
        for at in 0..self.shows.len() {
            self.perform(at);
        }
    }

    fn perform(&mut self, at: usize) {
        while let Some(show) = self.shows.get_mut(at).filter(|show| show.next().is_some_and(|next| next <= self.now)) {
            let (id, start) = (show.id, show.started.unwrap());
            let (video_at, audio_at) = (video_pts(show.frames), audio_pts(show.packets));
            if show.video && video_at <= audio_at {
                let key = std::mem::take(&mut show.key_wanted);
                let size = f64::from(show.bitrate) / FPS as f64 / 8.0 * if key { show.key_weight } else { 1.0 };
                let data = picture::frame(show.frames, key, size as usize);
                let frame = VideoFrame { data, key, pts: video_at, captured: start + video_at };
                show.frames += 1;
                self.hub.video(self.now, id, frame);
            } else {
                let data = Bytes::copy_from_slice(&picture::sound(show.packets));
                let packet = AudioPacket { data, pts: audio_at, captured: start + audio_at };
                show.packets += 1;
                self.hub.audio(self.now, id, packet);
            }
            self.flush();
        }
    }

    /// Carries everything that waits somewhere to the network.
    pub fn flush(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.hub.pop() {
            if let Some(mark) = datagram.mark {
                self.hub.handed(mark, now);
            }
            let at = self.clients.iter().position(|c| c.addr == datagram.to);
            if let Some(busy) = at.and_then(|at| self.busy.get_mut(at)) {
                self.network.send(now, self.down, busy, (server(), datagram.to), datagram.data);
            }
        }
        for client in &mut self.clients {
            while let Some((to, data)) = client.out.pop_front() {
                self.network.send(now, self.up, &mut client.busy, (client.addr, to), data);
            }
        }
        let mut events = Vec::new();
        self.hub.take_events(&mut events);
        for (id, event) in events {
            let show = self.shows.iter_mut().find(|show| show.id == id);
            match (&event, show) {
                (StreamEvent::KeyFrameWanted, Some(show)) => show.key_wanted = true,
                (StreamEvent::Bitrate(bits), Some(show)) => {
                    assert!((BOUNDS[0]..=BOUNDS[1]).contains(bits));
                    show.bitrate = *bits;
                }
                (StreamEvent::Sent { pts, at }, _) => self.sent.push((*pts, *at)),
                _ => {}
            }
            self.events.push((now, id, event));
        }
    }
}

impl Show {
    fn next(&self) -> Option<Instant> {
        let audio = audio_pts(self.packets);
        let pts = if self.video { video_pts(self.frames).min(audio) } else { audio };
        self.started.map(|start| start + pts + self.late)
    }
}

pub fn video_pts(frame: u64) -> Duration {
    Duration::from_nanos(frame * 1_000_000_000 / FPS)
}

pub fn audio_pts(packet: u64) -> Duration {
    Duration::from_millis(20) * packet as u32
}
