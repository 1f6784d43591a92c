//! A running `faultbook serve`, and connections to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::time::Duration;

use libtest_mimic::Failed;
use tempfile::TempDir;

use super::process;

/// A service on a port and a socket of its own; ends with the value.
pub struct Service {
    child: Child,
    folder: TempDir,
    address: String,
}

/// A connection that asks one thing after the other.
pub struct Connection {
    stream: BufReader<Box<dyn Stream>>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

pub trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Service {
    /// Starts a service; the arguments come behind those that say where it listens.
    pub fn start(arguments: &[&str]) -> Result<Self, Failed> {
        let folder = TempDir::new()?;
        let socket = folder.path().join("faultbook.sock");
        let socket = socket.to_str().ok_or("no path")?;
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--access-log", "off", "--socket", socket];
        let mut child = process::start(&[&fixed[..], arguments].concat())?;
        let mut said = BufReader::new(child.stderr.take().ok_or("no standard error")?);
        let mut line = String::new();
        let mut address = None;
        let mut all = String::new();
        while said.read_line(&mut line)? > 0 {
            all.push_str(&line);
            if let Some(place) = line.trim_end().strip_prefix("listening on http://") {
                address = Some(place.to_owned());
            }
            if line.starts_with("listening on unix:") {
                break;
            }
            line.clear();
        }
        // Whatever else it says must not stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let address = address.ok_or_else(|| format!("the service does not listen:\n{all}"))?;
        Ok(Self { child, folder, address })
    }

    pub fn connect(&self) -> Result<Connection, Failed> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(Box::new(stream)) })
    }

    pub fn connect_to_socket(&self) -> Result<Connection, Failed> {
        let stream = UnixStream::connect(self.folder.path().join("faultbook.sock"))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Connection { stream: BufReader::new(Box::new(stream)) })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Connection {
    /// Sends a body and waits for the answer.
    pub fn post(&mut self, path: &str, media_type: &str, body: &str) -> Result<Answer, Failed> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer, Failed> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
        let mut length = None;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = Some(value.parse::<usize>()?),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = Vec::new();
        match length {
            Some(length) => {
                body.resize(length, 0);
                self.stream.read_exact(&mut body)?;
            }
            None => self.chunks(&mut body)?,
        }
        Ok(Answer { status, body: String::from_utf8(body)? })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), Failed> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim_end(), 16)?;
            let start = body.len();
            body.resize(start + size + 2, 0);
            self.stream.read_exact(&mut body[start..])?;
            body.truncate(start + size);
            if size == 0 {
                return Ok(());
            }
        }
    }
}

impl Answer {
    /// The body of an answer that all is well.
    pub fn ok(self) -> Result<String, Failed> {
        if self.status == 200 { Ok(self.body) } else { Err(format!("{}: {}", self.status, self.body).into()) }
    }
}
