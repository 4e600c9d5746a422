//! Where tokens come from: one of the vendors' ways, with all that it needs at hand.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use aws_credential_types::Credentials;
use fkm_snapshot::{Aws, AwsSource, AzureEntra, EntraSource, GoogleServiceAccount, SignIn};
use secrecy::{ExposeSecret, SecretString};

use super::ambient::Ambient;
use super::clock::Clock;
use super::endpoint::Endpoint;
use super::error::SignInError;
use super::live::Shows;
use super::metadata::Metadata;
use super::token::{Granted, Material};
use super::{aws, entra, google, jwt, oauth};

/// A way to get tokens or keys.
#[derive(Debug)]
pub(crate) enum Source {
    Given(Credentials),
    WebIdentity(aws::WebIdentity),
    Container(aws::Container),
    Instance(aws::Instance),
    Entra(entra::Application),
    GoogleAccount(Box<google::Account>),
    GoogleWorkload(google::Workload),
    Oauth(oauth::Client),
    /// The platform did not set what it needs: its requests fail, and those with other credentials do not.
    Unset(SignInError),
}

/// A secret that cannot be used, which a person must mend; or an address that cannot be dialled.
#[derive(Debug)]
pub(crate) struct UnusableSecret(pub(crate) String);

/// Whose word an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// The pool's: trusted as the provider is.
    ByPool,
    /// The vendor's, or the platform's: by the public roots.
    ByVendor,
}

/// What sources are made of.
pub(crate) struct Parts<'a> {
    pub(crate) ambient: &'a Ambient,
    pub(crate) metadata: &'a Metadata,
    /// Makes the way to an address; an error says what is wrong with it.
    pub(crate) endpoint: &'a mut dyn FnMut(&str, Named) -> Result<Endpoint, UnusableSecret>,
}

// === impl Source ===

impl Source {
    /// Asks for a token.
    pub(crate) async fn fetch(&self, clock: Arc<Clock>) -> Result<Granted, SignInError> {
        match self {
            Self::Given(keys) => Ok(Granted {
                material: Material::Aws(keys.clone()),
                lifetime: None,
            }),
            Self::WebIdentity(role) => role.fetch(&clock).await,
            Self::Container(container) => container.fetch(&clock).await,
            Self::Instance(instance) => instance.fetch(&clock).await,
            Self::Entra(application) => application.fetch().await,
            Self::GoogleAccount(account) => account.fetch(&clock).await,
            Self::GoogleWorkload(workload) => workload.fetch().await,
            Self::Oauth(client) => client.fetch().await,
            Self::Unset(error) => Err(error.clone()),
        }
    }
}

// === impl Parts ===

