//! A running `fkm dev`: its folder, its log, a small HTTP client.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::KEY;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `fkm dev`. Dropping it ends it.
pub(crate) struct Dev {
    child: Child,
    pub(crate) llm: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) probe: SocketAddr,
    root: TempDir,
    lines: Receiver<String>,
    seen: RefCell<Vec<String>>,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fkm"));
    command.args(arguments).env_clear().env("CANARY", KEY);
    command
}

/// Runs to the end; the exit code and all that was written.
pub(crate) fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

// === impl Dev ===

impl Dev {
    /// Starts on free ports, with these files; returns when it listens.
    pub(crate) fn start(files: &[(&str, &str)], flags: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("manifests");
        fs::create_dir(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let any = "127.0.0.1:0";
        let mut arguments = vec!["dev", folder.to_str().unwrap(), "--listen", any];
        arguments.extend(["--admin-listen", any, "--probe-listen", any]);
        arguments.extend(flags);
        let mut child = command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                // the test may have seen enough
                let _ = sender.send(line);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut dev = Self {
            child,
            llm: nowhere,
            admin: nowhere,
            probe: nowhere,
            root,
            lines,
            seen: RefCell::default(),
        };
        let listening = dev.wait_log(&["\"listening\""]);
        let address = |field: &str| {
            let text = listening[field].as_str().unwrap();
            text.trim_matches(['[', ']']).parse().unwrap()
        };
        (dev.llm, dev.admin, dev.probe) = (address("llm"), address("admin"), address("probe"));
        dev
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("manifests").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Waits for a line of the log, after those that were waited for before, with all of these parts.
    pub(crate) fn wait_log(&self, parts: &[&str]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("{parts:?}: {error}\n{}", self.seen()));
            self.seen.borrow_mut().push(line.clone());
            if parts.iter().all(|part| line.contains(part)) {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }

    /// Fails unless it holds in time.
    pub(crate) fn within(&self, time: Duration, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(
                began.elapsed() < time,
                "not within {time:?}: {}",
                self.seen()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn ask(&self, model: &str) -> String {
        ask(self.llm, model)
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end; the exit code.
    pub(crate) fn wait_end(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end: {}",
                self.seen()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The whole log of one that has ended.
    pub(crate) fn log(&self) -> String {
        self.seen.borrow_mut().extend(self.lines.iter());
        self.seen()
    }

    fn seen(&self) -> String {
        self.seen.borrow_mut().extend(self.lines.try_iter());
        self.seen.borrow().join("\n")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a model; the answer as text.
pub(crate) fn ask(address: SocketAddr, model: &str) -> String {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]}).to_string();
    exchange(
        address,
        &format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// Gets a path; the answer as text.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    exchange(address, &head)
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
