//! From a credential and its secrets to what is shown.

use fkm_llm::Redactor;
use fkm_snapshot::{
    Auth, Credential, HttpConnection, Millis, Network, ProblemCode, SecretId, SignIn as Declared,
    Tls,
};
use http::{HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

use super::{Builder, Key};
use crate::metrics::CredentialLabels;
use crate::owner::Owner;
use crate::signin::{Called, Endpoint, LiveKey, Named, Parts, SignIn, UnusableSecret};

/// How long a connection to a token server may take.
const CONNECT: Millis = Millis(5_000);

/// Token servers are reached by pools of their own.
const TOKENS: &str = "sign-in";

// === impl Builder ===

impl Builder<'_> {
    /// A credential at `path`; `None` where a problem was found.
    pub(super) fn key(
        &mut self,
        path: &str,
        http: &HttpConnection,
        connect: Millis,
        credential: &Credential,
        owner: Owner,
    ) -> Option<Key> {
        let secrets = self.secrets;
        let find = |id: SecretId| secrets.entries.get(&id).cloned().ok_or(id);
        let with_secrets = match credential.sign_in.clone().try_map(find) {
            Ok(with_secrets) => with_secrets,
            Err(id) => {
                let message = format!("key {:?} was not delivered", id.0);
                return self.problem(path.to_owned(), ProblemCode::SecretMissing, message);
            }
        };
        let place = match &credential.sign_in {
            Declared::Key(id) => id.0.clone(),
            other => format!("{}: {other:?}", credential.name),
        };
        let client = self.client(path, http, connect, &place)?;
        let sign_in = match &with_secrets {
            Declared::Key(secret) => self.header(path, http.auth(), &place, secret)?,
            _ => self.live(path, http, credential, &with_secrets)?,
        };
        Some(Key {
            name: credential.name.as_str().into(),
            owner,
            client,
            sign_in,
        })
    }

    fn header(
        &mut self,
        path: &str,
        auth: Auth,
        place: &str,
        secret: &SecretString,
    ) -> Option<SignIn> {
        let Some((name, value)) = credential_header(auth, secret) else {
            let message = format!(
                "key {place:?} cannot be sent: it is empty or has characters that no header may have"
            );
            return self.problem(path.to_owned(), ProblemCode::Invalid, message);
        };
        let redactor = Redactor::new(secret.expose_secret().trim());
        Some(SignIn::Header {
            name,
            value,
            redactor,
        })
    }

    fn live(
        &mut self,
        path: &str,
        http: &HttpConnection,
        credential: &Credential,
        with_secrets: &Declared<SecretString>,
    ) -> Option<SignIn> {
        let name = credential.name.as_str();
        let key = LiveKey::new(name, http, &credential.sign_in, with_secrets, self.secrets);
        let known = self.live.get(&key).cloned();
        // Asked for in any case: the pools of its token server are kept by being used.
        let sign_ins = self.sign_ins;
        let mut endpoint = |url: &str, named| self.endpoint(path, http, url, named);
        let source = Parts {
            ambient: &sign_ins.ambient,
            metadata: &sign_ins.metadata,
            endpoint: &mut endpoint,
        }
        .source(with_secrets);
        let (source, shows) = match source {
            Ok(source) => source?,
            Err(UnusableSecret(message)) => {
                return self.problem(path.to_owned(), ProblemCode::Invalid, message);
            }
        };
        let live = known.or_else(|| sign_ins.known(&key)).unwrap_or_else(|| {
            let called = Called {
                labels: CredentialLabels {
                    credential: name.into(),
                    host: host_of(&http.base_url).into(),
                },
                kind: with_secrets.kind(),
            };
            sign_ins.open(called, source, shows)
        });
        self.live.insert(key, live.clone());
        Some(SignIn::Live(live))
    }

    /// The way to a token server: as to the provider where the pool names it, by the process's roots where the vendor does.
    fn endpoint(
        &mut self,
        path: &str,
        http: &HttpConnection,
        url: &str,
        named: Named,
    ) -> Result<Endpoint, UnusableSecret> {
        let uri = url
            .parse()
            .map_err(|_| UnusableSecret("the address of its token server is no URL".to_owned()))?;
        let mut reached = HttpConnection {
            base_url: url.to_owned(),
            credentials: Vec::new(),
            ..http.clone()
        };
        // Another server than the provider: what is said of that one's name, socket and version is not said of this one.
        // A bundle that stands beside the public roots is a company's, which signs for everybody.
        let vouched = named == Named::ByPool || reached.network.tls.public_roots;
        let tls = match vouched {
            true => Tls {
                server_name: String::new(),
                client_certificate: match named {
                    Named::ByPool => reached.network.tls.client_certificate,
                    Named::ByVendor => None,
                },
                ..reached.network.tls
            },
            false => Tls::default(),
        };
        reached.network = Network {
            proxy: reached.network.proxy,
            tls: match url.starts_with("https://") {
                true => tls,
                false => Tls::default(),
            },
            ..Network::default()
        };
        let local = reached.locality == fkm_snapshot::Locality::Local;
        if !url.starts_with("https://") && !local {
            return Err(UnusableSecret(format!(
                "the token server {url:?} is not encrypted; use https"
            )));
        }
        let client = self
            .client(path, &reached, CONNECT, TOKENS)
            .ok_or_else(|| UnusableSecret("its token server cannot be reached".to_owned()))?;
        Ok(Endpoint { client, uri })
    }
}

/// A key in the header that the dialect names; `None` where it fits none.
fn credential_header(auth: Auth, secret: &SecretString) -> Option<(HeaderName, HeaderValue)> {
    let secret = secret.expose_secret().trim();
    if secret.is_empty() {
        return None;
    }
    let plain = |name| (HeaderName::from_static(name), HeaderValue::try_from(secret));
    let (name, value) = match auth {
        Auth::Bearer => (
            header::AUTHORIZATION,
            HeaderValue::try_from(format!("Bearer {secret}")),
        ),
        Auth::XApiKey => plain("x-api-key"),
        Auth::ApiKey => plain("api-key"),
        Auth::XGoogApiKey => plain("x-goog-api-key"),
    };
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

/// Host and port of an address, as written.
fn host_of(base_url: &str) -> &str {
    let rest = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
