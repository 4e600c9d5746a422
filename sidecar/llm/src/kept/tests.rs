//! What is marked, what is found again, and what stays as it is.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use super::*;

const MARK: &str = "_at_0123";

fn answer(ids: Ids, body: &str) -> String {
    let body = marked(&Bytes::copy_from_slice(body.as_bytes()), ids, MARK);
    String::from_utf8(body.to_vec()).unwrap()
}

fn found(body: &str) -> Vec<(String, &'static str, bool)> {
    let is_mark = |text: &str| text == MARK;
    let mut found: Vec<_> = named(body.as_bytes(), "_at_", is_mark)
        .into_iter()
        .map(|one| (body[one.id].to_owned(), one.field, one.is_needed))
        .collect();
    found.sort();
    found
}

#[test]
fn ids_of_answers_are_marked_and_nothing_else() {
    let body = r#" {"id": "resp_1","object":"response","previous_response_id":null,"metadata":{"id":"x"},"output":[
        {"id":"msg_1","type":"message","content":[{"type":"output_text","text":"\"file_id\":\"no\"","annotations":[
        {"type":"file_citation","file_id":"file-1","index":0}]}]}],"usage":{"id":"no"}} "#;
    let expected = body
        .replace("resp_1\"", &format!("resp_1{MARK}\""))
        .replace("file-1\"", &format!("file-1{MARK}\""));
    assert_eq!(answer(Ids::RESPONSE, body), expected);
    let chained = r#"{"id":"resp_2","previous_response_id":"resp_1"}"#;
    let expected = format!(r#"{{"id":"resp_2{MARK}","previous_response_id":"resp_1{MARK}"}}"#);
    assert_eq!(answer(Ids::RESPONSE, chained), expected);
}

#[test]
fn what_users_and_models_say_in_json_is_theirs() {
    let own = r#"{"file_id":"file-1_at_0123","previous_response_id":"resp_1_at_0123","file_ids":["file-2_at_0123"]}"#;
    for name in OWN_WORDS {
        let body = format!(r#"{{"{name}":{own},"tools":[{{"type":"function","{name}":{own}}}]}}"#);
        assert_eq!(found(&body), [], "{name}");
        assert_eq!(answer(Ids::RESPONSE, &body), body, "{name}");
        assert_eq!(answer(Ids::ITEMS, &body), body, "{name}");
    }
    let call = format!(
        r#"{{"messages":[{{"content":[{{"type":"tool_use","input":{own}}}]}}],"input":[{{"file_id":"file-3{MARK}"}}]}}"#
    );
    assert_eq!(found(&call), [(format!("file-3{MARK}"), "file_id", true)]);
}

#[test]
fn lists_are_marked_entry_by_entry() {
    let body = r#"{"object":"list","data":[{"id":"file-1","object":"file"},{"id":"file-2"}],"first_id":"file-1","has_more":false}"#;
    let expected = body
        .replace("file-1\"", &format!("file-1{MARK}\""))
        .replace("file-2\"", &format!("file-2{MARK}\""));
    assert_eq!(answer(Ids::FILE, body), expected);
    let batch = r#"{"id":"batch_1","input_file_id":"file-1","output_file_id":null,"error_file_id":"","metadata":{"input_file_id":"x"}}"#;
    let expected = batch
        .replace("batch_1\"", &format!("batch_1{MARK}\""))
        .replace("file-1\"", &format!("file-1{MARK}\""));
    assert_eq!(answer(Ids::BATCH, batch), expected);
    let entries = r#"{"data":[{"id":"msg_1","content":[{"type":"input_file","file_id":"file-1"}]}],"first_id":"msg_1"}"#;
    let expected = entries.replace("file-1\"", &format!("file-1{MARK}\""));
    assert_eq!(answer(Ids::ITEMS, entries), expected);
}

#[test]
fn what_is_cut_short_or_no_answer_is_taken_as_far_as_it_goes() {
    let cut = r#"{"id":"resp_1","output":[{"type":"message","te"#;
    let expected = cut.replace("resp_1\"", &format!("resp_1{MARK}\""));
    assert_eq!(answer(Ids::RESPONSE, cut), expected);
    for body in [
        r#"{"id":"resp"#,
        "",
        "[]",
        "null",
        "{\"id\":1}",
        "hello",
        "{}",
    ] {
        assert_eq!(answer(Ids::RESPONSE, body), body);
    }
    let broken = Bytes::from_static(b"{\"id\":\"resp_1\",\"x\":\"\xff");
    assert!(marked(&broken, Ids::RESPONSE, MARK).starts_with(b"{\"id\":\"resp_1_at_0123\""));
}

#[test]
fn events_carry_the_answer_inside() {
    let event =
        r#"{"type":"response.created","response":{"id":"resp_1","output":[]},"sequence_number":0}"#;
    let expected = event.replace("resp_1\"", &format!("resp_1{MARK}\""));
    let marked = marked_event(event.as_bytes(), MARK).unwrap();
    assert_eq!(String::from_utf8(marked).unwrap(), expected);
    let cites = r#"{"type":"response.output_text.annotation.added","annotation":{"type":"file_citation","file_id":"file-1"}}"#;
    assert!(marked_event(cites.as_bytes(), MARK).is_some());
    for event in [
        r#"{"type":"response.output_item.added","item":{"id":"msg_1"}}"#,
        "x",
        "{}",
    ] {
        assert_eq!(marked_event(event.as_bytes(), MARK), None);
    }
}

#[test]
fn ids_of_requests_are_found_where_they_name_something() {
    let body = format!(
        r#"{{"previous_response_id":"resp_1{MARK}","input":[{{"role":"user","content":[
            {{"type":"input_file","file_id":"file-1{MARK}"}},
            {{"type":"input_text","text":"resp_2{MARK}"}},
            {{"type":"input_text","text":"\"file_id\":\"file-2{MARK}\""}}]}},
            {{"type":"message","content":[{{"annotations":[{{"type":"file_citation","file_id":"file-3{MARK}"}}]}}]}}],
            "tools":[{{"container":{{"file_ids":["file-4{MARK}","file-5"]}}}}],"metadata":{{"id":"resp_6{MARK}"}}}}"#
    );
    let expected = [
        (format!("file-1{MARK}"), "file_id", true),
        (format!("file-3{MARK}"), "file_id", false),
        (format!("file-4{MARK}"), "file_ids", true),
        (format!("resp_1{MARK}"), "previous_response_id", true),
    ];
    assert_eq!(found(&body), expected);
}

