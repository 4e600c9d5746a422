//! AWS: where keys come from, and that requests are signed with them. Whether a signature is right is judged by botocore,
//! in the conformance suite.

use std::time::{Duration, SystemTime};

use fkm_sidecar::signin::ambient::Ambient;
use fkm_upstream::{Status, Step, Upstream};
use serde_json::{Value, json};

use super::{shown, signed_in};
use crate::harness::{Sidecar, question, snapshot};
use crate::token_server::{Gives, TokenServer};

fn aws(source: &Value) -> Value {
    json!({"aws": {"region": "eu-west-1", "service": "bedrock", "source": source}})
}

/// A moment in ISO 8601, so many seconds from now.
fn in_seconds(seconds: u64) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let at = aws_smithy_types::DateTime::from_secs((now.as_secs() + seconds).try_into().unwrap());
    at.fmt(aws_smithy_types::date_time::Format::DateTime)
        .unwrap()
}

/// Keys as agents give them.
fn keys(id: &str) -> Value {
    json!({
        "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": id, "SecretAccessKey": "secret-of-the-test",
        "Token": format!("session-of-{id}"), "Expiration": in_seconds(3600),
    })
}

/// The access key, region and service in a signature, and what is signed.
fn signature(authorization: &str) -> (String, String) {
    let rest = authorization
        .strip_prefix("AWS4-HMAC-SHA256 Credential=")
        .unwrap();
    let (scope, rest) = rest.split_once(", SignedHeaders=").unwrap();
    let (signed, signature) = rest.split_once(", Signature=").unwrap();
    assert_eq!(signature.len(), 64);
    let parts: Vec<&str> = scope.split('/').collect();
    assert_eq!(parts[2..], ["eu-west-1", "bedrock", "aws4_request"]);
    (parts[0].to_owned(), signed.to_owned())
}

#[tokio::test]
async fn given_keys_sign_every_request() {
    let a = Upstream::start().await.unwrap();
    let given = aws(
        &json!({"static": {"accessKeyId": "test/keys/id", "secretAccessKey": "test/keys/secret"}}),
    );
    let secrets = [("id", "AKIDTEST"), ("secret", "secret-of-the-test\n")];
    let declared = snapshot(&[signed_in(&a, &given)]);
    let sidecar = Sidecar::start_as(Ambient::default(), &declared, &secrets).await;
    assert_eq!(sidecar.chat(&question(true)).await.status, 200);
    let authorization = shown(&a, "authorization");
    assert_eq!(
        signature(&authorization[0]),
        (
            "AKIDTEST".to_owned(),
            "accept;content-type;host;x-amz-date".to_owned()
        )
    );
    assert_eq!(shown(&a, "x-amz-security-token"), [""]);
}

#[tokio::test]
async fn a_signature_has_the_time_of_the_provider() {
    let a = Upstream::start().await.unwrap();
    let given = aws(
        &json!({"static": {"accessKeyId": "test/keys/id", "secretAccessKey": "test/keys/secret"}}),
    );
    let secrets = [("id", "AKIDTEST"), ("secret", "secret-of-the-test")];
    let declared = snapshot(&[signed_in(&a, &given)]);
    let sidecar = Sidecar::start_as(Ambient::default(), &declared, &secrets).await;
    let theirs = SystemTime::now() + Duration::from_hours(3);
    a.script(vec![Step::Status(Status {
        status: 403,
        headers: vec![("date".to_owned(), httpdate::fmt_http_date(theirs))],
        body: json!({"message": "Signature expired"}).to_string(),
    })]);
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let hour = |time: &str| time[9..11].parse::<u64>().unwrap();
    let dates = shown(&a, "x-amz-date");
    assert_eq!(dates.len(), 2);
    assert_eq!((hour(&dates[0]) + 3) % 24, hour(&dates[1]), "{dates:?}");
    // a refusal that has nothing to do with time is not answered by another try
    a.script(vec![Step::status(403)]);
    assert_eq!(sidecar.chat(&question(false)).await.status, 502);
    assert_eq!(a.requests().len(), 3);
}

