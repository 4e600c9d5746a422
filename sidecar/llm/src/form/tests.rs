use proptest::prelude::*;

use super::*;

const TYPE: &str = "multipart/form-data; boundary=XyZ";

/// A form of these parts: the rest of their disposition, and their value.
fn form(parts: &[(&str, &[u8])]) -> Bytes {
    let mut body = Vec::new();
    for (name, value) in parts {
        body.extend(b"--XyZ\r\nContent-Disposition: form-data; ");
        body.extend(name.as_bytes());
        body.extend(b"\r\n\r\n");
        body.extend(*value);
        body.extend(b"\r\n");
    }
    body.extend(b"--XyZ--\r\n");
    body.into()
}

fn scan(body: &[u8]) -> Result<RequestScan, FormError> {
    Form::scan(TYPE, body).map(|(_, scan)| scan)
}

#[test]
fn fields_are_found_among_files() {
    let body = form(&[
        (
            "name=\"file\"; filename=\"a; name=model.wav\"",
            b"RIFF\r\n--Xy\r\n",
        ),
        ("name=model", b"whisper-1"),
        ("name=\"stream\"", b"true"),
        ("name=\"n\"", b"2"),
        ("name=\"timestamp_granularities[]\"", b"word"),
        ("name=\"timestamp_granularities[]\"", b"segment"),
    ]);
    let (form, found) = Form::scan(TYPE, &body).unwrap();
    let model = found.model.clone().unwrap();
    assert_eq!(model.name, "whisper-1");
    assert_eq!(&body[model.span], b"whisper-1");
    assert_eq!((found.stream, found.n), (true, Some(2)));
    let edited = form.edit(&body, &found, "another");
    assert_eq!(edited.len(), 3);
    // The file is where it was.
    assert_eq!(edited[0].as_ptr(), body.as_ptr());
    assert_eq!(
        scan(&edited.concat()).unwrap().model.unwrap().name,
        "another"
    );
    assert_eq!(
        form.edit(&body, &found, "whisper-1"),
        std::slice::from_ref(&body)
    );
}

#[test]
fn a_model_that_the_path_named_is_added() {
    let body = form(&[("name=\"file\"; filename=\"a\"", b"x")]);
    let preamble = [b"ignored\r\n".as_slice(), &body].concat();
    for body in [body, preamble.into()] {
        let (form, found) = Form::scan(TYPE, &body).unwrap();
        assert_eq!(found.model, None);
        let edited = form.edit(&body, &found, "m").concat();
        assert_eq!(scan(&edited).unwrap().model.unwrap().name, "m");
    }
}

#[test]
fn what_is_no_form_is_refused_by_name() {
    let two = form(&[("name=\"model\"", b"a"), ("name=\"model\"", b"b")]);
    assert_eq!(scan(&two), Err(FormError::Duplicate { field: "model" }));
    assert_eq!(scan(b"{}"), Err(FormError::NotAForm));
    assert_eq!(scan(b""), Err(FormError::NotAForm));
    for cut in [
        "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nhalf",
        "--XyZ",
        "--XyZ\r",
    ] {
        let refused = scan(cut.as_bytes());
        assert_eq!(refused, Err(FormError::Unclosed { part: 1 }), "{cut}");
    }
    let nameless = form(&[("filename=\"a\"", b"x")]);
    assert!(matches!(
        scan(&nameless),
        Err(FormError::Head { part: 1, .. })
    ));
    let long = form(&[("name=\"model\"", &[b'a'; MAX_FIELD_BYTES + 1])]);
    assert_eq!(scan(&long).unwrap_err().field(), Some("model"));
    let odd = form(&[("name=\"stream\"", b"maybe")]);
    assert_eq!(scan(&odd).unwrap_err().field(), Some("stream"));
    let many = form(&vec![("name=\"a\"", b"x".as_slice()); MAX_PARTS + 1]);
    assert_eq!(scan(&many), Err(FormError::TooManyParts));
}

#[test]
fn boundaries_are_read_as_they_are_and_in_quotes() {
    for (header, expected) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        (
            "Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a;b \\\"c\"",
            Some("a;b \"c"),
        ),
        ("multipart/form-data;boundary=abc ; x=y", Some("abc")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"\"", None),
    ] {
        assert!(is_form(header), "{header}");
        assert_eq!(boundary(header).as_deref(), expected, "{header}");
    }
    assert_eq!(boundary(&format!("a; boundary={}", "x".repeat(71))), None);
    assert!(!is_form("application/json"));
}

proptest! {
    #[test]
    fn whatever_the_bytes_nothing_panics(body in any::<Vec<u8>>(), parts in 0..4_usize, cut in any::<prop::sample::Index>()) {
        let _ = scan(&body);
        let mut whole = b"--XyZ\r\nContent-Disposition: form-data; name=f\r\n\r\n".repeat(parts);
        whole.extend(body);
        whole.extend(b"\r\n--XyZ--");
        let _ = scan(&whole);
        let _ = scan(&whole[..cut.index(whole.len())]);
    }

    #[test]
    fn files_keep_every_byte(file in any::<Vec<u8>>()) {
        prop_assume!(memmem::find(&file, b"\r\n--XyZ").is_none());
        let body = form(&[("name=\"file\"; filename=\"f\"", &file), ("name=\"model\"", b"m")]);
        let (read, found) = Form::scan(TYPE, &body).unwrap();
        let edited = read.edit(&body, &found, "other").concat();
        prop_assert_eq!(edited, form(&[("name=\"file\"; filename=\"f\"", &file), ("name=\"model\"", b"other")]));
    }
}
