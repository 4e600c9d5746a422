//! Requests.

mod decode;
mod encode;
mod messages;
mod rest;
mod tools;

pub(super) use decode::decode;
pub(super) use encode::encode;

const INFERENCE: &str = "inferenceConfig";
const TOOLS: &str = "toolConfig";
const OUTPUT: &str = "outputConfig";
const METADATA: &str = "requestMetadata";

/// What the model of one maker takes beside what all take.
const ADDITIONAL: &str = "additionalModelRequestFields";

/// The members that the representation has in part: what else they hold is kept under their names.
const SHARED_MEMBERS: [&str; 4] = [INFERENCE, TOOLS, OUTPUT, ADDITIONAL];

/// The members that the representation has as a whole, and those that the path says.
const MEMBERS: [&str; 4] = ["messages", "system", "modelId", "stream"];
