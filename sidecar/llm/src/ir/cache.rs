//! Marks at which a provider's prompt cache may end.

/// The client wants everything up to here kept in the provider's prompt cache. A wish: where it cannot be said it is left
/// out and reported, and the answer is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheMark {
    /// How long; `None`: the provider's default.
    pub ttl: Option<CacheTtl>,
}

/// How long a prompt stays in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheTtl {
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    OneHour,
}

// === impl CacheTtl ===

impl CacheTtl {
    /// The word on the wire, `5m` or `1h`.
    pub fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::OneHour => "1h",
        }
    }

    /// From the word on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "5m" => Some(Self::FiveMinutes),
            "1h" => Some(Self::OneHour),
            _ => None,
        }
    }
}
