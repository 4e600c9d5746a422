//! Which images may be the sidecar.

use thiserror::Error;

/// An image in full, or all tags or digests of one repository that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImagePattern {
    /// This one.
    Exact(String),
    /// What begins so, and has no further `/`.
    Prefix(String),
}

/// An image pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidImagePattern {
    /// Nothing.
    #[error(
        "sidecarImages: an entry is empty; name an image, for example registry.example/fkm-sidecar:1.0.0"
    )]
    Empty,
    /// A star that is not the last character.
    #[error("sidecarImages: {0:?}: a * may stand only at the end")]
    StarInside(String),
    /// A star that would leave the repository open.
    #[error(
        "sidecarImages: {0:?}: a * may stand only for a tag or a digest, as in {0:?} with \":*\"; the repository must be given in full"
    )]
    StarInRepository(String),
}

// === impl ImagePattern ===

impl ImagePattern {
    pub(super) fn try_new(text: &str) -> Result<Self, InvalidImagePattern> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidImagePattern::Empty);
        }
        let Some(prefix) = text.strip_suffix('*') else {
            if text.contains('*') {
                return Err(InvalidImagePattern::StarInside(text.to_owned()));
            }
            return Ok(Self::Exact(text.to_owned()));
        };
        if prefix.contains('*') {
            return Err(InvalidImagePattern::StarInside(text.to_owned()));
        }
        let last = prefix.rsplit('/').next().unwrap_or_default();
        match last.find([':', '@']) {
            Some(at) if at > 0 => Ok(Self::Prefix(prefix.to_owned())),
            _ => Err(InvalidImagePattern::StarInRepository(text.to_owned())),
        }
    }

    /// `host:*` must not admit `host:5000/any/image`: what a star stands for has no `/`.
    pub(super) fn matches(&self, image: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == image,
            Self::Prefix(prefix) => image
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_admits() {
        let repository = "registry.example:5000/fkm/sidecar";
        for (pattern, image, admitted) in [
            (":1.0.0", ":1.0.0", true),
            (":1.0.0", ":1.0.0-debug", false),
            (":1.0.0", "", false),
            ("", "", true),
            ("", ":latest", false),
            (":*", ":1.0.0", true),
            (":*", ":1.0.0@sha256:00", true),
            (":*", ":", false),
            (":*", "-evil:1.0.0", false),
            (":1.*", ":1.2.3", true),
            (":1.*", ":2.0.0", false),
            ("@sha256:*", "@sha256:00ff", true),
            ("@sha256:*", ":latest", false),
            (":*", ":5000/evil/image", false),
        ] {
            let matcher = ImagePattern::try_new(&format!("{repository}{pattern}")).unwrap();
            let image = format!("{repository}{image}");
            assert_eq!(matcher.matches(&image), admitted, "{pattern} {image}");
        }
    }

    #[test]
    fn what_no_pattern_can_be() {
        for text in [
            "*",
            "registry.example/*",
            "registry.example/fkm*",
            "a:5000/b*",
            "a/:*",
        ] {
            let refused = ImagePattern::try_new(text).unwrap_err();
            assert_eq!(refused, InvalidImagePattern::StarInRepository(text.into()));
        }
        for text in ["a*:1", "a:*.1", "a:**"] {
            let refused = ImagePattern::try_new(text).unwrap_err();
            assert_eq!(refused, InvalidImagePattern::StarInside(text.into()));
        }
        assert_eq!(ImagePattern::try_new(" "), Err(InvalidImagePattern::Empty));
    }
}
