//! How one credential of a provider shows who is asking.
//!
//! Generic over where its secrets are: an object of Kubernetes while it is judged, a [`SecretId`] in a payload, the value
//! itself in a sidecar.

use serde::{Deserialize, Serialize};

use crate::{SecretId, is_default};

/// What a credential is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignIn<S = SecretId> {
    /// A key, in the header that the dialect names.
    Key(S),
    /// Requests are signed with keys of AWS (Signature Version 4).
    Aws(Aws<S>),
    /// A token of Microsoft Entra.
    AzureEntra(AzureEntra<S>),
    /// A token for a service account of Google Cloud whose key is at hand.
    GoogleServiceAccount(GoogleServiceAccount<S>),
    /// A token for the service account that the pod runs as on Google Cloud.
    GoogleWorkloadIdentity(GoogleWorkloadIdentity),
    /// A token of an OAuth 2.0 server, by the grant `client_credentials` (RFC 6749, 4.4).
    OauthClientCredentials(OauthClientCredentials<S>),
}

/// Keys of AWS, and for what they sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Aws<S = SecretId> {
    /// For example `us-east-1`.
    pub region: String,
    /// The name of the service in the signature, for example `bedrock`.
    pub service: String,
    /// Where the keys come from.
    pub source: AwsSource<S>,
}

/// Where keys of AWS come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum AwsSource<S = SecretId> {
    /// They are given.
    #[serde(rename_all = "camelCase")]
    Static {
        /// The access key's id.
        access_key_id: S,
        /// The access key.
        secret_access_key: S,
        /// Of temporary keys.
        #[serde(default = "none", skip_serializing_if = "Option::is_none")]
        session_token: Option<S>,
    },
    /// `AssumeRoleWithWebIdentity` of STS, with a token of the pod.
    #[serde(rename_all = "camelCase")]
    WebIdentity {
        /// Empty: `AWS_ROLE_ARN` of the sidecar.
        #[serde(default, skip_serializing_if = "is_default")]
        role_arn: String,
        /// Empty: `AWS_WEB_IDENTITY_TOKEN_FILE` of the sidecar.
        #[serde(default, skip_serializing_if = "is_default")]
        token_file: String,
        /// Empty: STS of the region.
        #[serde(default, skip_serializing_if = "is_default")]
        sts_url: String,
    },
    /// The agent that `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `…_RELATIVE_URI` of the sidecar names: EKS Pod Identity, ECS.
    Container,
    /// The instance's metadata service, version 2.
    Instance,
}

/// An application of Microsoft Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AzureEntra<S = SecretId> {
    /// Empty: `AZURE_AUTHORITY_HOST` of the sidecar, or else `https://login.microsoftonline.com`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub authority_url: String,
    /// Empty: `AZURE_TENANT_ID` of the sidecar.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tenant_id: String,
    /// Empty: `AZURE_CLIENT_ID` of the sidecar.
    #[serde(default, skip_serializing_if = "is_default")]
    pub client_id: String,
    /// What the token is for.
    pub scope: String,
    /// How the application proves who it is.
    pub source: EntraSource<S>,
}

/// How an application of Entra proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub enum EntraSource<S = SecretId> {
    /// By a secret.
    ClientSecret(S),
    /// By a token of the pod.
    #[serde(rename_all = "camelCase")]
    WorkloadIdentity {
        /// Empty: `AZURE_FEDERATED_TOKEN_FILE` of the sidecar.
        #[serde(default, skip_serializing_if = "is_default")]
        token_file: String,
    },
}

/// A service account of Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GoogleServiceAccount<S = SecretId> {
    /// The JSON key.
    pub key: S,
    /// What the token is for.
    pub scopes: Vec<String>,
    /// Empty: the key's own `token_uri`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_url: String,
}

/// The service account that the pod runs as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GoogleWorkloadIdentity {
    /// Its name at the metadata server: `default` or an address.
    pub service_account: String,
    /// What the token is for; empty: what the account may.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scopes: Vec<String>,
}

/// A client of an OAuth 2.0 server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OauthClientCredentials<S = SecretId> {
    /// Where tokens are asked for.
    pub token_url: String,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: S,
    /// What the token is for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scopes: Vec<String>,
    /// The parameter `audience`; empty: not sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience: String,
    /// Where id and secret stand.
    #[serde(default, skip_serializing_if = "is_default")]
    pub authentication: ClientAuthentication,
}

/// Where id and secret of a client stand (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientAuthentication {
    /// In the header `Authorization`.
    #[default]
    Basic,
    /// In the body.
    Body,
}

fn none<S>() -> Option<S> {
    None
}

// === impl SignIn ===

