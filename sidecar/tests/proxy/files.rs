//! Files and batches: with the provider that has them, of any size, in no more memory than a piece of them.

use std::time::Duration;

use bytes::Bytes;
use fkm_upstream::Upstream;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio_stream::StreamExt;

use crate::harness::{Reply, Sidecar, provider, send, snapshot};

const FORM: &str = "multipart/form-data; boundary=b0";

fn keeper(name: &str, upstream: &Upstream, model: &str) -> Value {
    let mut provider = provider(name, &upstream.base_url(), 0);
    provider["connection"]["http"]["keeps"] = json!([
        {"kept": "openai.files", "path": "/files"},
        {"kept": "openai.batches", "path": "/batches"},
    ]);
    provider["models"] = json!({model: {}});
    provider
}

async fn world() -> (Upstream, Upstream, Sidecar) {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let providers = [keeper("a", &a, "m"), keeper("b", &b, "n")];
    let sidecar = Sidecar::start(&snapshot(&providers)).await;
    (a, b, sidecar)
}

fn form(content: &[u8]) -> Bytes {
    let head = "--b0\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b0\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n";
    [head.as_bytes(), content, b"\r\n--b0--\r\n"]
        .concat()
        .into()
}

async fn upload(sidecar: &Sidecar, content: &[u8], headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(sidecar.url("/v1/files"));
    request = request.header("content-type", FORM);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = request.body(Full::new(form(content))).unwrap();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    Reply {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn call(sidecar: &Sidecar, method: Method, path: &str) -> Reply {
    send(method, &sidecar.url(path), &[], Bytes::new()).await
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_where_it_was_put() {
    let (a, b, sidecar) = world().await;
    let first = upload(&sidecar, b"one", &[]).await;
    assert_eq!(first.header("x-fkm-provider"), "a");
    assert_eq!(first.json()["filename"], "in.jsonl");
    let sent = &a.requests()[0];
    assert_eq!(sent.body, form(b"one"), "as it came");
    assert_eq!(sent.header("content-type"), Some(FORM));
    assert_eq!(
        sent.header("content-length"),
        Some(&*form(b"one").len().to_string())
    );
    assert_eq!(
        sent.header("authorization"),
        Some("Bearer sk-test-0123456789abcdef")
    );
    let reply = upload(&sidecar, b"two\0\xff", &[("x-fkm-model", "n")]).await;
    let minted = id(&reply);
    assert!(minted.starts_with("file-upstream"), "{minted}");
    assert_eq!(reply.header("x-fkm-provider"), "b");
    a.reset();
    let path = format!("/v1/files/{minted}");
    assert_eq!(id(&call(&sidecar, Method::GET, &path).await), minted);
    let content = call(&sidecar, Method::GET, &format!("{path}/content")).await;
    assert_eq!(content.body, b"two\0\xff".as_slice());
    assert_eq!(content.header("content-type"), "application/octet-stream");
    assert_eq!(content.header("content-length"), "5");
    let deleted = call(&sidecar, Method::DELETE, &path).await;
    assert_eq!(
        (id(&deleted), deleted.json()["deleted"].clone()),
        (minted, json!(true))
    );
    let gone = call(&sidecar, Method::GET, &path).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
    assert!(a.requests().is_empty());
    assert_eq!(b.requests().len(), 5);
}

#[tokio::test]
async fn lists_are_of_one_provider() {
    let (a, b, sidecar) = world().await;
    let first = id(&upload(&sidecar, b"1", &[]).await);
    let list = call(&sidecar, Method::GET, "/v1/files?limit=1")
        .await
        .json();
    assert_eq!(list["data"][0]["id"], *first);
    assert_eq!(
        (&list["first_id"], &list["last_id"]),
        (&json!(first), &json!(first))
    );
    let page = format!("/v1/files?limit=1&after={first}");
    call(&sidecar, Method::GET, &page).await;
    let own = first.rsplit_once("_fkm_").unwrap().0;
    assert_eq!(
        a.requests()[2].path,
        format!("/v1/files?limit=1&after={own}")
    );
    assert!(b.requests().is_empty());
    let other = [("x-fkm-model", "n")];
    let list = send(Method::GET, &sidecar.url("/v1/files"), &other, Bytes::new()).await;
    assert_eq!(list.json()["data"], json!([]));
    let nobody = [("x-fkm-model", "unknown")];
    let reply = send(
        Method::GET,
        &sidecar.url("/v1/files"),
        &nobody,
        Bytes::new(),
    )
    .await;
    assert_eq!(
        reply.json()["error"]["code"],
        "state_elsewhere",
        "{reply:?}"
    );
}

#[tokio::test]
async fn nothing_goes_where_the_model_that_is_named_would_not_go() {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let mut snapshot = snapshot(&[keeper("a", &a, "m"), keeper("b", &b, "n")]);
    let mut broken = snapshot["rules"][0].clone();
    broken["name"] = json!("broken");
    broken["matches"] = json!([{"models": ["n"]}]);
    broken["backends"] = json!([]);
    broken["unavailable"] = json!("its pool is gone");
    snapshot["rules"].as_array_mut().unwrap().insert(0, broken);
    let sidecar = Sidecar::start(&snapshot).await;
    let reply = upload(&sidecar, b"x", &[("x-fkm-model", "n")]).await;
    let code = &reply.json()["error"]["code"];
    assert_eq!(*code, "state_elsewhere", "{reply:?}");
    assert!(a.requests().is_empty() && b.requests().is_empty());
    let reply = upload(&sidecar, b"x", &[("x-fkm-model", "m")]).await;
    assert_eq!(reply.header("x-fkm-provider"), "a", "{reply:?}");
}

#[tokio::test]
async fn a_batch_is_made_where_its_file_is() {
    let (a, b, sidecar) = world().await;
    let file = id(&upload(&sidecar, b"{}", &[("x-fkm-model", "n")]).await);
    let body = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h",
        "metadata": {"id": "mine"}});
    let batch = sidecar.post("/v1/batches", body.to_string()).await;
    let minted = id(&batch);
    assert_eq!(batch.json()["input_file_id"], *file);
    assert_eq!(batch.json()["output_file_id"], *file);
    assert_eq!(batch.json()["metadata"], json!({"id": "mine"}));
    let path = format!("/v1/batches/{minted}");
    assert_eq!(id(&call(&sidecar, Method::GET, &path).await), minted);
    let cancelled = call(&sidecar, Method::POST, &format!("{path}/cancel")).await;
    assert_eq!(cancelled.json()["status"], "cancelling");
    let (url, named) = (sidecar.url("/v1/batches"), [("x-fkm-model", "n")]);
    let list = send(Method::GET, &url, &named, Bytes::new()).await;
    assert_eq!(list.json()["data"][0]["id"], *minted);
    assert!(a.requests().is_empty());
    assert_eq!(b.requests().len(), 5);
    let metrics = metrics(&sidecar).await;
    let down = "fkm_kept_bytes_total{provider=\"b\",kept=\"openai.batches\",direction=\"down\"}";
    assert!(metrics.contains(down), "{metrics}");
    let up = format!(
        "fkm_kept_bytes_total{{provider=\"b\",kept=\"openai.files\",direction=\"up\"}} {}",
        form(b"{}").len()
    );
    assert!(metrics.contains(&up), "{metrics}");
}

async fn metrics(sidecar: &Sidecar) -> String {
    let probes = sidecar.running.addresses().probe;
    let reply = send(
        Method::GET,
        &format!("http://{probes}/metrics"),
        &[],
        Bytes::new(),
    )
    .await;
    String::from_utf8(reply.body.to_vec()).unwrap()
}

#[tokio::test]
async fn fifty_megabytes_pass_without_being_held() {
    let (a, _b, sidecar) = world().await;
    let content: Bytes = vec![b'x'; 50 * 1024 * 1024].into();
    let reply = upload(&sidecar, &content, &[]).await;
    let minted = id(&reply);
    assert_eq!(reply.json()["bytes"], content.len());
    // What is held is counted, and would be refused above 32 MiB.
    assert_eq!(a.requests()[0].body.len(), form(&content).len());
    let metrics = metrics(&sidecar).await;
    assert!(metrics.contains("fkm_request_bodies_bytes 0"), "{metrics}");
    let path = format!("/v1/files/{minted}/content");
    let fetched = call(&sidecar, Method::GET, &path).await;
    assert_eq!(fetched.body, content);
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_no_file() {
    let (a, _b, sidecar) = world().await;
    let pieces = vec![
        Ok(http_body::Frame::data(Bytes::from_static(b"--b0\r\n"))),
        Err(std::io::Error::other("gone")),
    ];
    let pieces = tokio_stream::iter(pieces).throttle(Duration::from_millis(50));
    let request = Request::builder()
        .method(Method::POST)
        .uri(sidecar.url("/v1/files"))
        .header("content-type", FORM)
        .body(StreamBody::new(Box::pin(pieces)))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(a.requests().is_empty(), "it never came whole");
}

#[tokio::test]
async fn what_is_announced_too_large_is_not_begun() {
    let (a, _b, sidecar) = world().await;
    let mut socket = tokio::net::TcpStream::connect(sidecar.address())
        .await
        .unwrap();
    let head = format!(
        "POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-type: {FORM}\r\ncontent-length: 600000000\r\n\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut socket, head.as_bytes())
        .await
        .unwrap();
    let mut answer = vec![0; 16];
    tokio::io::AsyncReadExt::read_exact(&mut socket, &mut answer)
        .await
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 413 Pay");
    assert!(a.requests().is_empty());
}
