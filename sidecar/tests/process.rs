//! The program: its settings, its exit codes, its signals.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

const KEY: &str = "sk-canary-4f1c9a7e";

struct Process {
    child: Child,
    llm: SocketAddr,
    log: BufReader<std::process::ChildStderr>,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fkm-sidecar"));
    command.args(arguments).env_clear().stderr(Stdio::piped());
    command
}

fn snapshot(text: &str) -> Value {
    json!({
        "pools": {"t/p": {"providers": [{
            "name": "sim", "system": "simulated", "connection": {"simulated": {"text": text}}, "models": {"m": {}},
        }]}},
        "rules": [{"route": "t/r", "name": "all", "backends": [{"name": "b", "pool": "t/p"}]}],
    })
}

fn start(snapshot: &Value, extra: &[&str]) -> (Process, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    std::fs::write(&path, snapshot.to_string()).unwrap();
    let any = "127.0.0.1:0";
    let mut arguments = vec![
        "--snapshot",
        path.to_str().unwrap(),
        "--listen",
        any,
        "--admin-listen",
        any,
        "--probe-listen",
        any,
    ];
    arguments.extend(extra);
    let mut child = command(&arguments).env("CANARY", KEY).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let llm = loop {
        let mut line = String::new();
        assert!(
            log.read_line(&mut line).unwrap() > 0,
            "the process ended before it listened"
        );
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["message"] == "listening" {
            let text = event["llm"].as_str().unwrap();
            break text.trim_matches(['[', ']']).parse().unwrap();
        }
    };
    (Process { child, llm, log }, folder)
}

impl Process {
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn wait(&mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "the process does not end"
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request and returns the answer as text.
fn ask(address: SocketAddr, stream: bool) -> String {
    use std::io::Write;
    let body = json!({"model": "m", "stream": stream, "messages": []}).to_string();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_mistake_in_the_settings_is_told_and_the_code_is_64() {
    let output = command(&["--listen", "0.0.0.0:4000", "--operator", "http://x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    for part in ["0.0.0.0:4000", "https://", "FKM_POD_NAME", "FKM_POD_UID"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for wrong in [&[][..], &["--nope"], &["--listen", "nonsense"]] {
        let output = command(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{wrong:?}");
    }
    assert_eq!(
        command(&["--help"]).output().unwrap().status.code(),
        Some(0)
    );
    let output = command(&["--snapshot", "x", "--log", "not a filter=="])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
}

#[test]
fn a_snapshot_file_that_cannot_be_served_ends_the_process_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    let any = "127.0.0.1:0";
    let run = |content: &str, extra: &[&str]| {
        std::fs::write(&path, content).unwrap();
        let mut arguments = vec![
            "--snapshot",
            path.to_str().unwrap(),
            "--listen",
            any,
            "--admin-listen",
            any,
            "--probe-listen",
            any,
        ];
        arguments.extend(extra);
        let output = command(&arguments).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text) = run(
        r#"{"rules":[{"route":"t/r","name":"x","backends":[{"name":"b","pool":"t/none"}]}]}"#,
        &[],
    );
    assert_eq!(code, Some(1));
    assert!(
        text.contains("rules[0].backends[0].pool") && text.contains("t/none"),
        "{text}"
    );
    let (code, text) = run("{}", &["--secret", "a/b/c=env:NOT_SET_ANYWHERE"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("NOT_SET_ANYWHERE"), "{text}");
}

#[test]
fn it_serves_until_it_is_told_to_end() {
    for signal in ["TERM", "INT"] {
        let (mut process, _folder) = start(&snapshot("hello"), &[]);
        assert!(ask(process.llm, false).contains("hello"));
        process.signal(signal);
        let (code, log) = process.wait();
        assert_eq!(code, Some(0), "{signal}: {log}");
        assert!(log.contains("draining") && log.contains("stopped"), "{log}");
    }
}

#[test]
fn a_running_stream_is_not_cut_by_sigterm() {
    let mut slow = snapshot("one two three");
    slow["pools"]["t/p"]["providers"][0]["connection"]["simulated"]["latency"] = json!(400);
    let (mut process, _folder) = start(&slow, &["--drain-seconds", "5"]);
    let address = process.llm;
    let asking = std::thread::spawn(move || ask(address, true));
    std::thread::sleep(Duration::from_millis(150));
    process.signal("TERM");
    let answer = asking.join().unwrap();
    assert!(
        answer.contains("three") && answer.contains("[DONE]"),
        "{answer}"
    );
    assert_eq!(process.wait().0, Some(0));
}

#[test]
fn no_log_shows_a_key_at_any_level() {
    let mut snapshot = snapshot("hello");
    // A provider that nobody reaches, after the one that always fails.
    snapshot["pools"]["t/p"]["providers"] = json!([{
        "name": "dead", "system": "openai", "models": {"m": {}},
        "connection": {"http": {
            "baseUrl": "http://127.0.0.1:9/v1", "locality": "Local",
            "dialect": {"format": "openai.chat", "path": "/chat/completions", "auth": "Bearer"},
            "credentials": [{"name": "main", "secret": "a/b/c"}],
        }},
    }]);
    let (mut process, _folder) = start(
        &snapshot,
        &["--secret", "a/b/c=env:CANARY", "--log", "trace"],
    );
    assert!(ask(process.llm, false).contains("502"));
    process.signal("TERM");
    let (_, log) = process.wait();
    assert!(log.contains("attempt failed"), "the log is at trace: {log}");
    let needle = |text: &str| text.contains(KEY);
    assert!(
        needle(&format!("planted {KEY}")),
        "the search finds a planted key"
    );
    assert!(!needle(&log));
}

/// The most memory that the process ever had, in MiB.
fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024
}

#[test]
fn memory_is_bounded_whatever_is_uploaded() {
    use std::io::Write;
    let (process, _folder) = start(&snapshot("hello"), &[]);
    let address = process.llm;
    let uploads = (0..24).map(|_| {
        std::thread::spawn(move || {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
            let head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
            let piece = [b"100000\r\n".as_slice(), &vec![b'x'; 0x10_0000], b"\r\n"].concat();
            let mut sent = 0;
            if socket.write_all(head).is_ok() {
                while sent < 100 && socket.write_all(&piece).is_ok() {
                    sent += 1;
                }
            }
            sent
        })
    });
    let uploads: Vec<_> = uploads.collect();
    let sent: u32 = uploads
        .into_iter()
        .map(|upload| upload.join().unwrap())
        .sum();
    assert!(sent > 100, "{sent} MiB were written");
    assert!(ask(address, false).contains("hello"), "others are served");
    // 256 MiB of bodies at most, and what the buffers of joined pieces cost meanwhile.
    let peak = peak_memory(&process);
    assert!(peak < 640, "{peak} MiB");
}
