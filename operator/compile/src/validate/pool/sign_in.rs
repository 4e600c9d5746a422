//! How a provider is signed in at: from what is written to what a sidecar does, with the defaults filled in.

use fkm_crds::{
    ApiKey, Aws as AwsSpec, AwsSourceType, AzureEntra as EntraSpec, ClientAuthentication as Where,
    Credential, CredentialType, EntraSourceType, GoogleServiceAccount as AccountSpec,
    GoogleWorkloadIdentity as WorkloadSpec, OauthClientCredentials as ClientSpec, ProviderType,
    TokenUrl, TokenWord,
};
use fkm_snapshot::{
    Aws, AwsSource, AzureEntra, ClientAuthentication, EntraSource, GoogleServiceAccount,
    GoogleWorkloadIdentity, OauthClientCredentials, SignIn,
};
use url::Url;

use super::Judge;
use crate::Form;
use crate::validate::base_url::base_url;
use crate::validate::duplicates;

/// What Azure's model services are called as resources of Entra.
const AZURE_SCOPE: &str = "https://cognitiveservices.azure.com/.default";
/// Everything that the account may do in Google Cloud; the narrowest scope that Vertex AI takes.
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A credential, with its secrets as the pool names them.
#[derive(Clone, Debug)]
pub(crate) struct ValidCredential {
    pub(crate) name: String,
    pub(crate) sign_in: SignIn<SecretAt>,
}

/// A key of a Secret in the pool's namespace.
#[derive(Clone, Debug)]
pub(crate) struct SecretAt {
    /// Where it is named, from the provider on: `credentials[0].apiKey.secretKeyRef`.
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) key: String,
    /// What the value may be at most.
    pub(crate) form: Form,
}

/// One credential, while it is judged.
struct One<'a> {
    /// `credentials[0]`.
    path: String,
    /// Where the provider listens, as far as it is known.
    base_url: Option<&'a str>,
}

// === impl Judge ===

