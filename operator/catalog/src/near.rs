//! Names that somebody may have meant.

/// At most three of `names` that are close to `wanted`, the closest first.
///
/// Close is one edit in three letters, or one containing the other.
pub fn near_matches<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| Some((distance(&wanted, &name.to_lowercase())?, name)))
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

fn distance(wanted: &str, name: &str) -> Option<usize> {
    let edits = strsim::damerau_levenshtein(wanted, name);
    let longest = wanted.chars().count().max(name.chars().count());
    let contained =
        wanted.len() >= 3 && name.len() >= 3 && (name.contains(wanted) || wanted.contains(name));
    (edits * 3 <= longest || contained).then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset_names;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(near_matches("grok", preset_names()), ["groq"]);
        assert_eq!(near_matches("OpenRuter", preset_names()), ["openrouter"]);
        assert_eq!(near_matches("mistral-ai", preset_names()), ["mistral"]);
        assert!(near_matches("zzz", preset_names()).is_empty());
        assert_eq!(
            near_matches(
                "gpt-4",
                ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "o3", "gpt-4-32k"]
            ),
            ["gpt-4o", "gpt-4.1", "gpt-4-32k"]
        );
    }
}
