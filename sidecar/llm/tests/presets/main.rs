//! Every named provider of the catalogue, by hand-written cases: what it is sent for a request that asks for nearly
//! everything, and what is made of its answer, its stream, its error.
//!
//! A case is `cases/NAME.json`; one without differences in the answers names another (`like`). A record without a case
//! fails, and so does a case without a record.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod answers;
mod case;
mod frames;
mod requests;
mod vectors;

/// Floor on the records that are shown.
const AT_LEAST: usize = 55;

#[test]
fn every_record_has_its_case() {
    let records = case::records();
    let cases = case::cases();
    assert!(records.len() >= AT_LEAST, "{}", records.len());
    for (name, record) in &records {
        let case = cases.get(name);
        for (what, is, shown) in [
            (
                "answers",
                record.dialect.is_some(),
                case.is_some_and(|case| case.answers.is_some()),
            ),
            (
                "embeddings",
                record.embeddings.is_some(),
                case.is_some_and(|case| case.embeddings.is_some()),
            ),
            (
                "ranks",
                record.ranks.is_some(),
                case.is_some_and(|case| case.ranks.is_some()),
            ),
        ] {
            assert_eq!(
                is, shown,
                "{name}: {what} of its record, and of cases/{name}.json"
            );
        }
    }
    for name in cases.keys() {
        assert!(records.contains_key(name), "{name} has no record");
    }
}
