//! Google Cloud: assertions of service accounts, and the metadata server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fkm_sidecar::signin::ambient::Ambient;
use fkm_upstream::Upstream;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::{bearer, shown, signed_in};
use crate::harness::{Sidecar, question, snapshot};
use crate::token_server::{Gives, TokenServer};

/// A key made for these tests, which opens nothing.
const PEM: &str = include_str!("key-for-tests.pem");
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

fn key_file() -> String {
    json!({
        "type": "service_account", "project_id": "p", "private_key_id": "kid-1", "private_key": PEM,
        "client_email": "fkm@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": TOKEN_URI,
    })
    .to_string()
}

fn account(server: &TokenServer) -> Value {
    json!({"googleServiceAccount": {
        "key": "test/keys/google", "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "tokenUrl": server.url("/token"),
    }})
}

/// The header and the claims of an assertion whose signature is good.
fn opened(assertion: &str) -> (Value, Value) {
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(signed.as_bytes(), &signature).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read =
        |part: &str| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(claims))
}

#[tokio::test]
async fn an_account_shows_a_signed_assertion() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3599).await,
    );
    let declared = snapshot(&[signed_in(&a, &account(&server))]);
    let sidecar =
        Sidecar::start_as(Ambient::default(), &declared, &[("google", &key_file())]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(shown(&a, "authorization"), [bearer(1)]);
    let asked = &server.asked()[0];
    assert_eq!(
        asked.form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let (header, claims) = opened(&asked.form["assertion"]);
    assert_eq!(
        header,
        json!({"alg": "RS256", "typ": "JWT", "kid": "kid-1"})
    );
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let issued = claims["iat"].as_u64().unwrap();
    assert!(issued.abs_diff(now) < 30, "{claims}");
    assert_eq!(
        claims,
        json!({
            "iss": "fkm@p.iam.gserviceaccount.com", "aud": TOKEN_URI,
            "scope": "https://www.googleapis.com/auth/cloud-platform", "iat": issued, "exp": issued + 3600,
        })
    );
}

#[tokio::test]
async fn an_assertion_is_good_by_the_servers_clock() {
    let a = Upstream::start().await.unwrap();
    let theirs = || SystemTime::now() + Duration::from_hours(2);
    let server = TokenServer::start(0, move |number, asked| {
        let (_, claims) = opened(&asked.form["assertion"]);
        let now = theirs().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut gives = match claims["iat"].as_u64().unwrap().abs_diff(now) < 300 {
            true => Gives::token(number, 3600),
            false => Gives::json(
                400,
                &json!({"error": "invalid_grant", "error_description": "Invalid JWT"}),
            ),
        };
        gives
            .headers
            .push(("date", httpdate::fmt_http_date(theirs())));
        gives
    })
    .await;
    let declared = snapshot(&[signed_in(&a, &account(&server))]);
    let sidecar =
        Sidecar::start_as(Ambient::default(), &declared, &[("google", &key_file())]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(shown(&a, "authorization"), [bearer(2)]);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_with_the_snapshot() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3599).await,
    );
    let sidecar = Sidecar::start(&snapshot(&[])).await;
    let declared = snapshot(&[signed_in(&a, &account(&server))]).to_string();
    for (key, said) in [
        ("sk-not-json", "it is not JSON with client_email"),
        (
            r#"{"client_email":"x","private_key_id":"x","private_key":"-----BEGIN","token_uri":"https://x"}"#,
            "no RSA key",
        ),
    ] {
        let mut secrets = fkm_snapshot::Secrets::default();
        secrets.entries.insert(
            fkm_snapshot::SecretId::new("test", "keys", "google"),
            key.into(),
        );
        let problems = sidecar
            .running
            .store()
            .apply(declared.as_bytes(), &secrets)
            .unwrap_err();
        assert_eq!(
            problems[0].path,
            "pools[test/pool].providers[0].connection.http.credentials[0]"
        );
        assert!(problems[0].message.contains(said), "{problems:?}");
        assert!(!problems[0].message.contains(key));
    }
}

#[tokio::test]
async fn a_pod_asks_the_metadata_server() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3599).await,
    );
    let ambient = Ambient {
        gce_metadata_host: Some(server.address.to_string()),
        ..Ambient::default()
    };
    let sign_in = json!({"googleWorkloadIdentity": {"serviceAccount": "default", "scopes": ["https://a", "https://b"]}});
    let declared = snapshot(&[signed_in(&a, &sign_in)]);
    let sidecar = Sidecar::start_as(ambient, &declared, &[]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(shown(&a, "authorization"), [bearer(1)]);
    let asked = &server.asked()[0];
    assert_eq!(
        (asked.method.as_str(), asked.header("metadata-flavor")),
        ("GET", "Google")
    );
    assert_eq!(
        asked.path,
        "/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fa%2Chttps%3A%2F%2Fb"
    );
}
