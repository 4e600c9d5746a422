//! What a provider is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sign_in::{
    Aws, AzureEntra, GoogleServiceAccount, GoogleWorkloadIdentity, OauthClientCredentials,
};
use crate::{DnsLabel, DnsSubdomain, SecretKey, cel};

/// One way to sign in at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".apiKey",
        "has(self.apiKey) == (self.type == 'APIKey')",
        "'apiKey must be given if and only if type is APIKey; credential ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".aws",
        "has(self.aws) == (self.type == 'AWS')",
        "'aws must be given if and only if type is AWS; credential ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".azureEntra",
        "has(self.azureEntra) == (self.type == 'AzureEntra')",
        "'azureEntra must be given if and only if type is AzureEntra; credential ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".googleServiceAccount",
        "has(self.googleServiceAccount) == (self.type == 'GoogleServiceAccount')",
        "'googleServiceAccount must be given if and only if type is GoogleServiceAccount; credential ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".googleWorkloadIdentity",
        "!has(self.googleWorkloadIdentity) || self.type == 'GoogleWorkloadIdentity'",
        "'googleWorkloadIdentity is for type GoogleWorkloadIdentity only; credential ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".oauthClientCredentials",
        "has(self.oauthClientCredentials) == (self.type == 'OAuthClientCredentials')",
        "'oauthClientCredentials must be given if and only if type is OAuthClientCredentials; credential ' + self.name + ' has type ' + self.type"),
]))]
pub struct Credential {
    /// Unique in this provider; shown in logs and metrics, never the key itself.
    pub name: DnsLabel,
    /// APIKey: a key from a Secret. AWS: requests are signed (Signature Version 4). AzureEntra, GoogleServiceAccount, GoogleWorkloadIdentity, OAuthClientCredentials: a token (Authorization: Bearer TOKEN), renewed before it expires.
    pub r#type: CredentialType,
    /// With type APIKey: the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
    /// With type AWS: whose keys sign, and for what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Aws>,
    /// With type AzureEntra: the application that signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure_entra: Option<AzureEntra>,
    /// With type GoogleServiceAccount: the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_service_account: Option<GoogleServiceAccount>,
    /// With type GoogleWorkloadIdentity: which account of the pod. Omitted: its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_workload_identity: Option<GoogleWorkloadIdentity>,
    /// With type OAuthClientCredentials: the client, and where it gets its tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client_credentials: Option<OauthClientCredentials>,
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum CredentialType {
    APIKey,
    AWS,
    AzureEntra,
    GoogleServiceAccount,
    GoogleWorkloadIdentity,
    OAuthClientCredentials,
}

/// A value from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ApiKey {
    /// Where it is.
    pub secret_key_ref: SecretKeyRef,
}

impl Credential {
    /// The values from Secrets that it names, each with its field.
    pub fn secrets(&self) -> Vec<(&'static str, &SecretKeyRef)> {
        let keys = self.aws.as_ref().and_then(|aws| aws.keys.as_ref());
        let entra = self.azure_entra.as_ref();
        let google = self.google_service_account.as_ref();
        let oauth = self.oauth_client_credentials.as_ref();
        let named = [
            ("apiKey", self.api_key.as_ref()),
            ("aws.keys.accessKeyID", keys.map(|keys| &keys.access_key_id)),
            (
                "aws.keys.secretAccessKey",
                keys.map(|keys| &keys.secret_access_key),
            ),
            (
                "aws.keys.sessionToken",
                keys.and_then(|keys| keys.session_token.as_ref()),
            ),
            (
                "azureEntra.clientSecret",
                entra.and_then(|entra| entra.client_secret.as_ref()),
            ),
            (
                "googleServiceAccount.key",
                google.map(|account| &account.key),
            ),
            (
                "oauthClientCredentials.clientSecret",
                oauth.map(|client| &client.client_secret),
            ),
        ];
        let named = named.into_iter();
        named
            .filter_map(|(field, value)| Some((field, &value?.secret_key_ref)))
            .collect()
    }
}

/// One key of a Secret in the pool's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SecretKeyRef {
    /// The Secret, in the pool's namespace.
    pub name: DnsSubdomain,
    /// The key in it.
    pub key: SecretKey,
}
