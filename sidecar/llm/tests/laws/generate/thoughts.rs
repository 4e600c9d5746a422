//! Thoughts, and the state that providers give with them.

use fkm_llm::ir::{Extra, Opaque, RawJson, Reasoning};
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{Home, State, away, extra, origin, text, word};

/// State as this format has it.
pub(super) fn own_state(home: &Home, readable: bool) -> BoxedStrategy<Opaque> {
    let format = home.format;
    if home.state == State::Text {
        return prop_oneof![word(), text()]
            .prop_map(move |text| Opaque::new(format, text))
            .boxed();
    }
    let kind = if readable {
        "reasoning.text"
    } else {
        "reasoning.encrypted"
    };
    word()
        .prop_map(move |id| Opaque::new(format, format!(r#"{{"id":"{id}","type":"{kind}"}}"#)))
        .boxed()
}

fn state(home: &Home, readable: bool) -> BoxedStrategy<Opaque> {
    let format = home.format;
    prop_oneof![
        6 => own_state(home, readable),
        1 => (origin(format), any::<Vec<u8>>())
            .prop_map(|(origin, bytes)| Opaque { origin, bytes }),
        1 => any::<Vec<u8>>().prop_map(move |bytes| Opaque { origin: away(format), bytes }),
    ]
    .boxed()
}

/// A thought that is a whole item, as its provider made it. An answer's has its id at hand.
fn item(home: &Home, in_request: bool) -> BoxedStrategy<Reasoning> {
    let format = home.format;
    let read = (text(), word()).prop_map(move |(text, id)| {
        let summary = serde_json::json!([{"type": "summary_text", "text": text}]);
        let state = format!(
            r#"{{"id":"rs_{id}","summary": {summary},"type":"reasoning","encrypted_content":"gA+/="}}"#
        );
        let mut extra = Extra::default();
        if !in_request {
            extra.insert_quiet(format, "id", RawJson::string(&format!("rs_{id}")));
        }
        Reasoning {
            text: Some(text),
            state: Some(Opaque::new(format, state)),
            extra,
        }
    });
    let hidden = word().prop_map(move |id| {
        let state = format!(r#"{{"type":"reasoning","id":"{id}","summary":[]}}"#);
        Reasoning {
            text: None,
            state: Some(Opaque::new(format, state)),
            extra: Extra::default(),
        }
    });
    prop_oneof![read, hidden].boxed()
}

pub(super) fn reasoning(home: &Home, in_request: bool) -> BoxedStrategy<Reasoning> {
    let thought = thought(home);
    if home.state == State::Item {
        return prop_oneof![2 => item(home, in_request), 1 => thought].boxed();
    }
    thought
}

fn thought(home: &Home) -> BoxedStrategy<Reasoning> {
    let extra = if home.thinking_extra {
        extra(home.format)
    } else {
        Just(Extra::default()).boxed()
    };
    let parts = prop_oneof![
        (text().prop_map(Some), of(state(home, true))),
        (Just(Some(String::new())), state(home, true).prop_map(Some)),
        (Just(None), state(home, false).prop_map(Some)),
    ];
    (parts, extra)
        .prop_map(|((text, state), extra)| Reasoning { text, state, extra })
        .boxed()
}