impl Judge<'_> {
    /// The credentials of a provider that listens at `base_url`.
    pub(super) fn credentials(&mut self, base_url: Option<&str>) -> Vec<ValidCredential> {
        let given = self.spec.credentials.as_deref().unwrap_or_default();
        let names = given.iter().map(|credential| credential.name.0.as_str());
        duplicates(&format!("{}.credentials", self.path), names, self.faults);
        let mut valid = Vec::new();
        for (index, credential) in given.iter().enumerate() {
            let one = One {
                path: format!("credentials[{index}]"),
                base_url,
            };
            if self.spec.r#type != ProviderType::OpenAICompatible
                && credential.r#type != CredentialType::APIKey
            {
                let message = format!(
                    "type {:?} signs in by an APIKey only; for anything else use type OpenAICompatible with its preset",
                    self.spec.r#type
                );
                self.invalid(&format!("{}.type", one.path), message);
                continue;
            }
            if let Some(sign_in) = self.sign_in(&one, credential) {
                valid.push(ValidCredential {
                    name: credential.name.0.clone(),
                    sign_in,
                });
            }
        }
        valid
    }

    fn sign_in(&mut self, one: &One<'_>, credential: &Credential) -> Option<SignIn<SecretAt>> {
        let (field, sign_in) = match credential.r#type {
            CredentialType::APIKey => {
                let key = credential.api_key.as_ref();
                (
                    "apiKey",
                    key.map(|key| SignIn::Key(one.secret("apiKey", key))),
                )
            }
            CredentialType::AWS => match &credential.aws {
                Some(aws) => return self.aws(one, aws).map(SignIn::Aws),
                None => ("aws", None),
            },
            CredentialType::AzureEntra => match &credential.azure_entra {
                Some(entra) => return self.entra(one, entra).map(SignIn::AzureEntra),
                None => ("azureEntra", None),
            },
            CredentialType::GoogleServiceAccount => match &credential.google_service_account {
                Some(account) => {
                    let account = self.google_account(one, account);
                    return account.map(SignIn::GoogleServiceAccount);
                }
                None => ("googleServiceAccount", None),
            },
            CredentialType::GoogleWorkloadIdentity => {
                let identity = google_workload(credential.google_workload_identity.as_ref());
                return Some(SignIn::GoogleWorkloadIdentity(identity));
            }
            CredentialType::OAuthClientCredentials => match &credential.oauth_client_credentials {
                Some(client) => {
                    let client = self.oauth_client(one, client);
                    return client.map(SignIn::OauthClientCredentials);
                }
                None => ("oauthClientCredentials", None),
            },
        };
        if sign_in.is_none() {
            let message = format!("type {:?} needs it", credential.r#type);
            self.invalid(&format!("{}.{field}", one.path), message);
        }
        sign_in
    }

    fn aws(&mut self, one: &One<'_>, spec: &AwsSpec) -> Option<Aws<SecretAt>> {
        let at = format!("{}.aws", one.path);
        let source = match (spec.source, &spec.keys) {
            (AwsSourceType::Static, Some(keys)) => AwsSource::Static {
                access_key_id: one.secret("aws.keys.accessKeyID", &keys.access_key_id),
                secret_access_key: one.secret("aws.keys.secretAccessKey", &keys.secret_access_key),
                session_token: keys
                    .session_token
                    .as_ref()
                    .map(|token| one.secret("aws.keys.sessionToken", token)),
            },
            (AwsSourceType::Static, None) => {
                self.invalid(&format!("{at}.keys"), "source Static needs them");
                return None;
            }
            (AwsSourceType::WebIdentity, _) => AwsSource::WebIdentity {
                role_arn: text(spec.role_arn.as_ref()),
                token_file: spec
                    .token_file
                    .as_ref()
                    .map(|file| file.0.clone())
                    .unwrap_or_default(),
                sts_url: self.token_url(&format!("{at}.stsURL"), spec.sts_url.as_ref())?,
            },
            (AwsSourceType::Container, _) => AwsSource::Container,
            (AwsSourceType::Instance, _) => AwsSource::Instance,
        };
        let region = spec.region.as_ref().map(|region| region.0.clone());
        let region = region.or_else(|| one.base_url.and_then(region_of));
        let Some(region) = region else {
            let message = "it is not in baseURL either; give the region, for example us-east-1";
            self.invalid(&format!("{at}.region"), message);
            return None;
        };
        let service = spec.service.as_ref().map(|service| service.0.clone());
        Some(Aws {
            region,
            service: service.unwrap_or_else(|| "bedrock".to_owned()),
            source,
        })
    }

    fn entra(&mut self, one: &One<'_>, spec: &EntraSpec) -> Option<AzureEntra<SecretAt>> {
        let at = format!("{}.azureEntra", one.path);
        let source = match (spec.source, &spec.client_secret) {
            (EntraSourceType::ClientSecret, Some(secret)) => {
                EntraSource::ClientSecret(one.secret("azureEntra.clientSecret", secret))
            }
            (EntraSourceType::ClientSecret, None) => {
                let message = "source ClientSecret needs it";
                self.invalid(&format!("{at}.clientSecret"), message);
                return None;
            }
            (EntraSourceType::WorkloadIdentity, _) => EntraSource::WorkloadIdentity {
                token_file: spec
                    .token_file
                    .as_ref()
                    .map(|file| file.0.clone())
                    .unwrap_or_default(),
            },
        };
        let scope = text(spec.scope.as_ref());
        Some(AzureEntra {
            authority_url: self
                .token_url(&format!("{at}.authorityURL"), spec.authority_url.as_ref())?,
            tenant_id: text(spec.tenant_id.as_ref()),
            client_id: text(spec.client_id.as_ref()),
            scope: match scope.is_empty() {
                true => AZURE_SCOPE.to_owned(),
                false => scope,
            },
            source,
        })
    }

    fn google_account(
        &mut self,
        one: &One<'_>,
        spec: &AccountSpec,
    ) -> Option<GoogleServiceAccount<SecretAt>> {
        let at = format!("{}.googleServiceAccount.tokenURL", one.path);
        let scopes = texts(spec.scopes.as_deref());
        Some(GoogleServiceAccount {
            // The JSON that Google gives has several lines.
            key: SecretAt {
                form: Form::Lines,
                ..one.secret("googleServiceAccount.key", &spec.key)
            },
            scopes: match scopes.is_empty() {
                true => vec![GOOGLE_SCOPE.to_owned()],
                false => scopes,
            },
            token_url: self.token_url(&at, spec.token_url.as_ref())?,
        })
    }

    fn oauth_client(
        &mut self,
        one: &One<'_>,
        spec: &ClientSpec,
    ) -> Option<OauthClientCredentials<SecretAt>> {
        let at = format!("{}.oauthClientCredentials.tokenURL", one.path);
        Some(OauthClientCredentials {
            token_url: self.token_url(&at, Some(&spec.token_url))?,
            client_id: spec.client_id.0.clone(),
            client_secret: one.secret("oauthClientCredentials.clientSecret", &spec.client_secret),
            scopes: texts(spec.scopes.as_deref()),
            audience: text(spec.audience.as_ref()),
            authentication: match spec.client_authentication {
                None | Some(Where::Basic) => ClientAuthentication::Basic,
                Some(Where::Body) => ClientAuthentication::Body,
            },
        })
    }

    /// The URL in its one spelling, empty where none is given; `None` where it is wrong. What is shown there is worth as
    /// much as a key, so it is encrypted unless it stays in the cluster.
    fn token_url(&mut self, field: &str, given: Option<&TokenUrl>) -> Option<String> {
        let Some(given) = given else {
            return Some(String::new());
        };
        let url = base_url(&given.0, self.is_local()).and_then(|url| {
            if url.starts_with("http://") && !self.is_local() {
                return Err(format!(
                    "{url:?} is not encrypted; use https, or set locality.scope to Local if it is near"
                ));
            }
            Ok(url)
        });
        url.map_err(|message| self.invalid(field, message)).ok()
    }
}

