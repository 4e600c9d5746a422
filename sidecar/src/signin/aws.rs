//! Keys of AWS: given, of a role by a token of the pod, of a container platform's agent, of the instance.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_smithy_types::date_time::{DateTime, Format};
use http::{HeaderName, HeaderValue, Method, header};
use serde::Deserialize;

use super::clock::{self, Clock};
use super::endpoint::{Endpoint, Reply, element};
use super::error::SignInError;
use super::metadata::Metadata;
use super::token::{Granted, Material};
use super::token_file::read_file;

/// Version of the query API of STS.
const STS_VERSION: &str = "2011-06-15";

/// Where instance metadata is, unless the platform says otherwise.
pub(super) const IMDS: &str = "http://169.254.169.254";
/// What relative URIs of ECS are below.
pub(super) const ECS: &str = "http://169.254.170.2";

const IMDS_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const IMDS_TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// A role that the pod may take.
#[derive(Debug)]
pub(crate) struct WebIdentity {
    pub(super) sts: Endpoint,
    pub(super) role: String,
    pub(super) session: String,
    pub(super) token_file: PathBuf,
}

/// The agent of a container platform.
#[derive(Debug)]
pub(crate) struct Container {
    pub(super) metadata: Metadata,
    pub(super) uri: String,
    pub(super) token_file: Option<PathBuf>,
}

/// The instance's metadata service, version 2.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(super) metadata: Metadata,
    /// Without a slash at its end.
    pub(super) endpoint: String,
}

/// What agents and instance metadata answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

// === impl WebIdentity ===

impl WebIdentity {
    /// `AssumeRoleWithWebIdentity`: unsigned, the token proves it.
    pub(super) async fn fetch(&self, clock: &Clock) -> Result<Granted, SignInError> {
        let token = read_file(&self.token_file).await?;
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", STS_VERSION),
            ("RoleArn", &self.role),
            ("RoleSessionName", &self.session),
            ("WebIdentityToken", &token),
        ];
        let reply = self.sts.post(&form, None).await?.good(&[&token])?;
        let text = String::from_utf8_lossy(&reply.body);
        let part =
            |tag| element(&text, tag).ok_or_else(|| reply.wrong("it lacks a part of the keys"));
        let keys = Keys {
            access_key_id: part("AccessKeyId")?.to_owned(),
            secret_access_key: part("SecretAccessKey")?.to_owned(),
            token: Some(part("SessionToken")?.to_owned()),
            expiration: Some(part("Expiration")?.to_owned()),
        };
        keys.granted(&reply, clock)
    }
}

// === impl Container ===

impl Container {
    pub(super) async fn fetch(&self, clock: &Clock) -> Result<Granted, SignInError> {
        let mut headers = Vec::new();
        let mut shown = String::new();
        if let Some(file) = &self.token_file {
            shown = read_file(file).await?;
            let mut value = HeaderValue::from_str(&shown).map_err(|_| SignInError::File {
                path: file.display().to_string(),
                kind: std::io::ErrorKind::InvalidData,
            })?;
            value.set_sensitive(true);
            headers.push((header::AUTHORIZATION, value));
        }
        let reply = self.metadata.ask(Method::GET, &self.uri, &headers).await?;
        Keys::read(&reply.good(&[&shown])?, clock)
    }
}

// === impl Instance ===

impl Instance {
    pub(super) async fn fetch(&self, clock: &Clock) -> Result<Granted, SignInError> {
        let ttl = [(IMDS_TTL, HeaderValue::from_static("60"))];
        let uri = format!("{}/latest/api/token", self.endpoint);
        let reply = self
            .metadata
            .ask(Method::PUT, &uri, &ttl)
            .await?
            .good(&[])?;
        let mut token = HeaderValue::from_bytes(&reply.body)
            .map_err(|_| reply.wrong("it is no session token"))?;
        token.set_sensitive(true);
        let token = [(IMDS_TOKEN, token)];
        let roles = format!(
            "{}/latest/meta-data/iam/security-credentials/",
            self.endpoint
        );
        let reply = self
            .metadata
            .ask(Method::GET, &roles, &token)
            .await?
            .good(&[])?;
        let role = std::str::from_utf8(&reply.body).unwrap_or_default();
        let role = role.lines().next().unwrap_or_default().trim();
        if role.is_empty() {
            return Err(reply.wrong("the instance has no role"));
        }
        let uri = format!("{roles}{role}");
        let reply = self.metadata.ask(Method::GET, &uri, &token).await?;
        Keys::read(&reply.good(&[])?, clock)
    }
}

// === impl Keys ===

impl Keys {
    fn read(reply: &Reply, clock: &Clock) -> Result<Granted, SignInError> {
        let keys: Self = serde_json::from_slice(&reply.body)
            .map_err(|_| reply.wrong("it is not JSON with a pair of keys"))?;
        keys.granted(reply, clock)
    }

    fn granted(self, reply: &Reply, clock: &Clock) -> Result<Granted, SignInError> {
        let lifetime = match &self.expiration {
            None => None,
            Some(end) => {
                // By the clock of who said it, so that ours does not matter.
                let now = clock::date(&reply.headers).unwrap_or_else(|| clock.now());
                let left = left(end, now)
                    .ok_or_else(|| reply.wrong("its Expiration is over, or is no time"))?;
                Some(left)
            }
        };
        let keys = credentials(self.access_key_id, self.secret_access_key, self.token);
        Ok(Granted {
            material: Material::Aws(keys),
            lifetime,
        })
    }
}

/// Keys, whose end is kept apart.
pub(super) fn credentials(id: String, secret: String, session: Option<String>) -> Credentials {
    Credentials::new(id, secret, session, None, "fkm-sidecar")
}

/// How long it is from `now` to a moment in ISO 8601.
fn left(end: &str, now: SystemTime) -> Option<Duration> {
    let end = DateTime::from_str(end, Format::DateTime).ok()?;
    let end = SystemTime::try_from(end).ok()?;
    end.duration_since(now).ok().filter(|left| !left.is_zero())
}

/// Where a region's STS is.
pub(super) fn sts_of(region: &str) -> String {
    let suffix = match region.starts_with("cn-") {
        true => "amazonaws.com.cn",
        false => "amazonaws.com",
    };
    format!("https://sts.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_end_is_measured_from_the_servers_now() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(
            left("2023-11-14T23:13:20Z", now),
            Some(Duration::from_hours(1))
        );
        assert_eq!(left("2023-11-14T22:13:20Z", now), None);
        assert_eq!(left("tomorrow", now), None);
    }

    #[test]
    fn every_partition_has_its_sts() {
        assert_eq!(sts_of("eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
        assert_eq!(
            sts_of("cn-north-1"),
            "https://sts.cn-north-1.amazonaws.com.cn"
        );
    }
}
