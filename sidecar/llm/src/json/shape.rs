//! JSON of a shape that is known beforehand, read in one pass.
//!
//! Most of a stream are events that say nothing but one more piece of text. Taking such an event apart level by level looks at its
//! bytes as often as they are nested, and allocates for each level. A format tells how they look; whatever looks otherwise (a
//! member that is not known, two of one name) does not fit and takes the long way, so that nothing is lost.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

/// How a value looks. `null` is as good as none, and fits everything.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Only `null`.
    Null,
    /// Whatever it is: it says nothing that matters.
    Any,
    /// A text, to be found under this number.
    Text(usize),
    /// A whole number, to be found under this number.
    Number(usize),
    /// Anything, to be found as it was written.
    Raw(usize),
    /// An array of one element.
    One(&'static Self),
    /// An object with no members but these, none of them required; up to 32.
    Object(&'static [(&'static str, Self)]),
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) texts: [Option<Cow<'a, str>>; 5],
    pub(crate) numbers: [Option<u64>; 2],
    pub(crate) raws: [Option<&'a RawValue>; 2],
}

/// Reads one value into what was found.
struct Fill<'f, 'a> {
    shape: &'static Shape,
    found: &'f mut Found<'a>,
}

/// A text, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

const UNLIKE: &str = "of another shape";

// === impl Shape ===

impl Shape {
    /// What is found in `json`; `None` when it looks otherwise.
    pub(crate) fn read<'a>(&'static self, json: &'a [u8]) -> Option<Found<'a>> {
        let mut found = Found::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let shape = Fill {
            shape: self,
            found: &mut found,
        };
        shape.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(found)
    }
}

// === impl Fill ===

impl<'a> DeserializeSeed<'a> for Fill<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Shape::Any => IgnoredAny::deserialize(deserializer).map(drop),
            _ => deserializer.deserialize_option(self),
        }
    }
}

impl<'a> Visitor<'a> for Fill<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that fits")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let found = &mut *self.found;
        match self.shape {
            Shape::Null | Shape::Any => return Err(D::Error::custom(UNLIKE)),
            Shape::Text(at) => found.texts[*at] = Some(Borrowed::deserialize(deserializer)?.0),
            Shape::Number(at) => found.numbers[*at] = Some(u64::deserialize(deserializer)?),
            Shape::Raw(at) => found.raws[*at] = Some(<&RawValue>::deserialize(deserializer)?),
            Shape::One(_) => deserializer.deserialize_seq(self)?,
            Shape::Object(_) => deserializer.deserialize_map(self)?,
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        let Shape::One(shape) = self.shape else {
            return Err(A::Error::custom(UNLIKE));
        };
        let found = self.found;
        let first = list.next_element_seed(Fill { shape, found })?;
        match (first, list.next_element::<IgnoredAny>()?) {
            (Some(()), None) => Ok(()),
            _ => Err(A::Error::custom(UNLIKE)),
        }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Shape::Object(members) = self.shape else {
            return Err(A::Error::custom(UNLIKE));
        };
        let mut seen = 0_u32;
        while let Some(Borrowed(name)) = map.next_key()? {
            let at = members.iter().position(|(known, _)| *known == name);
            let at = at.ok_or_else(|| A::Error::custom(UNLIKE))?;
            if seen & (1 << at) != 0 {
                return Err(A::Error::custom(UNLIKE));
            }
            seen |= 1 << at;
            let (_, shape) = &members[at];
            let found = &mut *self.found;
            map.next_value_seed(Fill { shape, found })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHAPE: Shape = Shape::Object(&[
        ("id", Shape::Any),
        ("end", Shape::Null),
        ("usage", Shape::Raw(0)),
        (
            "list",
            Shape::One(&Shape::Object(&[
                ("at", Shape::Number(0)),
                ("text", Shape::Text(1)),
            ])),
        ),
    ]);

    #[test]
    fn what_fits_is_found() {
        let json = br#"{"id":[1],"end":null,"usage":{ "a":1},"list":[{"at":3,"text":"a\nb"}]} "#;
        let found = SHAPE.read(json).unwrap();
        assert_eq!(found.numbers, [Some(3), None]);
        assert_eq!(found.texts[1].as_deref(), Some("a\nb"));
        assert_eq!(found.raws[0].map(RawValue::get), Some(r#"{ "a":1}"#));

        let found = SHAPE
            .read(br#"{"list":[{"text":null}],"usage":null}"#)
            .unwrap();
        assert!(found.texts[1].is_none() && found.raws[0].is_none());
        assert!(SHAPE.read(br#"{"list":null}"#).is_some());
    }

    #[test]
    fn what_looks_otherwise_does_not_fit() {
        for json in [
            r#"{"end":1}"#,
            r#"{"new":1}"#,
            r#"{"id":1,"id":2}"#,
            r#"{"list":[]}"#,
            r#"{"list":[{},{}]}"#,
            r#"{"list":{}}"#,
            r#"{"list":[{"at":-1}]}"#,
            r#"{"list":[{"text":1}]}"#,
            r#"{"list":[{"text":"a"}]}{}"#,
            r#"{"list":[{"text":"a"}]"#,
            "[]",
        ] {
            assert!(SHAPE.read(json.as_bytes()).is_none(), "{json}");
        }
    }
}