// === impl One ===

impl One<'_> {
    fn secret(&self, field: &str, value: &ApiKey) -> SecretAt {
        SecretAt {
            path: format!("{}.{field}.secretKeyRef", self.path),
            name: value.secret_key_ref.name.0.clone(),
            key: value.secret_key_ref.key.0.clone(),
            form: Form::Line,
        }
    }
}

fn google_workload(spec: Option<&WorkloadSpec>) -> GoogleWorkloadIdentity {
    let account = spec.and_then(|spec| spec.service_account.as_ref());
    GoogleWorkloadIdentity {
        service_account: account.map_or_else(|| "default".to_owned(), |account| account.0.clone()),
        scopes: texts(spec.and_then(|spec| spec.scopes.as_deref())),
    }
}

/// The region in a host of Amazon's: `bedrock-runtime.us-east-1.amazonaws.com`, also of China, FIPS and dual-stack
/// (`….api.aws`), and of an interface endpoint (`….bedrock-runtime.us-east-1.vpce.amazonaws.com`).
fn region_of(base_url: &str) -> Option<String> {
    let url = Url::parse(base_url).ok()?;
    let host = url.host_str()?;
    let inner = [
        ".vpce.amazonaws.com.cn",
        ".vpce.amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.com",
        ".api.aws",
    ]
    .iter()
    .find_map(|suffix| host.strip_suffix(suffix))?;
    let (_, region) = inner.rsplit_once('.')?;
    Some(region.to_owned())
}

fn text(word: Option<&TokenWord>) -> String {
    word.map(|word| word.0.clone()).unwrap_or_default()
}

fn texts(words: Option<&[TokenWord]>) -> Vec<String> {
    let words = words.unwrap_or_default();
    words.iter().map(|word| word.0.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_hosts_of_amazons_alone() {
        for (url, region) in [
            (
                "https://bedrock-runtime.us-east-1.amazonaws.com",
                Some("us-east-1"),
            ),
            (
                "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
                Some("us-gov-west-1"),
            ),
            (
                "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
                Some("cn-north-1"),
            ),
            (
                "https://bedrock-mantle.eu-central-1.api.aws/v1",
                Some("eu-central-1"),
            ),
            (
                "https://vpce-0a-b.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
                Some("eu-west-1"),
            ),
            ("https://gateway.example.com", None),
            ("https://amazonaws.com.example.com", None),
            ("http://127.0.0.1:9000", None),
        ] {
            assert_eq!(region_of(url).as_deref(), region, "{url}");
        }
    }
}
