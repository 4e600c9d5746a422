//! Signing in at providers: the header of a key, a token with a life, or a signature.
//!
//! *Flow*: `runtime` builds one [`SignIn`] a credential; step *send* asks it for a [`Pass`], which puts headers on the
//! request. Where the provider refuses the pass (401, 403), [`SignIn::after_refusal`] says whether another one is worth one
//! more try.
//!
//! *Guarantees*: a token is asked for once, however many requests wait for it ([`live::Live`]); it is renewed ahead of its
//! end while requests go on with the old one; what is shown to anybody is never printed, and is taken out of what providers
//! and token servers say.
//!
//! *Caveats*: tokens live in memory only, so that each sidecar asks for its own.

pub mod ambient;
mod aws;
mod clock;
mod endpoint;
mod entra;
mod error;
mod google;
mod jwt;
mod life;
mod live;
mod metadata;
mod oauth;
mod registry;
mod sigv4;
mod source;
mod token;
mod token_file;

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::Redactor;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use tokio::time::Instant;

pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::error::SignInError;
pub(crate) use self::live::{Called, Live, Shows};
pub(crate) use self::registry::{LiveKey, SignIns};
pub(crate) use self::source::{Named, Parts, UnusableSecret};

use self::life::Grant;
use self::token::Material;

/// How one credential signs in.
#[derive(Debug)]
pub(crate) enum SignIn {
    /// Nothing is shown.
    Open,
    /// The same header with every request.
    Header {
        name: HeaderName,
        /// Marked sensitive.
        value: HeaderValue,
        redactor: Redactor,
    },
    /// What is shown has a life of its own.
    Live(Arc<Live>),
}

/// What one request is shown with.
#[derive(Debug)]
pub(crate) enum Pass<'a> {
    Open,
    Header(&'a HeaderName, &'a HeaderValue),
    Grant(&'a Live, Arc<Grant>),
}

// === impl SignIn ===

impl SignIn {
    /// What to show; waits where it must be asked for first.
    pub(crate) async fn pass(&self) -> Result<Pass<'_>, SignInError> {
        match self {
            Self::Open => Ok(Pass::Open),
            Self::Header { name, value, .. } => Ok(Pass::Header(name, value)),
            Self::Live(live) => Ok(Pass::Grant(live, live.get().await?)),
        }
    }

    /// What to show instead after the provider refused `pass` with 401 or 403 and these headers. `None`: nothing better
    /// is to be had.
    pub(crate) async fn after_refusal(
        &self,
        pass: &Pass<'_>,
        headers: &HeaderMap,
    ) -> Option<Pass<'_>> {
        let (Self::Live(live), Pass::Grant(_, grant)) = (self, pass) else {
            return None;
        };
        if live.learn_time(headers) {
            return Some(Pass::Grant(live, grant.clone()));
        }
        if !live.refused(grant, Instant::now()) {
            return None;
        }
        let grant = live.get().await.ok()?;
        Some(Pass::Grant(live, grant))
    }

    /// Whether `text` repeats what was shown.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let mut found = false;
        self.each_redactor(|redactor| found |= redactor.finds(text));
        found
    }

    /// Asks `use_it` with everything that knows what was shown lately.
    pub(crate) fn each_redactor(&self, mut use_it: impl FnMut(&Redactor)) {
        match self {
            Self::Open => {}
            Self::Header { redactor, .. } => use_it(redactor),
            Self::Live(live) => {
                for grant in live.recent() {
                    grant.redactors.iter().for_each(&mut use_it);
                }
            }
        }
    }
}

// === impl Pass ===

impl Pass<'_> {
    /// Puts what is shown on a request that is complete otherwise. `body`: `None` where it is not at hand, which no
    /// signature can be made of.
    pub(crate) fn stamp(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: Option<&[Bytes]>,
    ) -> Result<(), SignInError> {
        let (live, grant) = match self {
            Self::Open => return Ok(()),
            Self::Header(name, value) => {
                headers.insert((*name).clone(), (*value).clone());
                return Ok(());
            }
            Self::Grant(live, grant) => (live, grant),
        };
        match (&grant.material, live.shows()) {
            (Material::Bearer(value), _) => {
                drop(headers.insert(header::AUTHORIZATION, value.clone()));
            }
            (Material::Aws(keys), Shows::Signature { region, service }) => {
                let scope = sigv4::Scope { region, service };
                let body = body.ok_or(SignInError::Unsignable)?;
                let request = (method.as_str(), uri);
                sigv4::sign(request, headers, body, keys, &scope, live.now())?;
            }
            (Material::Aws(_), Shows::Token) => return Err(SignInError::Unsignable),
        }
        Ok(())
    }
}
