//! The record of the catalogue with the fields that the pool puts in their stead.

use std::collections::BTreeMap;

use fkm_crds::{Decimal, MemberName};
use fkm_snapshot::{
    Auth, CacheMarks, Dialect, Documents, MaxTokensField, MediaUrls, RequiredChoice, Sound,
    StreamEnd, Thoughts, ToolCallIds,
};
use serde_json::Number;

/// The dialect, and what is wrong with it: the field and why.
pub(super) fn dialect(
    record: Dialect,
    given: &fkm_crds::Dialect,
) -> (Dialect, Vec<(&'static str, String)>) {
    let mut problems = Vec::new();
    let max_temperature =
        given
            .max_temperature
            .as_ref()
            .and_then(|decimal| match number(decimal) {
                Ok(number) => Some(number),
                Err(error) => {
                    problems.push(("maxTemperature", error));
                    None
                }
            });
    let path = |path: &fkm_crds::RequestPath| path.0.clone();
    let dialect = Dialect {
        format: record.format,
        path: given.path.as_ref().map_or(record.path, path),
        count_path: given.count_path.as_ref().map(path).or(record.count_path),
        stream_path: given.stream_path.as_ref().map(path).or(record.stream_path),
        auth: given.auth.map_or(record.auth, auth),
        max_tokens_field: given
            .max_tokens_field
            .map_or(record.max_tokens_field, max_tokens_field),
        stream_usage: given.stream_usage.unwrap_or(record.stream_usage),
        stream_end: given.stream_end.map_or(record.stream_end, stream_end),
        drop: given.drop.as_deref().map_or(record.drop, names),
        rename: given.rename.as_ref().map_or(record.rename, renames),
        drop_in_messages: given
            .drop_in_messages
            .as_deref()
            .map_or(record.drop_in_messages, names),
        thoughts: given.thoughts.map_or(record.thoughts, thoughts),
        calls_need_thoughts: given
            .calls_need_thoughts
            .unwrap_or(record.calls_need_thoughts),
        developer_role: given.developer_role.unwrap_or(record.developer_role),
        null_content: given.null_content.unwrap_or(record.null_content),
        tool_call_ids: given
            .tool_call_ids
            .map_or(record.tool_call_ids, tool_call_ids),
        required_choice: given
            .required_choice
            .map_or(record.required_choice, required_choice),
        strict_tools: given.strict_tools.unwrap_or(record.strict_tools),
        max_temperature: max_temperature.or(record.max_temperature),
        cache_marks: given.cache_marks.map_or(record.cache_marks, cache_marks),
        documents: given.documents.map_or(record.documents, documents),
        sound: given.sound.map_or(record.sound, sound),
        media_urls: given.media_urls.map_or(record.media_urls, media_urls),
    };
    problems.extend(dialect.problems());
    (dialect, problems)
}

fn names<C: FromIterator<String>>(names: &[MemberName]) -> C {
    names.iter().map(|name| name.0.clone()).collect()
}

fn renames(renames: &BTreeMap<String, MemberName>) -> BTreeMap<String, String> {
    let pairs = renames.iter();
    pairs
        .map(|(from, to)| (from.clone(), to.0.clone()))
        .collect()
}

/// Whole numbers stay whole: a provider may refuse `1.0`.
fn number(decimal: &Decimal) -> Result<Number, String> {
    let millionths = decimal.millionths().map_err(|error| error.to_string())?;
    if millionths % 1_000_000 == 0 {
        return Ok(Number::from(millionths / 1_000_000));
    }
    serde_json::from_str(decimal.0.trim_start_matches('0'))
        .or_else(|_| serde_json::from_str(&decimal.0))
        .map_err(|_| format!("{:?} is no number", decimal.0))
}

fn auth(auth: fkm_crds::DialectAuth) -> Auth {
    match auth {
        fkm_crds::DialectAuth::Bearer => Auth::Bearer,
        fkm_crds::DialectAuth::XApiKey => Auth::XApiKey,
        fkm_crds::DialectAuth::ApiKey => Auth::ApiKey,
        fkm_crds::DialectAuth::XGoogApiKey => Auth::XGoogApiKey,
    }
}

fn max_tokens_field(field: fkm_crds::MaxTokensField) -> MaxTokensField {
    match field {
        fkm_crds::MaxTokensField::AsSent => MaxTokensField::AsSent,
        fkm_crds::MaxTokensField::MaxTokens => MaxTokensField::MaxTokens,
        fkm_crds::MaxTokensField::MaxCompletionTokens => MaxTokensField::MaxCompletionTokens,
    }
}

fn stream_end(end: fkm_crds::StreamEnd) -> StreamEnd {
    match end {
        fkm_crds::StreamEnd::FinishReason => StreamEnd::FinishReason,
        fkm_crds::StreamEnd::Mark => StreamEnd::Mark,
    }
}

fn thoughts(thoughts: fkm_crds::Thoughts) -> Thoughts {
    match thoughts {
        fkm_crds::Thoughts::AsSent => Thoughts::AsSent,
        fkm_crds::Thoughts::ReasoningContent => Thoughts::ReasoningContent,
        fkm_crds::Thoughts::Reasoning => Thoughts::Reasoning,
        fkm_crds::Thoughts::ReasoningDetails => Thoughts::ReasoningDetails,
        fkm_crds::Thoughts::Content => Thoughts::Content,
        fkm_crds::Thoughts::Never => Thoughts::Never,
    }
}

fn tool_call_ids(ids: fkm_crds::ToolCallIds) -> ToolCallIds {
    match ids {
        fkm_crds::ToolCallIds::Any => ToolCallIds::Any,
        fkm_crds::ToolCallIds::NineAlphanumerics => ToolCallIds::NineAlphanumerics,
        fkm_crds::ToolCallIds::Never => ToolCallIds::Never,
    }
}

fn required_choice(word: fkm_crds::RequiredChoice) -> RequiredChoice {
    match word {
        fkm_crds::RequiredChoice::Required => RequiredChoice::Required,
        fkm_crds::RequiredChoice::Any => RequiredChoice::Any,
        fkm_crds::RequiredChoice::Auto => RequiredChoice::Auto,
    }
}

fn cache_marks(marks: fkm_crds::CacheMarks) -> CacheMarks {
    match marks {
        fkm_crds::CacheMarks::Breakpoint => CacheMarks::Breakpoint,
        fkm_crds::CacheMarks::CacheControl => CacheMarks::CacheControl,
    }
}

fn documents(documents: fkm_crds::Documents) -> Documents {
    match documents {
        fkm_crds::Documents::AsSent => Documents::AsSent,
        fkm_crds::Documents::DocumentUrl => Documents::DocumentUrl,
    }
}

fn sound(sound: fkm_crds::Sound) -> Sound {
    match sound {
        fkm_crds::Sound::AsSent => Sound::AsSent,
        fkm_crds::Sound::Base64 => Sound::Base64,
    }
}

fn media_urls(urls: fkm_crds::MediaUrls) -> MediaUrls {
    match urls {
        fkm_crds::MediaUrls::Any => MediaUrls::Any,
        fkm_crds::MediaUrls::Images => MediaUrls::Images,
        fkm_crds::MediaUrls::Never => MediaUrls::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_stay_whole() {
        for (text, written) in [
            ("1", "1"),
            ("1.0", "1"),
            ("01.50", "1.5"),
            ("0.25", "0.25"),
            ("0", "0"),
        ] {
            let number = number(&Decimal::from(text)).unwrap();
            assert_eq!(number.to_string(), written);
        }
        assert!(number(&Decimal::from("hot")).is_err());
    }
}