impl<S> SignIn<S> {
    /// The name of the way, as pools have it: the `type` of a credential.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "APIKey",
            Self::Aws(_) => "AWS",
            Self::AzureEntra(_) => "AzureEntra",
            Self::GoogleServiceAccount(_) => "GoogleServiceAccount",
            Self::GoogleWorkloadIdentity(_) => "GoogleWorkloadIdentity",
            Self::OauthClientCredentials(_) => "OAuthClientCredentials",
        }
    }

    /// The same with other secrets; `change` is asked for each.
    pub fn try_map<T, E>(self, mut change: impl FnMut(S) -> Result<T, E>) -> Result<SignIn<T>, E> {
        Ok(match self {
            Self::Key(key) => SignIn::Key(change(key)?),
            Self::Aws(aws) => SignIn::Aws(Aws {
                region: aws.region,
                service: aws.service,
                source: aws.source.try_map(change)?,
            }),
            Self::AzureEntra(entra) => SignIn::AzureEntra(AzureEntra {
                authority_url: entra.authority_url,
                tenant_id: entra.tenant_id,
                client_id: entra.client_id,
                scope: entra.scope,
                source: match entra.source {
                    EntraSource::ClientSecret(secret) => EntraSource::ClientSecret(change(secret)?),
                    EntraSource::WorkloadIdentity { token_file } => {
                        EntraSource::WorkloadIdentity { token_file }
                    }
                },
            }),
            Self::GoogleServiceAccount(account) => {
                SignIn::GoogleServiceAccount(GoogleServiceAccount {
                    key: change(account.key)?,
                    scopes: account.scopes,
                    token_url: account.token_url,
                })
            }
            Self::GoogleWorkloadIdentity(identity) => SignIn::GoogleWorkloadIdentity(identity),
            Self::OauthClientCredentials(client) => {
                SignIn::OauthClientCredentials(OauthClientCredentials {
                    token_url: client.token_url,
                    client_id: client.client_id,
                    client_secret: change(client.client_secret)?,
                    scopes: client.scopes,
                    audience: client.audience,
                    authentication: client.authentication,
                })
            }
        })
    }

    /// Its secrets.
    pub fn secrets(&self) -> Vec<&S> {
        match self {
            Self::Key(secret)
            | Self::GoogleServiceAccount(GoogleServiceAccount { key: secret, .. })
            | Self::OauthClientCredentials(OauthClientCredentials {
                client_secret: secret,
                ..
            })
            | Self::AzureEntra(AzureEntra {
                source: EntraSource::ClientSecret(secret),
                ..
            }) => vec![secret],
            Self::Aws(Aws {
                source:
                    AwsSource::Static {
                        access_key_id,
                        secret_access_key,
                        session_token,
                    },
                ..
            }) => [access_key_id, secret_access_key]
                .into_iter()
                .chain(session_token)
                .collect(),
            Self::Aws(_) | Self::AzureEntra(_) | Self::GoogleWorkloadIdentity(_) => Vec::new(),
        }
    }

    /// The feature that a reader must have for it, beyond those of every reader.
    pub fn feature(&self) -> Option<&'static str> {
        match self {
            Self::Key(_) => None,
            Self::Aws(_) => Some("signIn.aws"),
            Self::AzureEntra(_) => Some("signIn.azureEntra"),
            Self::GoogleServiceAccount(_) => Some("signIn.googleServiceAccount"),
            Self::GoogleWorkloadIdentity(_) => Some("signIn.googleWorkloadIdentity"),
            Self::OauthClientCredentials(_) => Some("signIn.oauthClientCredentials"),
        }
    }

    /// The URL that it names, with its field.
    pub fn url(&self) -> Option<(&'static str, &str)> {
        let (field, url) = match self {
            Self::Aws(Aws {
                source: AwsSource::WebIdentity { sts_url, .. },
                ..
            }) => ("aws.source.webIdentity.stsUrl", sts_url),
            Self::AzureEntra(entra) => ("azureEntra.authorityUrl", &entra.authority_url),
            Self::GoogleServiceAccount(account) => {
                ("googleServiceAccount.tokenUrl", &account.token_url)
            }
            Self::OauthClientCredentials(client) => {
                ("oauthClientCredentials.tokenUrl", &client.token_url)
            }
            Self::Key(_) | Self::Aws(_) | Self::GoogleWorkloadIdentity(_) => return None,
        };
        let optional = !matches!(self, Self::OauthClientCredentials(_));
        (!(optional && url.is_empty())).then_some((field, url))
    }
}

impl<S> AwsSource<S> {
    fn try_map<T, E>(self, mut change: impl FnMut(S) -> Result<T, E>) -> Result<AwsSource<T>, E> {
        Ok(match self {
            Self::Static {
                access_key_id,
                secret_access_key,
                session_token,
            } => AwsSource::Static {
                access_key_id: change(access_key_id)?,
                secret_access_key: change(secret_access_key)?,
                session_token: session_token.map(change).transpose()?,
            },
            Self::WebIdentity {
                role_arn,
                token_file,
                sts_url,
            } => AwsSource::WebIdentity {
                role_arn,
                token_file,
                sts_url,
            },
            Self::Container => AwsSource::Container,
            Self::Instance => AwsSource::Instance,
        })
    }
}
