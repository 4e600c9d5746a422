//! How many tokens a request is likely to hold, where no provider counts them: by its texts' length, whatever its format.
//!
//! *Guarantees*: one pass, no copy of the texts, no panic on any bytes. *Caveats*: an estimate; English and code are met
//! within about a third, other scripts less well.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::stream::BYTES_PER_TOKEN;

/// What an image or a page in the request is taken for: the most that Anthropic counts for a picture
/// (<https://platform.claude.com/docs/en/build-with-claude/vision>).
const MEDIA_TOKENS: u64 = 1_600;

/// A string of base64's letters alone that is longer is data, not a word; so is a `data:` URL.
const LONGEST_WORD: usize = 2_048;

/// The tokens that a request of any format is likely to hold; 0 for a body that is not JSON.
pub fn weigh(body: &[u8]) -> u64 {
    let mut weight = Weight::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    match (&mut weight).deserialize(&mut json) {
        Ok(()) => weight.bytes.div_ceil(BYTES_PER_TOKEN) + weight.media * MEDIA_TOKENS,
        Err(_) => 0,
    }
}

/// What has been seen.
#[derive(Default)]
struct Weight {
    /// Of texts and of the names of members.
    bytes: u64,
    /// Pictures, sounds and documents.
    media: u64,
}

// === impl Weight ===

impl Weight {
    fn text(&mut self, text: &str) {
        let is_data = text.len() > LONGEST_WORD && is_data(text);
        if is_data {
            self.media += 1;
        } else {
            self.bytes += text.len() as u64;
        }
    }
}

/// Whether a long string is base64, of either alphabet. Mostly the first blank says that it is not.
fn is_data(text: &str) -> bool {
    let of_base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_');
    text.starts_with("data:") || text.bytes().all(of_base64)
}

impl<'de> DeserializeSeed<'de> for &mut Weight {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Weight {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.bytes += 1;
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.bytes += BYTES_PER_TOKEN;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.bytes += BYTES_PER_TOKEN;
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.bytes += BYTES_PER_TOKEN;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(&mut *self)?.is_some() {
            members.next_value_seed(&mut *self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_weigh_by_their_length_and_data_as_a_picture() {
        let words = "word ".repeat(1_000);
        let body = serde_json::json!({"messages": [{"role": "user", "content": words}]});
        let tokens = weigh(body.to_string().as_bytes());
        assert!((1_250..1_270).contains(&tokens), "{tokens}");
        let picture = "A".repeat(1_000_000);
        let body =
            serde_json::json!({"contents": [{"parts": [{"inlineData": {"data": picture}}]}]});
        let tokens = weigh(body.to_string().as_bytes());
        assert!((1_600..1_620).contains(&tokens), "{tokens}");
        let body =
            serde_json::json!({"text": format!("data:image/png;base64,{}", "A".repeat(9_000))});
        let tokens = weigh(body.to_string().as_bytes());
        assert!((1_600..1_610).contains(&tokens), "{tokens}");
        // A text in a script without blanks is a text.
        let body = serde_json::json!({"text": "日本語".repeat(10_000)});
        let tokens = weigh(body.to_string().as_bytes());
        assert!((22_500..22_510).contains(&tokens), "{tokens}");
        assert_eq!(weigh(b"no json"), 0);
    }
}
