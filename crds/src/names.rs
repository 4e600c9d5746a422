//! Strings with a form: names, patterns, URLs. Each carries its form into the schema.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::cel;

/// A DNS label: lower-case letters, digits and `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DnsLabel(pub String);

/// The name of a Kubernetes object: DNS labels with dots between.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DnsSubdomain(pub String);

/// The name of a model: printable ASCII without spaces and without `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelName(pub String);

/// The name of a model, or one `*` at its start or end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelPattern(pub String);

/// A key of a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretKey(pub String);

/// The name of a member of a request: letters, digits and `_`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberName(pub String);

/// A path of a URL, perhaps with a query; `{model}` may stand in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestPath(pub String);

/// An absolute http or https URL, without credentials, query or fragment; or `unix://` with the path of a socket, perhaps
/// followed by `:` and the path of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BaseUrl(pub String);

/// The address of a server that gives tokens: an absolute http or https URL, without credentials, query or fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenUrl(pub String);

/// What servers that give tokens call things: ids, scopes, audiences. Printable ASCII without spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenWord(pub String);

/// A region or a service of AWS: lower-case letters, digits and `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AwsName(pub String);

/// A file of a projected token: below `/var/run/secrets`, and nothing else of what a sidecar can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenFile(pub String);

/// The http or https URL of a proxy: host and port alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProxyUrl(pub String);

/// A host, perhaps with a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostAndPort(pub String);

/// Hosts: a name, `*.` and a name for all below it, or `*` for any; perhaps with a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostPattern(pub String);

fn proxy_url_schema() -> Schema {
    let absolute = "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''";
    let bare = r"self.matches('^[^@?#]*$') && self.matches('^[a-zA-Z0-9]+://[^/]*/?$')";
    let rules = [
        cel::rule(
            absolute,
            "'the url of a proxy must be an absolute http or https URL, for SOCKS is not spoken; write for example http://proxy.example.com:3128, a proxy that takes CONNECT'",
        ),
        cel::rule(
            bare,
            "'the url of a proxy must be host and port alone; put user and password into a Secret, and name it in credentialsRef'",
        ),
    ];
    json_schema!({"type": "string", "minLength": 1, "maxLength": 1024, "x-kubernetes-validations": rules})
}

fn base_url_schema() -> Schema {
    url_schema(
        "baseURL",
        "self.startsWith('unix:///') || ",
        "https://api.example.com/v1, or unix:///run/server.sock:/v1 for a socket",
    )
}

/// An http or https URL, or what `or` lets pass.
fn url_schema(field: &str, or: &str, example: &str) -> Schema {
    let absolute = format!(
        "{or}isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''"
    );
    let bare = "!self.contains('@') && !self.contains('?') && !self.contains('#')";
    let link_local = r"!self.matches('(?i)^https?://(169[.]254[.]|\\[fe[89ab][0-9a-f]:)')";
    let rules = [
        cel::rule(
            &absolute,
            &format!(
                "'{field} ' + self + ' is not an absolute http or https URL; write for example {example}'"
            ),
        ),
        cel::rule(
            bare,
            &format!(
                "'{field} must not have credentials, a query or a fragment (@, ? or #); put keys into credentials'"
            ),
        ),
        cel::rule(
            link_local,
            &format!(
                "'{field} ' + self + ' is a link-local address, where clouds keep their metadata; name the address of the provider'"
            ),
        ),
    ];
    json_schema!({"type": "string", "minLength": 1, "maxLength": 1024, "x-kubernetes-validations": rules})
}

/// The schema of one string type, and its conversions.
macro_rules! string_form {
    ($name:ident, $schema:expr) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_form!(
    DnsLabel,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"})
);
string_form!(
    DnsSubdomain,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"})
);
string_form!(
    ModelName,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[!-)+-~]+$"})
);
string_form!(
    ModelPattern,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": r"^(\*|\*?[!-)+-~]+|[!-)+-~]+\*)$"})
);
string_form!(
    SecretKey,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^[-._a-zA-Z0-9]+$"})
);
string_form!(
    MemberName,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})
);
string_form!(
    RequestPath,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": r"^/([A-Za-z0-9._~:@!$&'()*+,;=/?%-]|\{model\})*$"})
);
string_form!(BaseUrl, base_url_schema());
string_form!(
    TokenUrl,
    url_schema("URL", "", "https://login.example.com/oauth2/token")
);
string_form!(
    TokenWord,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[!-~]+$"})
);
string_form!(
    AwsName,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9-]+$"})
);
string_form!(
    TokenFile,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 253, "pattern": "^/var/run/secrets(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$"})
);
string_form!(ProxyUrl, proxy_url_schema());
string_form!(
    HostAndPort,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 259, "pattern": "^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$"})
);
string_form!(
    HostPattern,
    json_schema!({"type": "string", "minLength": 1, "maxLength": 259, "pattern": r"^(\*|(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)(:[1-9][0-9]{0,4})?$"})
);
