use http::{Method, Request, Response, StatusCode};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower_test::mock;

use super::*;

type Server = mock::Handle<Request<Body>, Response<Body>>;

fn client() -> (Client, Server) {
    let (service, server) = mock::pair();
    (Client::new(service, "fkm-system"), server)
}

/// Takes one request and answers it; gives its body.
async fn answer(
    server: &mut Server,
    method: Method,
    path: &str,
    status: u16,
    body: Value,
) -> Vec<u8> {
    let (request, respond) = server.next_request().await.expect("a request");
    assert_eq!(request.method(), method);
    assert_eq!(request.uri().path(), path);
    let sent = request.into_body().collect_bytes().await.unwrap().to_vec();
    let response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .body(Body::from(body.to_string().into_bytes()))
        .unwrap();
    respond.send_response(response);
    sent
}

fn failure(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

const SECRETS: &str = "/api/v1/namespaces/fkm-system/secrets";
const SECRET: &str = "/api/v1/namespaces/fkm-system/secrets/fkm-ca";

fn names() -> Vec<String> {
    let mut names = service_names("fkm-system");
    names.push("127.0.0.1".into());
    names
}

#[test]
fn a_certificate_is_good_for_the_service_and_what_the_settings_add() {
    let now = SystemTime::now();
    let ca = Ca::generate(now).unwrap();
    let certificate = ca.issue(&names(), now).unwrap();
    let der = CertificateDer::from_pem_slice(certificate.chain_pem().as_bytes()).unwrap();
    ca.verify(&der, "fkm-operator.fkm-system.svc", now).unwrap();
    ca.verify(&der, "127.0.0.1", now).unwrap();
    let other = ca.verify(&der, "other.fkm-system.svc", now);
    assert!(matches!(other, Err(TrustError::Mismatch(_))), "{other:?}");
    let later = ca.verify(&der, SERVICE, now + LIFETIME + BACKDATED);
    assert!(matches!(later, Err(TrustError::Mismatch(_))), "{later:?}");
    let stranger = Ca::generate(now).unwrap().verify(&der, SERVICE, now);
    assert!(
        matches!(stranger, Err(TrustError::Mismatch(_))),
        "{stranger:?}"
    );
}

#[test]
fn a_key_of_another_ca_is_noticed() {
    let now = SystemTime::now();
    let mixed = Ca {
        key_pem: Ca::generate(now).unwrap().key_pem,
        ..Ca::generate(now).unwrap()
    };
    let refused = mixed.issue(&names(), now);
    assert!(
        matches!(refused, Err(TrustError::Mismatch(_))),
        "{refused:?}"
    );
}

#[test]
fn debug_shows_no_key() {
    let now = SystemTime::now();
    let ca = Ca::generate(now).unwrap();
    let certificate = ca.issue(&names(), now).unwrap();
    let shown = format!("{ca:?} {certificate:?}");
    assert!(!shown.contains("PRIVATE KEY"), "{shown}");
}

#[tokio::test]
async fn the_first_replica_creates_the_secret_and_the_next_reads_it() {
    let (client, mut server) = client();
    let load = load_or_create(client.clone(), "fkm-system", SystemTime::now());
    let serve = async {
        answer(
            &mut server,
            Method::GET,
            SECRET,
            404,
            failure(404, "NotFound"),
        )
        .await;
        answer(&mut server, Method::POST, SECRETS, 201, json!({})).await
    };
    let (created, sent) = tokio::join!(load, serve);
    let created = created.unwrap();
    let secret: Secret = serde_json::from_slice(&sent).unwrap();
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));

    let load = load_or_create(client, "fkm-system", SystemTime::now());
    let stored = serde_json::to_value(&secret).unwrap();
    let serve = answer(&mut server, Method::GET, SECRET, 200, stored);
    let (read, _) = tokio::join!(load, serve);
    let read = read.unwrap();
    assert_eq!(read.certificate_pem(), created.certificate_pem());
    read.issue(&names(), SystemTime::now()).unwrap();
}

#[tokio::test]
async fn a_replica_that_loses_the_race_takes_what_the_winner_made() {
    let winner = Ca::generate(SystemTime::now()).unwrap();
    let stored = json!({"data": {
        "tls.crt": ByteString(winner.certificate_pem.clone().into_bytes()),
        "tls.key": ByteString(winner.key_pem.expose_secret().as_bytes().to_vec()),
    }});
    let (client, mut server) = client();
    let load = load_or_create(client, "fkm-system", SystemTime::now());
    let serve = async {
        answer(
            &mut server,
            Method::GET,
            SECRET,
            404,
            failure(404, "NotFound"),
        )
        .await;
        answer(
            &mut server,
            Method::POST,
            SECRETS,
            409,
            failure(409, "AlreadyExists"),
        )
        .await;
        answer(&mut server, Method::GET, SECRET, 200, stored).await
    };
    let (loaded, _) = tokio::join!(load, serve);
    assert_eq!(loaded.unwrap().certificate_pem(), winner.certificate_pem());
}

#[tokio::test]
async fn a_secret_that_lacks_a_key_is_not_overwritten() {
    let (client, mut server) = client();
    let load = load_or_create(client, "fkm-system", SystemTime::now());
    let stored = json!({"data": {"tls.crt": ByteString(b"x".to_vec())}});
    let serve = answer(&mut server, Method::GET, SECRET, 200, stored);
    let (refused, _) = tokio::join!(load, serve);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("fkm-system/fkm-ca has no usable tls.key"),
        "{message}"
    );
}

#[tokio::test]
async fn a_forbidden_secret_names_the_right_that_is_missing() {
    let (client, mut server) = client();
    let load = load_or_create(client, "fkm-system", SystemTime::now());
    let serve = answer(
        &mut server,
        Method::GET,
        SECRET,
        403,
        failure(403, "Forbidden"),
    );
    let (refused, _) = tokio::join!(load, serve);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("needs get and create of secrets"),
        "{message}"
    );
}