#[tokio::test]
async fn a_role_is_taken_with_the_token_of_the_pod() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(0, |number, _| {
        let end = in_seconds(900);
        Gives::text(format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session-{number}</SessionToken><SecretAccessKey>secret-of-the-test</SecretAccessKey><Expiration>{end}</Expiration><AccessKeyId>ASIA{number}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ))
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "token-of-the-pod\n").unwrap();
    let ambient = Ambient {
        aws_role_arn: Some("arn:aws:iam::1:role/ambient".to_owned()),
        aws_web_identity_token_file: Some(file.path().to_owned()),
        ..Ambient::default()
    };
    let role = |arn: Option<&str>| {
        let mut source = json!({"webIdentity": {"stsUrl": server.url("")}});
        if let Some(arn) = arn {
            source["webIdentity"]["roleArn"] = json!(arn);
        }
        snapshot(&[signed_in(&a, &aws(&source))])
    };
    let sidecar = Sidecar::start_as(ambient, &role(None), &[]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    sidecar.apply(&role(Some("arn:aws:iam::1:role/named")));
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let asked = server.asked();
    for (one, role) in asked.iter().zip(["ambient", "named"]) {
        assert_eq!(one.form["Action"], "AssumeRoleWithWebIdentity");
        assert_eq!(one.form["Version"], "2011-06-15");
        assert_eq!(one.form["RoleArn"], format!("arn:aws:iam::1:role/{role}"));
        assert_eq!(one.form["RoleSessionName"], "fkm-sidecar");
        assert_eq!(one.form["WebIdentityToken"], "token-of-the-pod");
    }
    assert_eq!(
        shown(&a, "x-amz-security-token"),
        ["session-1", "session-2"]
    );
    let (id, signed) = signature(&shown(&a, "authorization")[1]);
    assert_eq!(id, "ASIA2");
    assert!(signed.contains("x-amz-security-token"), "{signed}");
}

#[tokio::test]
async fn sts_says_why_not() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(0, |_, _| Gives {
        status: 403,
        headers: Vec::new(),
        body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not with token-of-the-pod</Message></Error></ErrorResponse>".to_owned(),
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "token-of-the-pod").unwrap();
    let source = json!({"webIdentity": {"stsUrl": server.url(""), "roleArn": "r", "tokenFile": file.path()}});
    let sidecar = Sidecar::start(&snapshot(&[signed_in(&a, &aws(&source))])).await;
    let reply = sidecar.chat(&question(false)).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(
        text.contains("status 403: AccessDenied: Not with [redacted]"),
        "{text}"
    );
    let gone = json!({"webIdentity": {"stsUrl": server.url(""), "roleArn": "r", "tokenFile": "/nowhere/token"}});
    sidecar.apply(&snapshot(&[signed_in(&a, &aws(&gone))]));
    let reply = sidecar.chat(&question(false)).await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(
        text.contains("the token file /nowhere/token cannot be read"),
        "{text}"
    );
}

#[tokio::test]
async fn the_agent_of_the_platform_gives_keys() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(0, |_, _| Gives::json(200, &keys("ASIAAGENT"))).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "authorization-of-the-pod").unwrap();
    let ambient = Ambient {
        aws_container_credentials_full_uri: Some(server.url("/v1/credentials")),
        aws_container_authorization_token_file: Some(file.path().to_owned()),
        ..Ambient::default()
    };
    let declared = snapshot(&[signed_in(&a, &aws(&json!("container")))]);
    let sidecar = Sidecar::start_as(ambient, &declared, &[]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let asked = &server.asked()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("GET", "/v1/credentials")
    );
    assert_eq!(asked.header("authorization"), "authorization-of-the-pod");
    assert_eq!(signature(&shown(&a, "authorization")[0]).0, "ASIAAGENT");
    assert_eq!(shown(&a, "x-amz-security-token"), ["session-of-ASIAAGENT"]);
}

#[tokio::test]
async fn the_instance_gives_keys_for_a_session_token() {
    let a = Upstream::start().await.unwrap();
    let server = TokenServer::start(0, |_, asked| {
        let session = asked.header("x-aws-ec2-metadata-token") == "session-token-of-imds";
        match (asked.method.as_str(), asked.path.as_str(), session) {
            ("PUT", "/latest/api/token", false) => Gives::text("session-token-of-imds"),
            ("GET", "/latest/meta-data/iam/security-credentials/", true) => {
                Gives::text("node-role\n")
            }
            ("GET", "/latest/meta-data/iam/security-credentials/node-role", true) => {
                Gives::json(200, &keys("ASIANODE"))
            }
            _ => Gives::json(401, &json!({})),
        }
    })
    .await;
    let ambient = Ambient {
        aws_ec2_metadata_service_endpoint: Some(server.url("/")),
        ..Ambient::default()
    };
    let declared = snapshot(&[signed_in(&a, &aws(&json!("instance")))]);
    let sidecar = Sidecar::start_as(ambient, &declared, &[]).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    assert_eq!(
        server.asked()[0].header("x-aws-ec2-metadata-token-ttl-seconds"),
        "60"
    );
    assert_eq!(signature(&shown(&a, "authorization")[0]).0, "ASIANODE");
}
