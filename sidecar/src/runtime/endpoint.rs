//! Where the requests for one model go.

use std::sync::Arc;

use fkm_snapshot::MODEL_IN_PATH;
use http::Uri;

use crate::segment::escaped;

/// The addresses of one model at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// For whole answers.
    whole: Uri,
    /// For streams.
    stream: Uri,
    /// For counts, where the provider counts.
    count: Option<Uri>,
}

/// The paths of one format, below the base URL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths<'a> {
    pub(super) whole: &'a str,
    pub(super) stream: &'a str,
    pub(super) count: Option<&'a str>,
}

// === impl Endpoint ===

impl Endpoint {
    /// The addresses of the provider's model `model`, below a [`base`]; `last` where they are the same. An error says what is wrong with them.
    pub(super) fn of(
        base: &str,
        Paths {
            whole: path,
            stream: stream_path,
            count: count_path,
        }: Paths<'_>,
        model: &str,
        last: Option<&Arc<Self>>,
    ) -> Result<Arc<Self>, String> {
        let uri = |path: &str| -> Result<Uri, String> {
            let model = escaped(model);
            let path = path.replace(MODEL_IN_PATH, &model);
            let uri = format!("{base}{path}");
            uri.parse().map_err(|error| format!("{uri:?}: {error}"))
        };
        let whole = uri(path)?;
        let stream = match path == stream_path {
            true => whole.clone(),
            false => uri(stream_path)?,
        };
        let count = count_path.map(uri).transpose()?;
        let endpoint = Self {
            whole,
            stream,
            count,
        };
        Ok(match last {
            Some(last) if **last == endpoint => last.clone(),
            _ => Arc::new(endpoint),
        })
    }

    /// Where requests are counted.
    pub(crate) fn count(&self) -> Option<&Uri> {
        self.count.as_ref()
    }

    /// Where a request goes that asks for a stream, or does not.
    pub(crate) fn uri(&self, stream: bool) -> &Uri {
        if stream { &self.stream } else { &self.whole }
    }
}

/// The base URL without a trailing slash, with the host that requests name where that is another.
pub(super) fn base(base_url: &str, host: &str) -> Result<String, String> {
    let base = base_url.trim_end_matches('/');
    if host.is_empty() {
        return Ok(base.to_owned());
    }
    let uri: Uri = base.parse().map_err(|error| format!("{base:?}: {error}"))?;
    let scheme = uri.scheme_str().unwrap_or("https");
    Ok(format!(
        "{scheme}://{host}{}",
        uri.path().trim_end_matches('/')
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://host/v1beta";

    fn one(path: &str) -> Paths<'_> {
        let (whole, stream, count) = (path, path, None);
        Paths {
            whole,
            stream,
            count,
        }
    }

    #[test]
    fn the_model_stands_in_the_path_escaped() {
        let paths = Paths {
            whole: "/models/{model}:generateContent",
            stream: "/models/{model}:streamGenerateContent?alt=sse",
            count: Some("/models/{model}:countTokens"),
        };
        let endpoint = Endpoint::of(BASE, paths, "a/b:c d-1.5_ü", None).unwrap();
        assert_eq!(
            endpoint.uri(false),
            "https://host/v1beta/models/a%2Fb%3Ac%20d-1.5_%C3%BC:generateContent"
        );
        assert_eq!(
            endpoint.uri(true),
            "https://host/v1beta/models/a%2Fb%3Ac%20d-1.5_%C3%BC:streamGenerateContent?alt=sse"
        );
        assert_eq!(
            endpoint.count().unwrap(),
            "https://host/v1beta/models/a%2Fb%3Ac%20d-1.5_%C3%BC:countTokens"
        );
    }

    #[test]
    fn requests_may_name_another_host() {
        let other = |host| base("https://host/v1beta/", host).unwrap();
        assert_eq!(other(""), "https://host/v1beta");
        assert_eq!(
            other("gateway.internal:8443"),
            "https://gateway.internal:8443/v1beta"
        );
    }

    #[test]
    fn models_share_what_does_not_depend_on_them() {
        let path = "/chat/completions?api-version=1";
        let first = Endpoint::of(BASE, one(path), "a", None).unwrap();
        let second = Endpoint::of(BASE, one(path), "b", Some(&first)).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.uri(true), first.uri(false));
        let wrong = "/a path with spaces";
        assert!(Endpoint::of(BASE, one(wrong), "a", None).is_err());
    }
}
