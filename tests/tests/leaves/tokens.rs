//! A server that gives tokens and keys in every vendor's way, and tells what it was asked for them.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use fkm_sidecar::signin::ambient::Ambient;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::transcript::Transcript;

/// Ends with the play.
pub(crate) struct Tokens {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// The token of the pod.
    file: NamedTempFile,
    _accepting: JoinSet<()>,
}

// === impl Tokens ===

impl Tokens {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let record = asked.clone();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, record.clone()));
            }
        });
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "token-of-the-pod").unwrap();
        Self {
            address,
            asked,
            file,
            _accepting: accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// That it is every agent of the platform.
    pub(crate) fn ambient(&self) -> Ambient {
        let file = self.file.path().to_owned();
        Ambient {
            aws_web_identity_token_file: Some(file.clone()),
            aws_container_credentials_full_uri: Some(format!("{}/container", self.url())),
            aws_ec2_metadata_service_endpoint: Some(format!("{}/instance", self.url())),
            azure_federated_token_file: Some(file),
            gce_metadata_host: Some(self.address.to_string()),
            ..Ambient::default()
        }
    }

    pub(crate) fn tell(&self, transcript: &mut Transcript) {
        for asked in self.asked.lock().iter() {
            transcript.add(format!("tokens got {asked}"));
        }
        transcript.replace(&format!(":{}", self.address.port()), ":<tokens>");
    }
}

/// One request a connection.
async fn serve(mut socket: TcpStream, record: Arc<Mutex<Vec<String>>>) {
    let Some((head, body)) = read(&mut socket).await else {
        return;
    };
    let line = head.lines().next().unwrap_or_default();
    let line = line.trim_end_matches(" HTTP/1.1");
    let asked = format!("{line}{} {}", shown(&head), form(&body));
    record.lock().push(asked);
    let answer = answer(line);
    let length = answer.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}");
    // where it fails, the client is gone
    drop(socket.write_all(answer.as_bytes()).await);
}

/// Head and body.
async fn read(socket: &mut TcpStream) -> Option<(String, String)> {
    let mut read = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = socket
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        read.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let lower = head.to_ascii_lowercase();
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

/// Id and secret, where they stand in the header.
fn shown(head: &str) -> String {
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("authorization: Basic "));
    value.map_or_else(String::new, |value| {
        let pair = BASE64_STANDARD.decode(value.trim()).unwrap();
        format!(" basic={}", String::from_utf8_lossy(&pair))
    })
}

/// The fields of a form; of an assertion, what does not depend on the time.
fn form(body: &str) -> String {
    let fields = url::form_urlencoded::parse(body.as_bytes());
    let fields = fields.map(|(name, value)| match name.as_ref() {
        "assertion" => format!("assertion={}", claims(&value)),
        _ => format!("{name}={value}"),
    });
    fields.collect::<Vec<_>>().join(" ")
}

fn claims(assertion: &str) -> Value {
    let claims = assertion.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    for time in ["iat", "exp"] {
        claims[time] = json!("a time");
    }
    claims
}

fn answer(line: &str) -> String {
    let end = "2099-01-01T00:00:00Z";
    let (_, path) = line.split_once(' ').unwrap();
    if path.starts_with("/sts") {
        return format!(
            "<Credentials><AccessKeyId>id-of-sts</AccessKeyId><SecretAccessKey>key-of-a-role</SecretAccessKey><SessionToken>session</SessionToken><Expiration>{end}</Expiration></Credentials>"
        );
    }
    if path.ends_with("/api/token") || path.ends_with("/security-credentials/") {
        return "text".to_owned();
    }
    if path.starts_with("/container") || path.starts_with("/instance") {
        return json!({"AccessKeyId": "id-of-an-agent", "SecretAccessKey": "key-of-a-role", "Token": "session", "Expiration": end}).to_string();
    }
    json!({"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600}).to_string()
}
