//! A WebSocket client in as few lines as it takes, so that it can also misbehave.

use crate::rig::{BOUND, Rig};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// What a client hears.
#[derive(Debug, PartialEq)]
pub enum Frame {
    Text(Value),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    /// The connection is over.
    End,
}

pub struct Ws {
    tcp: TcpStream,
    came: Vec<u8>,
    /// Pings are answered without being shown.
    pub polite: bool,
}

/// The head of a frame from a client: final, masked with zeros.
pub fn head(opcode: u8, length: u64) -> Vec<u8> {
    let mut head = vec![0x80 | opcode];
    match length {
        0..126 => head.push(0x80 | length as u8),
        126..65_536 => {
            head.push(0xfe);
            head.extend((length as u16).to_be_bytes());
        }
        _ => {
            head.push(0xff);
            head.extend(length.to_be_bytes());
        }
    }
    head.extend([0; 4]);
    head
}

impl Ws {
    /// Opens a socket at a path; the answer's head as text where it is refused.
    pub async fn open(rig: &Rig, path: &str, headers: &str) -> Result<Self, String> {
        Self::at(&rig.address, path, headers).await
    }

    /// The same at another address.
    pub async fn at(address: &str, path: &str, headers: &str) -> Result<Self, String> {
        let host = address.strip_prefix("http://").unwrap();
        let mut tcp = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(timeout(BOUND, tcp.read_u8()).await.unwrap().unwrap());
        }
        let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        // The key's answer as RFC 6455 has it in its example.
        let accepted = answer.starts_with("http/1.1 101 ")
            && answer.contains(&"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_ascii_lowercase());
        if accepted { Ok(Self { tcp, came: Vec::new(), polite: true }) } else { Err(answer) }
    }

    pub async fn send(&mut self, opcode: u8, content: &[u8]) {
        let frame = [&head(opcode, content.len() as u64)[..], content].concat();
        self.raw(&frame).await;
    }

    pub async fn text(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes()).await;
    }

    /// Bytes as they are. That the other side is gone is no fault here.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let _ = timeout(BOUND, self.tcp.write_all(bytes)).await.unwrap();
    }

    /// Writes, without reading, until the other side has closed the connection.
    pub async fn until_cut(&mut self) {
        let written = async {
            while self.tcp.write_all(&head(PONG, 0)).await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        timeout(BOUND, written).await.expect("the connection was not closed");
    }

    pub async fn next(&mut self) -> Frame {
        loop {
            let frame = timeout(BOUND, self.read()).await.expect("nothing came").unwrap_or(Frame::End);
            match frame {
                Frame::Ping(content) if self.polite => self.send(PONG, &content).await,
                frame => return frame,
            }
        }
    }

    /// Safe to cancel: what has come of a frame is kept.
    async fn read(&mut self) -> std::io::Result<Frame> {
        loop {
            if let Some((opcode, content)) = self.whole_frame() {
                return Ok(shown(opcode, &content));
            }
            if self.tcp.read_buf(&mut self.came).await? == 0 {
                return Ok(Frame::End);
            }
        }
    }

    /// Takes a frame that has come whole.
    fn whole_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (opcode, short) = (*self.came.first()? & 15, *self.came.get(1)?);
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b));
        let length = if extended == 0 { short.into() } else { number(self.came.get(2..2 + extended)?) };
        let (start, end) = (2 + extended, 2 + extended + length);
        let content = self.came.get(start..end)?.to_vec();
        self.came.drain(..end);
        Some((opcode, content))
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        match self.next().await {
            Frame::Text(event) => event,
            other => panic!("no event but {other:?}"),
        }
    }

    /// Reads to the end: the code and the reason that it was closed with.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Frame::Close(code, reason) => return (code, reason),
                Frame::End => return (1006, String::new()),
                _ => {}
            }
        }
    }
}

fn shown(opcode: u8, content: &[u8]) -> Frame {
    match opcode {
        TEXT => Frame::Text(serde_json::from_slice(content).unwrap()),
        PING => Frame::Ping(content.to_vec()),
        PONG => Frame::Pong(content.to_vec()),
        CLOSE if content.len() < 2 => Frame::Close(1005, String::new()),
        CLOSE => {
            let reason = String::from_utf8(content[2..].to_vec()).unwrap();
            Frame::Close(u16::from_be_bytes([content[0], content[1]]), reason)
        }
        other => panic!("a frame of kind {other}"),
    }
}
