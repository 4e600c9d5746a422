//! How a CEL rule is written into the schema.

use serde_json::{Value, json};

/// A rule that must hold, and the message, itself CEL, that names field, value and fix when it does not.
///
/// kube's own `Rule` has no way to write a `messageExpression`, and a constant message cannot show the value.
pub(crate) fn rule(holds: &str, message: &str) -> Value {
    json!({"rule": holds, "messageExpression": message, "message": constant_part(message)})
}

/// As [`rule`], for a struct: the error is reported at `field` (`.backends`).
pub(crate) fn rule_at(field: &str, holds: &str, message: &str) -> Value {
    let mut rule = rule(holds, message);
    rule["fieldPath"] = field.into();
    rule
}

/// What is shown should the expression fail: its string literals.
fn constant_part(message: &str) -> String {
    let literals: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    literals.join("…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_part_keeps_the_literals() {
        assert_eq!(constant_part("'a ' + self + ' b'"), "a … b");
        assert_eq!(constant_part("'only'"), "only");
    }
}
