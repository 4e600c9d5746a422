//! The sidecar as a process, seen from outside: its log, its metrics, what the kernel says of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::config::KEY;

/// How long things may take to settle.
const SOON: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(crate) struct Sidecar {
    child: Child,
    pub(crate) llm: SocketAddr,
    probe: SocketAddr,
    /// Lines of the log that no log may have.
    bad_lines: Arc<Mutex<Vec<String>>>,
}

/// What the kernel says of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) files: usize,
    pub(crate) memory_mib: usize,
}

// === impl Sidecar ===

impl Sidecar {
    /// Starts on free ports; its snapshot is written to the folder.
    pub(crate) fn start(folder: &Path, snapshot: &Value) -> Self {
        let path = folder.join("snapshot.json");
        std::fs::write(&path, snapshot.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fkm-sidecar"));
        command.env_clear().env("SOAK_KEY", KEY);
        command.arg("--snapshot").arg(&path);
        command.args(["--secret", "test/keys/main=env:SOAK_KEY"]);
        for flag in ["--listen", "--admin-listen", "--probe-listen"] {
            command.args([flag, "127.0.0.1:0"]);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let event: Value = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["message"] == "listening" {
                break event;
            }
        };
        let address = |name: &str| {
            let text = event[name].as_str().unwrap();
            text.trim_matches(['[', ']']).parse().unwrap()
        };
        let (llm, probe) = (address("llm"), address("probe"));
        let bad_lines = Arc::new(Mutex::new(Vec::new()));
        let found = bad_lines.clone();
        std::thread::spawn(move || {
            let bad = |line: &str| line.contains("panic") || line.contains(KEY);
            found
                .lock()
                .extend(log.lines().map_while(Result::ok).filter(|line| bad(line)));
        });
        Self {
            child,
            llm,
            probe,
            bad_lines,
        }
    }

    /// What it holds now.
    pub(crate) fn held(&self) -> Held {
        let folder = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let field = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Held {
            files: std::fs::read_dir(format!("{folder}/fd")).unwrap().count(),
            memory_mib: field("VmRSS:") / 1024,
        }
    }

    /// A gauge of the metrics page.
    pub(crate) async fn gauge(&self, name: &str) -> f64 {
        let reply = Client::new(self.probe).get("/metrics").await.unwrap();
        let page = String::from_utf8(reply.body).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} in {page}"))
            .trim()
            .parse()
            .unwrap()
    }

    /// Waits until a gauge is as wanted.
    pub(crate) async fn until(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        let end = Instant::now() + SOON;
        loop {
            let value = self.gauge(name).await;
            if wanted(value) {
                return;
            }
            assert!(Instant::now() < end, "{name} stays at {value}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it holds no more than so many files.
    pub(crate) async fn until_files(&self, most: usize) {
        let end = Instant::now() + SOON;
        while self.held().files > most {
            assert!(
                Instant::now() < end,
                "{:?}, and at most {most} files are wanted",
                self.held()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; the exit code, and the lines that no log may have.
    pub(crate) async fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let end = Instant::now() + SOON;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "it does not end");
            sleep(Duration::from_millis(20)).await;
        };
        let lines = self.bad_lines.lock().clone();
        (status.code(), lines)
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
