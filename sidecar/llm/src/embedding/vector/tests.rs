//! Lists and base64 mean the same, to the bit.

use proptest::prelude::{any, prop_assert_eq, proptest};

use super::*;

fn floats(text: &str) -> Vector {
    Vector::Floats(RawJson::try_new(text).unwrap())
}

fn base64(text: &str) -> Vector {
    Vector::Base64(text.to_owned())
}

#[test]
fn base64_is_least_significant_byte_first() {
    let one_and_minus_two = "AACAPwAAAMA=";
    assert_eq!(base64(one_and_minus_two).values(), Ok(vec![1.0, -2.0]));
    assert_eq!(
        base64(one_and_minus_two).to_floats().unwrap().get(),
        "[1.0,-2.0]"
    );
    assert_eq!(floats("[1, -2.0]").to_base64().unwrap(), one_and_minus_two);
}

#[test]
fn numbers_stay_digit_for_digit_where_nobody_asks_otherwise() {
    let text = "[0.10000000000000000555, -1E-9,3]";
    assert_eq!(floats(text).to_floats().unwrap().get(), text);
    assert_eq!(base64("not base64").to_base64().unwrap(), "not base64");
}

#[test]
fn rounded_once() {
    // Halfway between two floats but for the last digit: by way of 64 bits it would be rounded down.
    let above = floats("[1.00000005960464477539062500000001]");
    assert_eq!(above.values().unwrap()[0].to_bits(), 0x3f80_0001);
}

#[test]
fn what_cannot_be_converted_says_why() {
    for (vector, why) in [
        (base64("AACAPw=!"), InvalidVector::NotBase64),
        (base64("AACA"), InvalidVector::NotFloats),
        (floats("[1e39]"), InvalidVector::NotFinite),
        (floats("[null]"), InvalidVector::NotFloats),
    ] {
        assert_eq!(vector.values(), Err(why), "{vector:?}");
    }
    let infinite = base64("AACAfw==");
    assert_eq!(infinite.to_floats(), Err(InvalidVector::NotFinite));
    assert_eq!(
        Vector::from_values(&[f32::NAN]),
        Err(InvalidVector::NotFinite)
    );
}

#[test]
fn only_arrays_of_numbers_and_strings_are_vectors() {
    let decode = |text: &str| {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        Vector::decode(raw, &Path::Root)
    };
    assert_eq!(decode("[]"), Ok(floats("[]")));
    assert_eq!(decode("[1,-2e3]"), Ok(floats("[1,-2e3]")));
    assert_eq!(decode(r#""AA\u003d=""#), Ok(base64("AA==")));
    for text in ["[null]", "[[1]]", "{}", "1", r#"["1"]"#] {
        assert!(decode(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn floats_survive_both_ways(bits in proptest::collection::vec(any::<u32>(), 0..40)) {
        let values: Vec<f32> = bits
            .into_iter()
            .map(f32::from_bits)
            .filter(|value| value.is_finite())
            .collect();
        let same = |other: &[f32]| {
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            bits(other) == bits(&values)
        };
        let list = Vector::from_values(&values).unwrap();
        let packed = Vector::Base64(list.to_base64().unwrap().into_owned());
        prop_assert_eq!(same(&list.values().unwrap()), true);
        prop_assert_eq!(same(&packed.values().unwrap()), true);
        prop_assert_eq!(packed.to_floats().unwrap().into_owned(), list.to_floats().unwrap().into_owned());
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in ".*") {
        let vector = Vector::Base64(text);
        let _ = vector.values();
    }
}
