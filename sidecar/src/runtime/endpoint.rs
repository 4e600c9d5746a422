//! Where the requests for one model go.

use std::sync::Arc;

use fkm_snapshot::{Connection, MODEL_IN_PATH};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The addresses of one model at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// For whole answers.
    whole: Uri,
    /// For streams.
    stream: Uri,
}

// === impl Endpoint ===

impl Endpoint {
    /// The addresses of the provider's model `model`: none for one without a network, `last` where they are the same. An error
    /// says what is wrong with them.
    pub(super) fn of(
        connection: &Connection,
        model: &str,
        last: Option<&Arc<Self>>,
    ) -> Result<Option<Arc<Self>>, String> {
        let Connection::Http(http) = connection else {
            return Ok(None);
        };
        let base = http.base_url.trim_end_matches('/');
        let uri = |path: &str| -> Result<Uri, String> {
            let path = path.replace(
                MODEL_IN_PATH,
                &utf8_percent_encode(model, ESCAPED).to_string(),
            );
            let uri = format!("{base}{path}");
            uri.parse().map_err(|error| format!("{uri:?}: {error}"))
        };
        let whole = uri(&http.dialect.path)?;
        let stream = match &http.dialect.stream_path {
            Some(path) => uri(path)?,
            None => whole.clone(),
        };
        let endpoint = Self { whole, stream };
        Ok(match last {
            Some(last) if **last == endpoint => Some(last.clone()),
            _ => Some(Arc::new(endpoint)),
        })
    }

    /// Where a request goes that asks for a stream, or does not.
    pub(crate) fn uri(&self, stream: bool) -> &Uri {
        if stream { &self.stream } else { &self.whole }
    }
}

/// All but what may stand in one segment of a path as it is (RFC 3986, `unreserved`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use fkm_snapshot::{Auth, Dialect, Format, HttpConnection, Locality};

    use super::*;

    fn connection(path: &str, stream_path: Option<&str>) -> Connection {
        let mut dialect = Dialect::new(Format::OpenAiChat, path, Auth::XGoogApiKey);
        dialect.stream_path = stream_path.map(str::to_owned);
        Connection::Http(HttpConnection {
            base_url: "https://host/v1beta/".to_owned(),
            dialect,
            locality: Locality::External,
            ca_pem: String::new(),
            credentials: Vec::new(),
        })
    }

    #[test]
    fn the_model_stands_in_the_path_escaped() {
        let http = connection(
            "/models/{model}:generateContent",
            Some("/models/{model}:streamGenerateContent?alt=sse"),
        );
        let endpoint = Endpoint::of(&http, "a/b:c d-1.5_ü", None).unwrap().unwrap();
        assert_eq!(
            endpoint.uri(false),
            "https://host/v1beta/models/a%2Fb%3Ac%20d-1.5_%C3%BC:generateContent"
        );
        assert_eq!(
            endpoint.uri(true),
            "https://host/v1beta/models/a%2Fb%3Ac%20d-1.5_%C3%BC:streamGenerateContent?alt=sse"
        );
    }

    #[test]
    fn models_share_what_does_not_depend_on_them() {
        let http = connection("/chat/completions?api-version=1", None);
        let first = Endpoint::of(&http, "a", None).unwrap();
        let second = Endpoint::of(&http, "b", first.as_ref()).unwrap();
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.uri(true), first.uri(false));
        let wrong = connection("/a path with spaces", None);
        assert!(Endpoint::of(&wrong, "a", None).is_err());
    }
}
