//! The program: its line of output, its script file, its orders.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

struct Program {
    child: Child,
    base: String,
    control: String,
}

impl Program {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fkm-upstream"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let address = |key: &str| {
            let url = said[key].as_str().unwrap().trim_start_matches("http://");
            url.trim_end_matches("/v1").to_owned()
        };
        Self {
            base: address("baseUrl"),
            control: address("control"),
            child,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn call(address: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let body = body.to_string();
    let length = body.len();
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head[9..12].parse().unwrap(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[test]
fn takes_a_script_file_and_orders() {
    let folder = std::env::temp_dir().join(format!("fkm-upstream-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("script.json");
    let steps = json!([{"status": {"status": 503}}, {"echoKey": {"status": 401}}]);
    std::fs::write(&script, steps.to_string()).unwrap();
    let program = Program::start(&[
        "--script",
        script.to_str().unwrap(),
        "--default",
        r#"{"answer": {"text": "default"}}"#,
    ]);
    let chat = || {
        call(
            &program.base,
            "POST",
            "/v1/chat/completions",
            &json!({"model": "m"}),
        )
    };
    assert_eq!(chat().0, 503);
    assert_eq!(chat().0, 401);
    assert_eq!(chat().1["choices"][0]["message"]["content"], "default");

    let order = |method: &str, path: &str, body: Value| call(&program.control, method, path, &body);
    let (_, requests) = order("GET", "/__requests", Value::Null);
    assert_eq!(requests.as_array().unwrap().len(), 3);
    assert_eq!(requests[0]["path"], "/v1/chat/completions");
    assert_eq!(requests[0]["cancelled"], false);
    assert_eq!(order("POST", "/__reset", Value::Null).0, 200);
    assert_eq!(order("GET", "/__requests", Value::Null).1, json!([]));

    let raw = json!([{"raw": "HTTP/1.1 418 no\r\ncontent-length: 0\r\n\r\n"}]);
    assert_eq!(order("POST", "/__script", raw).0, 200);
    assert_eq!(chat().0, 418);
    let (status, wrong) = order("POST", "/__script", json!([{"streamed": {"peaces": []}}]));
    assert_eq!(status, 400);
    assert!(
        wrong["error"].as_str().unwrap().contains("peaces"),
        "{wrong}"
    );

    assert_eq!(order("POST", "/__refuse", Value::Null).0, 200);
    assert!(TcpStream::connect(&program.base).is_err());
    assert_eq!(order("POST", "/__reopen", Value::Null).0, 200);
    assert_eq!(chat().0, 200);
    assert_eq!(order("POST", "/__nothing", Value::Null).0, 404);
    std::fs::remove_dir_all(&folder).unwrap();
}