#[test]
fn what_only_resembles_a_mark_is_none() {
    for id in ["resp_1_at_", "resp_1_at_01234", "_at_0123", "resp_1"] {
        assert_eq!(found(&format!(r#"{{"previous_response_id":"{id}"}}"#)), []);
    }
    let twice = format!("resp_1{MARK}{MARK}");
    let body = format!(r#"{{"previous_response_id":"{twice}"}}"#);
    assert_eq!(found(&body), [(twice, "previous_response_id", true)]);
    assert_eq!(found(&format!(r#"{{"previous_response_id":"a{MARK}"#)), []);
}

fn id() -> impl Strategy<Value = String> {
    "[a-z]{1,6}[_-][0-9a-zA-Z._~-]{1,60}"
}

proptest! {
    #[test]
    fn a_marked_answer_is_named_again(id in id(), file in id()) {
        let body = format!(r#"{{"id":"{id}","previous_response_id":"{id}","output":[{{"file_id":"{file}"}}]}}"#);
        let expected = format!(
            r#"{{"id":"{id}{MARK}","previous_response_id":"{id}{MARK}","output":[{{"file_id":"{file}{MARK}"}}]}}"#
        );
        let answer = answer(Ids::RESPONSE, &body);
        prop_assert_eq!(&answer, &expected);
        let names: Vec<String> = found(&answer).into_iter().map(|(id, ..)| id).collect();
        let mut expected = vec![format!("{id}{MARK}"), format!("{file}{MARK}")];
        expected.sort();
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn nothing_is_lost_whatever_the_bytes(words in vec(word(), 0..40)) {
        let body = Bytes::from(words.concat());
        for ids in [Ids::RESPONSE, Ids::ITEMS, Ids::FILE, Ids::BATCH] {
            let marked = marked(&body, ids, MARK);
            prop_assert_eq!(without_marks(&marked), &body[..]);
        }
        named(&body, "_", |_| true);
    }
}

/// Of JSON, or a byte.
fn word() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "{",
        "{\"id\":\"r_1\",",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\"id\":\"a\"",
        "\"data\":[",
        "\"file_id\":\"f_1\"",
        "\"x\":{",
        "\"metadata\":{",
        "null",
    ];
    let words = select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![9 => words, 1 => any::<u8>().prop_map(|byte| [byte].to_vec())]
}

fn without_marks(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(at) = memchr::memmem::find(body, MARK.as_bytes()) {
        out.extend_from_slice(&body[..at]);
        body = &body[at + MARK.len()..];
    }
    out.extend_from_slice(body);
    out
}
