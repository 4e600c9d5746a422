//! What a signature of AWS says, without what is another each time: whose it is, for what, and by which of the scene's keys.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use fkm_upstream::Received;
use sha2::{Digest, Sha256};

/// Every value that a secret access key of a scene may have.
const KEYS: [&str; 4] = ["key-main", "key-spare", "key-more", "key-of-a-role"];

/// A signature.
struct Signature<'a> {
    id: &'a str,
    region: &'a str,
    service: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    value: &'a str,
}

/// What the signature of a request says; `None` where it has none.
pub(crate) fn told(request: &Received) -> Option<String> {
    let signature = read(request)?;
    let by = KEYS.into_iter().find(|key| {
        let again = signed_with(request, &signature, key);
        again.contains(signature.value)
    });
    let Signature {
        id,
        region,
        service,
        ..
    } = signature;
    let session = request.header("x-amz-security-token").unwrap_or_default();
    let by = by.unwrap_or("nobody");
    Some(format!(
        "signed for {region}/{service} id={id} by={by} session={session}"
    ))
}

fn read(request: &Received) -> Option<Signature<'_>> {
    let text = request.header("authorization")?;
    let text = text.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
    let (scope, text) = text.split_once(", SignedHeaders=")?;
    let (signed, value) = text.split_once(", Signature=")?;
    let [id, _, region, service, _] = scope.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    let headers = signed.split(';');
    let headers = headers.filter(|name| !name.starts_with("x-amz-"));
    Some(Signature {
        id,
        region,
        service,
        headers: headers
            .map(|name| (name, request.header(name).unwrap()))
            .collect(),
        value,
    })
}

/// The header that this key would have made of the request.
fn signed_with(request: &Received, signature: &Signature<'_>, key: &str) -> String {
    let session = request.header("x-amz-security-token").map(str::to_owned);
    let identity = Credentials::new(signature.id, key, session, None, "test").into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(signature.region)
        .name(signature.service)
        .time(time(request.header("x-amz-date").unwrap()))
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let uri = format!("http://{}{}", request.header("host").unwrap(), request.path);
    let body = SignableBody::Precomputed(hex::encode(Sha256::digest(&request.body)));
    let headers = signature.headers.iter().copied();
    let signable = SignableRequest::new("POST", uri, headers, body).unwrap();
    let (made, _) = sign(signable, &params.into()).unwrap().into_parts();
    let made = made.headers().find(|(name, _)| *name == "authorization");
    made.unwrap().1.to_owned()
}

/// `20261124T133312Z`, which is of today.
fn time(text: &str) -> SystemTime {
    let part = |from: usize| text[from..from + 2].parse::<u64>().unwrap();
    let of_day = part(9) * 3600 + part(11) * 60 + part(13);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let days = now.as_secs() / 86_400;
    // signed just before midnight
    let days = days - u64::from(of_day > now.as_secs() % 86_400);
    SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + of_day)
}
