//! Signing in with keys and tokens that do not last: what is shown to whom, and where it comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ApiKey, AwsName, TokenFile, TokenUrl, TokenWord, cel};

/// Keys of AWS, and for what they sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule_at(".keys",
        "has(self.keys) == (self.source == 'Static')",
        "'keys must be given if and only if source is Static; source is ' + self.source"),
    cel::rule_at(".source",
        "self.source == 'WebIdentity' || !(has(self.roleARN) || has(self.tokenFile) || has(self.stsURL))",
        "'roleARN, tokenFile and stsURL are for source WebIdentity only; source is ' + self.source"),
]))]
pub struct Aws {
    /// Static: keys from a Secret. WebIdentity: a role, by a token of the pod (IRSA). Container: EKS Pod Identity, or ECS. Instance: the role of the node, by its metadata service (IMDSv2).
    pub source: AwsSourceType,
    /// The region that is signed for. Omitted: the one in baseURL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<AwsName>,
    /// The service that is signed for. Omitted: bedrock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<AwsName>,
    /// With source Static: the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<AwsKeys>,
    /// With source WebIdentity: the role. Omitted: AWS_ROLE_ARN of the sidecar, which EKS sets.
    #[serde(default, rename = "roleARN", skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<TokenWord>,
    /// With source WebIdentity: the token of the pod. Omitted: AWS_WEB_IDENTITY_TOKEN_FILE of the sidecar, which EKS sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<TokenFile>,
    /// With source WebIdentity: where the role is asked for. Omitted: https://sts.REGION.amazonaws.com.
    #[serde(default, rename = "stsURL", skip_serializing_if = "Option::is_none")]
    pub sts_url: Option<TokenUrl>,
}

/// Where keys of AWS come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum AwsSourceType {
    Static,
    WebIdentity,
    Container,
    Instance,
}

/// Keys of AWS from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AwsKeys {
    /// The id of the access key.
    #[serde(rename = "accessKeyID")]
    pub access_key_id: ApiKey,
    /// The access key.
    pub secret_access_key: ApiKey,
    /// The token that belongs to temporary keys. Omitted: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<ApiKey>,
}

/// An application of Microsoft Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule_at(".clientSecret",
        "has(self.clientSecret) == (self.source == 'ClientSecret')",
        "'clientSecret must be given if and only if source is ClientSecret; source is ' + self.source"),
    cel::rule_at(".source",
        "self.source != 'ClientSecret' || (has(self.tenantID) && has(self.clientID))",
        "'source ' + self.source + ' needs tenantID and clientID'"),
    cel::rule_at(".tokenFile",
        "!has(self.tokenFile) || self.source == 'WorkloadIdentity'",
        "'tokenFile is for source WorkloadIdentity only; source is ' + self.source"),
]))]
pub struct AzureEntra {
    /// ClientSecret: by a secret of the application. WorkloadIdentity: by a token of the pod.
    pub source: EntraSourceType,
    /// The tenant, by id or domain. With source WorkloadIdentity it may be omitted: AZURE_TENANT_ID of the sidecar, which AKS sets.
    #[serde(default, rename = "tenantID", skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TokenWord>,
    /// The application. With source WorkloadIdentity it may be omitted: AZURE_CLIENT_ID of the sidecar, which AKS sets.
    #[serde(default, rename = "clientID", skip_serializing_if = "Option::is_none")]
    pub client_id: Option<TokenWord>,
    /// With source ClientSecret: the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ApiKey>,
    /// With source WorkloadIdentity: the token of the pod. Omitted: AZURE_FEDERATED_TOKEN_FILE of the sidecar, which AKS sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<TokenFile>,
    /// Where tokens are asked for, for example https://login.microsoftonline.us. Omitted: https://login.microsoftonline.com.
    #[serde(
        default,
        rename = "authorityURL",
        skip_serializing_if = "Option::is_none"
    )]
    pub authority_url: Option<TokenUrl>,
    /// What the token is for. Omitted: https://cognitiveservices.azure.com/.default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<TokenWord>,
}

/// How an application of Entra proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum EntraSourceType {
    ClientSecret,
    WorkloadIdentity,
}

/// A service account of Google Cloud, by its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct GoogleServiceAccount {
    /// The JSON key of the account.
    pub key: ApiKey,
    /// What the token is for. Omitted: https://www.googleapis.com/auth/cloud-platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Option<Vec<TokenWord>>,
    /// Where tokens are asked for. Omitted: what the key says.
    #[serde(default, rename = "tokenURL", skip_serializing_if = "Option::is_none")]
    pub token_url: Option<TokenUrl>,
}

/// The service account that the pod runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct GoogleWorkloadIdentity {
    /// The account, by its address. Omitted: the one that the metadata server calls default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<TokenWord>,
    /// What the token is for. Omitted: what the account may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Option<Vec<TokenWord>>,
}

/// A client of an OAuth 2.0 server, which gives tokens for its id and secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct OauthClientCredentials {
    /// Where tokens are asked for. Checked as baseURL is: by tls of this provider, and inside the pod only with locality Local.
    #[serde(rename = "tokenURL")]
    pub token_url: TokenUrl,
    /// The client.
    #[serde(rename = "clientID")]
    pub client_id: TokenWord,
    /// Its secret.
    pub client_secret: ApiKey,
    /// What the token is for. Omitted: what the server gives unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub scopes: Option<Vec<TokenWord>>,
    /// The parameter audience, which some servers ask for. Omitted: none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<TokenWord>,
    /// Where id and secret stand: Basic (the header Authorization), or Body. Omitted: Basic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authentication: Option<ClientAuthentication>,
}

/// Where id and secret of a client stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum ClientAuthentication {
    Basic,
    Body,
}
