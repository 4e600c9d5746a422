//! Parts that are not text: images, sound, documents.

use crate::ir::{CacheMark, Extra, Opaque};

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub source: ImageSource,
    /// How closely to look, as OpenAI words it.
    pub detail: Option<String>,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// At an address that the provider fetches.
    Url(String),
    /// Here.
    Base64 {
        /// For example `image/png`.
        media_type: String,
        /// Base64, not checked.
        data: String,
    },
}

/// Sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// For example `audio/wav`.
    pub media_type: String,
    /// Base64, not checked.
    pub data: String,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub source: FileSource,
    /// Its name or title.
    pub name: Option<String>,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// At an address that the provider fetches.
    Url(String),
    /// Here.
    Base64 {
        /// For example `application/pdf`.
        media_type: String,
        /// Base64, not checked.
        data: String,
    },
    /// Here, as plain text.
    Text(String),
    /// At the provider, under an id that only it knows.
    Id(Opaque),
}

// === impl ImageSource ===

impl ImageSource {
    /// From an address, which may hold the image itself (`data:image/png;base64,…`).
    pub fn from_url(url: &str) -> Self {
        match split_data_url(url) {
            Some((media_type, data)) => Self::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            },
            None => Self::Url(url.to_owned()),
        }
    }

    /// As an address.
    pub fn to_url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        }
    }
}

/// Type and data of `data:TYPE;base64,DATA`.
pub(crate) fn split_data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    Some((media_type, data))
}

// === impl Audio ===

/// How sound begins, in base64, and its type: RIFF, ID3 and the frames of MPEG, fLaC, `OggS`, and the head of `WebM`.
const BEGINNINGS: [(&str, &str); 9] = [
    ("UklGR", "audio/wav"),
    ("SUQz", "audio/mp3"),
    ("//s", "audio/mp3"),
    ("//u", "audio/mp3"),
    ("//M", "audio/mp3"),
    ("//N", "audio/mp3"),
    ("ZkxhQ", "audio/flac"),
    ("T2dnUw", "audio/ogg"),
    ("GkXfo", "audio/webm"),
];

impl Audio {
    /// Type and data of sound that comes without its type: base64, or `data:TYPE;base64,DATA`. `None` for what does not say
    /// it by its beginning, such as an address.
    pub(crate) fn kind_of(text: &str) -> Option<(&str, &str)> {
        if let Some((media_type, data)) = split_data_url(text) {
            return media_type
                .starts_with("audio/")
                .then_some((media_type, data));
        }
        let known = BEGINNINGS
            .iter()
            .find(|(beginning, _)| text.starts_with(beginning));
        // `ftyp` after four bytes: a length that fits in one.
        let mp4 = || text.starts_with("AAAA") && text.get(6..9) == Some("Z0e");
        match known {
            Some((_, media_type)) => Some((media_type, text)),
            None => mp4().then_some(("audio/mp4", text)),
        }
    }
}

// === impl File ===

impl File {
    /// Whether it is a PDF, as far as its source says.
    pub(crate) fn is_pdf(&self) -> bool {
        match &self.source {
            FileSource::Base64 { media_type, .. } => media_type == "application/pdf",
            FileSource::Url(_) | FileSource::Text(_) | FileSource::Id(_) => false,
        }
    }
}

// === impl FileSource ===

impl FileSource {
    /// From an address, which may hold the document itself (`data:application/pdf;base64,…`).
    pub fn from_url(url: &str) -> Self {
        match split_data_url(url) {
            Some((media_type, data)) => Self::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            },
            None => Self::Url(url.to_owned()),
        }
    }
}
