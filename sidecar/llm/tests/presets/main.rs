//! Every named provider of the catalogue, by hand-written cases: what it is sent for a request that asks for nearly
//! everything, and what is made of its answer, its stream, its error.
//!
//! A case is `cases/NAME.json`; one without differences in the answers names another (`like`). A record without a case
//! fails, and so does a case without a record.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod answers;
mod case;
mod requests;

/// Floor on the records of OpenAI's format that are shown.
const AT_LEAST: usize = 45;

#[test]
fn every_record_has_its_case() {
    let records = case::records();
    let cases = case::cases();
    let chat = records.values().filter(|record| record.is_chat());
    assert!(chat.count() >= AT_LEAST);
    for (name, record) in &records {
        assert_eq!(record.is_chat(), cases.contains_key(name), "{name}");
    }
    for name in cases.keys() {
        assert!(records.contains_key(name), "{name} has no record");
    }
}
