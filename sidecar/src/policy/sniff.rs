//! What bytes are, whatever anybody says of them.

use fkm_snapshot::Medium;
use infer::MatcherType;

/// The images that every provider with eyes takes.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const PDF: &str = "application/pdf";
const TEXT: &str = "text/plain";

/// The media type of an image or a document; `None` for what is none that is taken.
pub(crate) fn media_type(medium: Medium, bytes: &[u8]) -> Option<&'static str> {
    let found = infer::get(bytes);
    let known = found.map(|found| found.mime_type());
    match medium {
        Medium::Image => IMAGES.into_iter().find(|image| known == Some(image)),
        Medium::Document if known == Some(PDF) => Some(PDF),
        Medium::Document => {
            // A page that says "sign in", a script, a feed: text, but no document.
            let markup = found.is_some_and(|found| found.matcher_type() == MatcherType::Text);
            (!markup && is_text(bytes)).then_some(TEXT)
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let is_white = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    !text.is_empty() && text.chars().all(|c| is_white(c) || !c.is_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn bytes_say_what_they_are() {
        let webp = b"RIFF\x10\0\0\0WEBPVP8 ";
        for (bytes, image, document) in [
            (PNG, Some("image/png"), None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg"), None),
            (b"GIF89a\x01\0\x01\0", Some("image/gif"), None),
            (webp, Some("image/webp"), None),
            (b"%PDF-1.7\n%\xe2\xe3", None, Some(PDF)),
            (b"BMW makes cars.\r\n", None, Some(TEXT)),
            ("Grüße".as_bytes(), None, Some(TEXT)),
            (b"<!DOCTYPE html><html></html>", None, None),
            (b"<?xml version=\"1.0\"?><svg/>", None, None),
            (b"#!/bin/sh\n", None, None),
            (b"PK\x03\x04", None, None),
            (b"II*\0", None, None),
            (b"a\0b", None, None),
            (b"\xff\xfe", None, None),
            (b"", None, None),
        ] {
            assert_eq!(media_type(Medium::Image, bytes), image, "{bytes:?}");
            assert_eq!(media_type(Medium::Document, bytes), document, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_text_is_text_and_images_are_of_the_list(
            bytes in prop::collection::vec(any::<u8>(), 0..64)
        ) {
            if media_type(Medium::Document, &bytes) == Some(TEXT) {
                prop_assert!(std::str::from_utf8(&bytes).is_ok());
            }
            let image = media_type(Medium::Image, &bytes);
            prop_assert!(image.is_none_or(|image| IMAGES.contains(&image)));
        }
    }
}
