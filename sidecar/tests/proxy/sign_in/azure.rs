//! Microsoft Entra: an application by its secret, and by a token of the pod.

use std::io::Write;

use fkm_sidecar::signin::ambient::Ambient;
use fkm_upstream::Upstream;
use serde_json::json;

use super::{bearer, shown, signed_in};
use crate::harness::{KEY, Sidecar, question, snapshot};
use crate::token_server::TokenServer;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

#[tokio::test]
async fn an_application_shows_its_secret() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(3599).await,
    );
    let sign_in = json!({"azureEntra": {
        "authorityUrl": server.url(""), "tenantId": "tenant-1", "clientId": "app-1", "scope": SCOPE,
        "source": {"clientSecret": "test/keys/main"},
    }});
    let mut provider = signed_in(&a, &sign_in);
    // the preset's own header is for keys; tokens are always shown as such
    provider["connection"]["http"]["dialect"]["auth"] = json!("ApiKey");
    let sidecar = Sidecar::start(&snapshot(&[provider])).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(shown(&a, "authorization"), [bearer(1)]);
    assert_eq!(shown(&a, "api-key"), [""]);
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/tenant-1/oauth2/v2.0/token");
    let form = &asked.form;
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "app-1"),
        ("client_secret", KEY),
        ("scope", SCOPE),
    ] {
        assert_eq!(form[name], value);
    }
    assert_eq!(form.len(), 4);
}

#[tokio::test]
async fn a_pod_shows_its_token_as_it_is_now() {
    let (a, server) = (
        Upstream::start().await.unwrap(),
        TokenServer::tokens(1).await,
    );
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "federated-1").unwrap();
    let ambient = Ambient {
        azure_authority_host: Some(server.url("/")),
        azure_tenant_id: Some("tenant-2".to_owned()),
        azure_client_id: Some("app-2".to_owned()),
        azure_federated_token_file: Some(file.path().to_owned()),
        ..Ambient::default()
    };
    let sign_in = json!({"azureEntra": {"scope": SCOPE, "source": {"workloadIdentity": {}}}});
    let declared = snapshot(&[signed_in(&a, &sign_in)]);
    let sidecar = Sidecar::start_as(ambient, &declared, &[]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    std::fs::write(file.path(), "federated-2").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let asked = server.asked();
    assert_eq!(asked[0].path, "/tenant-2/oauth2/v2.0/token");
    assert_eq!(
        asked[0].form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    assert_eq!(asked[0].form["client_id"], "app-2");
    assert_eq!(asked[0].form["client_assertion"], "federated-1");
    assert_eq!(asked[1].form["client_assertion"], "federated-2");
    assert!(!asked[0].form.contains_key("client_secret"));
}

#[tokio::test]
async fn what_the_platform_did_not_set_fails_its_requests_alone() {
    let a = Upstream::start().await.unwrap();
    let sign_in = json!({"azureEntra": {"scope": SCOPE, "source": {"workloadIdentity": {}}}});
    let sidecar = Sidecar::start(&snapshot(&[signed_in(&a, &sign_in)])).await;
    let reply = sidecar.chat(&question(false)).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert_eq!(reply.status, 502);
    assert!(
        text.contains("AZURE_TENANT_ID is neither in the pool nor"),
        "{text}"
    );
}
