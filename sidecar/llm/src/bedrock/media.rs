//! Media types and the short words that this format has for them.

use crate::ir::{File, FileSource, Image, ImageSource};

const IMAGES: [(&str, &str); 4] = [
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];

const DOCUMENTS: [(&str, &str); 9] = [
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("xls", "application/vnd.ms-excel"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
];

const VIDEOS: [(&str, &str); 8] = [
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
];

const SOUNDS: [(&str, &str); 9] = [
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("m4a", "audio/m4a"),
    ("mp4", "audio/mp4"),
    ("webm", "audio/webm"),
];

/// Other words for the types above.
const ALIASES: [(&str, &str); 6] = [
    ("image/jpg", "image/jpeg"),
    ("audio/mpeg", "audio/mp3"),
    ("audio/x-wav", "audio/wav"),
    ("audio/wave", "audio/wav"),
    ("audio/x-m4a", "audio/m4a"),
    ("text/x-markdown", "text/markdown"),
];

/// What is meant to be looked at, read or heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Image,
    Document,
    Video,
    Sound,
}

// === impl Medium ===

impl Medium {
    /// The name of its block.
    pub(super) fn block(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Video => "video",
            Self::Sound => "audio",
        }
    }

    pub(super) fn of_block(name: &str) -> Option<Self> {
        [Self::Image, Self::Document, Self::Video, Self::Sound]
            .into_iter()
            .find(|medium| medium.block() == name)
    }

    fn words(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Image => &IMAGES,
            Self::Document => &DOCUMENTS,
            Self::Video => &VIDEOS,
            Self::Sound => &SOUNDS,
        }
    }

    /// The word for a media type, whose parameters do not matter.
    pub(super) fn word(self, media_type: &str) -> Option<&'static str> {
        let bare = media_type.split(';').next().unwrap_or_default().trim();
        let alias = ALIASES.iter().find(|(other, _)| *other == bare);
        let bare = alias.map_or(bare, |(_, usual)| usual);
        let found = self.words().iter().find(|(_, known)| *known == bare)?;
        Some(found.0)
    }

    /// The media type of a word.
    pub(super) fn media_type(self, word: &str) -> Option<&'static str> {
        let found = self.words().iter().find(|(known, _)| *known == word)?;
        Some(found.1)
    }

    /// The words of what is taken, for messages.
    pub(super) fn list(self) -> String {
        let words: Vec<&str> = self.words().iter().map(|(word, _)| *word).collect();
        words.join(", ")
    }

    /// The word by the end of an address.
    pub(super) fn word_of_address(self, address: &str) -> Option<&'static str> {
        let (_, extension) = address.rsplit_once('.')?;
        let extension = match extension {
            "jpg" => "jpeg",
            "3gp" => "three_gp",
            "mpg" => "mpeg",
            "htm" => "html",
            other => other,
        };
        let found = self.words().iter().find(|(known, _)| *known == extension)?;
        Some(found.0)
    }
}

/// Whether a file is a video, by its type or address.
pub(super) fn medium_of_file(file: &File) -> Medium {
    let video = match &file.source {
        FileSource::Base64 { media_type, .. } => media_type.starts_with("video/"),
        FileSource::Url(url) => Medium::Video.word_of_address(url).is_some(),
        FileSource::Text(_) | FileSource::Id(_) => false,
    };
    if video {
        Medium::Video
    } else {
        Medium::Document
    }
}

/// Where something is, as this format can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Base64.
    Bytes { media_type: &'a str, data: &'a str },
    /// `s3://…`.
    S3(&'a str),
    /// Plain text.
    Text(&'a str),
    /// At another address.
    Elsewhere,
    /// Under the id of a provider.
    Kept,
}

// === impl Place ===

impl<'a> Place<'a> {
    pub(super) fn of_image(image: &'a Image) -> Self {
        match &image.source {
            ImageSource::Base64 { media_type, data } => Self::Bytes { media_type, data },
            ImageSource::Url(url) => Self::of_address(url),
        }
    }

    pub(super) fn of_file(file: &'a File) -> Self {
        match &file.source {
            FileSource::Base64 { media_type, data } => Self::Bytes { media_type, data },
            FileSource::Url(url) => Self::of_address(url),
            FileSource::Text(text) => Self::Text(text),
            FileSource::Id(_) => Self::Kept,
        }
    }

    fn of_address(url: &'a str) -> Self {
        match url.strip_prefix("s3://") {
            Some(_) => Self::S3(url),
            None => Self::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_types_are_one_to_one() {
        for medium in [
            Medium::Image,
            Medium::Document,
            Medium::Video,
            Medium::Sound,
        ] {
            for (word, media_type) in medium.words() {
                assert_eq!(medium.word(media_type), Some(*word));
                assert_eq!(medium.media_type(word), Some(*media_type));
            }
            assert_eq!(Medium::of_block(medium.block()), Some(medium));
        }
        assert_eq!(Medium::Image.word("image/jpg"), Some("jpeg"));
        assert_eq!(
            Medium::Document.word("text/plain; charset=utf-8"),
            Some("txt")
        );
        assert_eq!(Medium::Image.word("image/svg+xml"), None);
        assert_eq!(
            Medium::Image.word_of_address("s3://b/a.b/c.jpg"),
            Some("jpeg")
        );
        assert_eq!(Medium::Image.word_of_address("s3://b/c"), None);
    }
}