impl Parts<'_> {
    /// The source of a credential, and how what it gives is shown. `None`: it is a key, which has none.
    pub(crate) fn source(
        &mut self,
        sign_in: &SignIn<SecretString>,
    ) -> Result<Option<(Source, Shows)>, UnusableSecret> {
        let source = match sign_in {
            SignIn::Key(_) => return Ok(None),
            SignIn::Aws(aws) => {
                let shows = Shows::Signature {
                    region: aws.region.clone(),
                    service: aws.service.clone(),
                };
                return Ok(Some((self.aws(aws)?, shows)));
            }
            SignIn::AzureEntra(entra) => self.entra(entra)?,
            SignIn::GoogleServiceAccount(account) => self.google_account(account)?,
            SignIn::GoogleWorkloadIdentity(identity) => {
                let host = self.ambient.gce_metadata_host.as_deref();
                let host = host.unwrap_or(google::METADATA_HOST);
                Source::GoogleWorkload(google::Workload {
                    metadata: self.metadata.clone(),
                    uri: google::Workload::uri(host, &identity.service_account, &identity.scopes),
                })
            }
            SignIn::OauthClientCredentials(client) => Source::Oauth(oauth::Client {
                endpoint: (self.endpoint)(&client.token_url, Named::ByPool)?,
                id: client.client_id.clone(),
                secret: client.client_secret.clone(),
                scope: client.scopes.join(" "),
                audience: client.audience.clone(),
                authentication: client.authentication,
            }),
        };
        Ok(Some((source, Shows::Token)))
    }

    fn aws(&mut self, aws: &Aws<SecretString>) -> Result<Source, UnusableSecret> {
        let ambient = self.ambient;
        Ok(match &aws.source {
            AwsSource::Static {
                access_key_id,
                secret_access_key,
                session_token,
            } => {
                let text = |secret: &SecretString| secret.expose_secret().trim().to_owned();
                Source::Given(aws::credentials(
                    text(access_key_id),
                    text(secret_access_key),
                    session_token.as_ref().map(text),
                ))
            }
            AwsSource::WebIdentity {
                role_arn,
                token_file,
                sts_url,
            } => {
                let Some(role) = either(role_arn, ambient.aws_role_arn.as_deref()) else {
                    return Ok(Source::Unset(SignInError::Unset("AWS_ROLE_ARN")));
                };
                let file = either_file(token_file, ambient.aws_web_identity_token_file.as_ref());
                let Some(token_file) = file else {
                    let unset = SignInError::Unset("AWS_WEB_IDENTITY_TOKEN_FILE");
                    return Ok(Source::Unset(unset));
                };
                let sts = match sts_url.is_empty() {
                    true => (self.endpoint)(&aws::sts_of(&aws.region), Named::ByVendor)?,
                    false => (self.endpoint)(sts_url, Named::ByPool)?,
                };
                let session = ambient.aws_role_session_name.as_deref();
                Source::WebIdentity(aws::WebIdentity {
                    sts,
                    role,
                    session: session.unwrap_or("fkm-sidecar").to_owned(),
                    token_file,
                })
            }
            AwsSource::Container => self.container(),
            AwsSource::Instance => {
                let endpoint = ambient.aws_ec2_metadata_service_endpoint.as_deref();
                let endpoint = endpoint.unwrap_or(aws::IMDS).trim_end_matches('/');
                Source::Instance(aws::Instance {
                    metadata: self.metadata.clone(),
                    endpoint: endpoint.to_owned(),
                })
            }
        })
    }

    fn container(&self) -> Source {
        let ambient = self.ambient;
        let relative = ambient.aws_container_credentials_relative_uri.as_deref();
        let relative = relative.map(|path| format!("{}{path}", aws::ECS));
        let full = ambient.aws_container_credentials_full_uri.clone();
        match relative.or(full) {
            Some(uri) => Source::Container(aws::Container {
                metadata: self.metadata.clone(),
                uri,
                token_file: ambient.aws_container_authorization_token_file.clone(),
            }),
            None => Source::Unset(SignInError::Unset("AWS_CONTAINER_CREDENTIALS_FULL_URI")),
        }
    }

    /// Whoever makes the pod makes its variables: they choose where the pod's own token goes, never where a secret of the
    /// pool does.
    fn entra(&mut self, entra: &AzureEntra<SecretString>) -> Result<Source, UnusableSecret> {
        let given = Ambient::default();
        let ambient = match entra.source {
            EntraSource::ClientSecret(_) => &given,
            EntraSource::WorkloadIdentity { .. } => self.ambient,
        };
        let Some(tenant) = either(&entra.tenant_id, ambient.azure_tenant_id.as_deref()) else {
            return Ok(Source::Unset(SignInError::Unset("AZURE_TENANT_ID")));
        };
        let Some(client_id) = either(&entra.client_id, ambient.azure_client_id.as_deref()) else {
            return Ok(Source::Unset(SignInError::Unset("AZURE_CLIENT_ID")));
        };
        let proof = match &entra.source {
            EntraSource::ClientSecret(secret) => entra::Proof::Secret(secret.clone()),
            EntraSource::WorkloadIdentity { token_file } => {
                match either_file(token_file, ambient.azure_federated_token_file.as_ref()) {
                    Some(file) => entra::Proof::TokenFile(file),
                    None => {
                        let unset = SignInError::Unset("AZURE_FEDERATED_TOKEN_FILE");
                        return Ok(Source::Unset(unset));
                    }
                }
            }
        };
        let (authority, named) = match entra.authority_url.is_empty() {
            false => (entra.authority_url.as_str(), Named::ByPool),
            true => {
                let ambient = ambient.azure_authority_host.as_deref();
                (ambient.unwrap_or(entra::AUTHORITY), Named::ByVendor)
            }
        };
        let tenant: String = url::form_urlencoded::byte_serialize(tenant.as_bytes()).collect();
        let url = format!(
            "{}/{tenant}/oauth2/v2.0/token",
            authority.trim_end_matches('/')
        );
        Ok(Source::Entra(entra::Application {
            endpoint: (self.endpoint)(&url, named)?,
            client_id,
            scope: entra.scope.clone(),
            proof,
        }))
    }

    fn google_account(
        &mut self,
        account: &GoogleServiceAccount<SecretString>,
    ) -> Result<Source, UnusableSecret> {
        let unusable = |what: &str| {
            UnusableSecret(format!(
                "the key of the service account cannot be used: {what}; give the JSON file that Google made, whole"
            ))
        };
        let file: google::KeyFile =
            serde_json::from_str(account.key.expose_secret()).map_err(|_| {
                unusable(
                    "it is not JSON with client_email, private_key_id, private_key and token_uri",
                )
            })?;
        let key = jwt::SigningKey::from_pem(&file.private_key)
            .ok_or_else(|| unusable("its private_key is no RSA key in PKCS #8"))?;
        let endpoint = match account.token_url.is_empty() {
            true => (self.endpoint)(&file.token_uri, Named::ByVendor)?,
            false => (self.endpoint)(&account.token_url, Named::ByPool)?,
        };
        Ok(Source::GoogleAccount(Box::new(google::Account {
            endpoint,
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            audience: file.token_uri,
            scope: account.scopes.join(" "),
        })))
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// What the pool says, or else the platform.
fn either(pool: &str, platform: Option<&str>) -> Option<String> {
    let text = match pool.is_empty() {
        true => platform.unwrap_or_default(),
        false => pool,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

fn either_file(pool: &str, platform: Option<&PathBuf>) -> Option<PathBuf> {
    match pool.is_empty() {
        true => platform.cloned(),
        false => Some(PathBuf::from(pool)),
    }
}

#[cfg(test)]
mod tests;
