//! A web server that takes messages, or does not: real sockets, and everything it was sent is kept.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// What it does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Answers with this status and one more line of head.
    With(u16, String),
    /// Reads, and never answers.
    Hang,
    /// Closes the connection without a word.
    Close,
    /// Answers with something that is no HTTP.
    Noise,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `POST /hook HTTP/1.1`.
    pub line: String,
    /// Its other lines, as sent.
    pub head: Vec<String>,
    /// Its body.
    pub body: String,
}

impl Request {
    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Request>>,
    /// Replies to come, then `usual` for ever.
    next: Mutex<VecDeque<Reply>>,
    usual: Mutex<Option<Reply>>,
    /// Connections that hang.
    held: Mutex<Vec<TcpStream>>,
    over: AtomicBool,
}

/// The server; ends when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Default for Receiver {
    fn default() -> Self {
        Receiver::new()
    }
}

impl Receiver {
    /// One that answers 200 to everything.
    ///
    /// # Panics
    /// Where no port can be had.
    #[must_use]
    pub fn new() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ours.over.load(Ordering::SeqCst) {
                    return;
                }
                let ours = Arc::clone(&ours);
                // One that breaks off is none of ours.
                std::thread::spawn(move || drop(serve(stream, &ours)));
            }
        });
        Receiver { address, shared }
    }

    /// `http://127.0.0.1:PORT` with this path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// From now on it does this.
    pub fn always(&self, reply: Reply) {
        lock(&self.shared.next).clear();
        *lock(&self.shared.usual) = Some(reply);
    }

    /// The next requests get these, one each.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.next).extend(replies);
    }

    /// Connections that hang get this status, and one line of the head.
    pub fn answer_those_that_hang(&self, status: u16, line: &str) {
        for mut stream in lock(&self.shared.held).drain(..) {
            // One that was given up is none of ours.
            let _ = answer(&mut stream, status, &format!("{line}\r\n"));
        }
    }

    /// What came so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        lock(&self.shared.seen).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // The listener wakes by one more connection; where that fails it has gone already.
        let _ = TcpStream::connect(self.address);
        lock(&self.shared.held).clear();
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut next = String::new();
        reader.read_line(&mut next)?;
        let next = next.trim_end();
        if next.is_empty() {
            break;
        }
        if let Some((name, value)) = next.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push(next.to_owned());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let reply = lock(&shared.next).pop_front().or_else(|| lock(&shared.usual).clone()).unwrap_or(Reply::Status(200));
    lock(&shared.seen).push(Request { line: line.trim_end().to_owned(), head, body });
    match reply {
        Reply::Status(status) => answer(&mut stream, status, ""),
        Reply::With(status, line) => answer(&mut stream, status, &format!("{line}\r\n")),
        Reply::Hang => {
            lock(&shared.held).push(stream);
            Ok(())
        }
        Reply::Close => Ok(()),
        Reply::Noise => stream.write_all(b"\x00\x01 hello\r\n\r\n"),
    }
}

fn answer(stream: &mut TcpStream, status: u16, more: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
