//! The bytes of a stream, from what a case says of its frames.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use fkm_llm::Format;

use crate::case::Answers;

/// The stream as a provider of the format sends it.
pub(crate) fn frames(format: Format, answers: &Answers) -> Bytes {
    let frames = answers.stream.iter().map(|data| match format {
        Format::BedrockConverse => event(data),
        _ => server_sent(data).into_bytes(),
    });
    Bytes::from(frames.collect::<Vec<_>>().concat())
}

fn server_sent(data: &str) -> String {
    if data.starts_with(':') {
        format!("{data}\n\n")
    } else {
        format!("data: {data}\n\n")
    }
}

/// A frame of Bedrock, written by the crate that AWS's own SDK uses: `NAME PAYLOAD`.
fn event(data: &str) -> Vec<u8> {
    let (name, payload) = data.split_once(' ').unwrap();
    let header = |name: &'static str, value: &str| {
        Header::new(name, HeaderValue::String(value.to_owned().into()))
    };
    let message = Message::new(payload.to_owned().into_bytes())
        .add_header(header(":message-type", "event"))
        .add_header(header(":event-type", name));
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}
