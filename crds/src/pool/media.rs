//! What the sidecar may fetch for clients that give an image or a document by its address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ByteSize, Duration, HostPattern, cel};

/// What happens with images and documents that clients give by their address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Media {
    /// Lets the sidecar fetch what a provider of this pool does not fetch itself (dialect.mediaUrls), and send it with the request. PNG, JPEG, GIF and WebP images, PDF documents and plain text are taken, by what their bytes are. Providers that fetch themselves get the address.
    pub fetch: MediaFetch,
}

/// From whom, and how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule_at(".hosts",
        "!has(self.addresses) || self.addresses == 'Public' || !self.hosts.exists(h, h == '*' || h.startsWith('*:'))",
        "'hosts must not have * with addresses ' + self.addresses + ', which would open all private networks; name the hosts'"),
]))]
pub struct MediaFetch {
    /// The hosts: images.example.com, *.example.com (all below it), or * (any host); with :PORT where it is not that of the scheme. Redirects are followed three times, each to a host of this list.
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub hosts: Vec<HostPattern>,
    /// Whether http is taken besides https. Omitted: false.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "allowHTTP")]
    pub allow_http: Option<bool>,
    /// The addresses that hosts may have, whatever their name, looked at when they are dialled: Public (those of the internet), Private (also private networks), or Local (also the pod's own loopback, but no port of the sidecar). Link-local and metadata addresses never. Through a proxy of the sidecar's environment it is the proxy that looks names up. Omitted: Public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<MediaAddresses>,
    /// The most of one image or document, for example 512Ki or 10Mi. At most maxTotalSize. Omitted: 10Mi, or maxTotalSize where that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<ByteSize>,
    /// The most of all of a request together, at most 24Mi. Omitted: 20Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_size: Option<ByteSize>,
    /// How many a request may have that are to be fetched. Omitted: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_items: Option<i32>,
    /// How long one may take, at most 2m; the limits of the route hold as well. Omitted: 10s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// Which addresses hosts may have.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum MediaAddresses {
    Public,
    Private,
    Local,
}
