//! A web server with one file, and its faults.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What becomes of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serve {
    /// The file, or the part of it that is asked for.
    Right,
    /// The whole file, whatever part is asked for.
    Whole,
    /// The same, but the connection breaks when so many bytes were sent.
    Breaks(usize),
    /// A status and nothing else.
    Status(u16),
    /// Another file of the same size.
    Other,
    /// A file ten times as large.
    Huge,
}

/// A server on a port of 127.0.0.1; it ends with the test's process.
#[derive(Clone)]
pub struct FileServer {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    /// Serves `file`: the first connections as `plan` says, all others as its last entry does.
    pub fn new(file: Vec<u8>, plan: Vec<Serve>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), seen: Arc::default() };
        let seen = Arc::clone(&server.seen);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let how = plan[n.min(plan.len() - 1)];
                // A client that goes away is what some of the tests are about.
                let _ = answer(stream.unwrap(), &file, how, &seen);
            }
        });
        server
    }

    /// Where the file is, and anything else too.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// What was asked: the path, and the first byte if only a part was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, file: &[u8], how: Serve, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (mut from, mut path) = (0, String::new());
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(asked) = line.strip_prefix("get ") {
            path = asked.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(part) = line.strip_prefix("range: bytes=") {
            from = part.trim_end_matches('-').parse().unwrap();
        }
    }
    seen.lock().unwrap().push(if from > 0 { format!("{path} from {from}") } else { path });
    let other: Vec<u8> = file.iter().map(|byte| byte ^ 1).collect();
    let huge = file.repeat(10);
    let (body, from) = match how {
        Serve::Status(code) => {
            return write!(stream, "HTTP/1.1 {code} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Serve::Other => (&other[..], from),
        Serve::Huge => (&huge[..], 0),
        Serve::Whole => (file, 0),
        Serve::Right | Serve::Breaks(_) => (file, from),
    };
    let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nETag: \"one\"\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len() - from
    )?;
    if from > 0 {
        write!(stream, "Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len())?;
    }
    stream.write_all(b"\r\n")?;
    let rest = &body[from..];
    let sent = if let Serve::Breaks(after) = how { after.min(rest.len()) } else { rest.len() };
    stream.write_all(&rest[..sent])
}
