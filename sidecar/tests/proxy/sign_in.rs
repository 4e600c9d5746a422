//! Signing in at providers: tokens that live and end, and signatures, against local token servers that check what they
//! are shown.

mod aws;
mod azure;
mod google;
mod tokens;

use fkm_upstream::Upstream;
use serde_json::{Value, json};

use crate::harness::provider;

/// A provider at `upstream` that is signed in at so.
fn signed_in(upstream: &Upstream, sign_in: &Value) -> Value {
    let mut provider = provider("a", &upstream.base_url(), 0);
    provider["connection"]["http"]["credentials"] = json!([{"name": "main", "signIn": sign_in}]);
    provider
}

/// The header that each request of an upstream had.
fn shown(upstream: &Upstream, header: &str) -> Vec<String> {
    let requests = upstream.requests();
    let values = requests.iter().map(|request| request.header(header));
    values
        .map(|value| value.unwrap_or_default().to_owned())
        .collect()
}

fn bearer(number: usize) -> String {
    format!("Bearer {}", crate::token_server::token(number))
}
