//! `toolConfig`, both ways; and the choice in Anthropic's words, which says more.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::bedrock::FORMAT;
use crate::bedrock::block::BlockWriter;
use crate::bedrock::request::TOOLS;
use crate::bedrock::request::rest::{keep_rest, unsupported};
use crate::bedrock::types::{self, TOOL_NAME, cache_point};
use crate::error::{DecodeError, EncodeError};
use crate::format::Target;
use crate::ir::{
    Extra, FunctionTool, Message, Opaque, OutputPart, RawJson, Request, Tool, ToolChoice,
};
use crate::json::{Object, ObjectWriter, Path, array, kind_of};

const TOOL_MEMBERS: [&str; 4] = ["name", "description", "inputSchema", "strict"];

/// The name of a tool whose results are told, but not its calls.
const NAMELESS: &str = "tool";

const NO_PARAMETERS: &[u8] = br#"{"type":"object","properties":{}}"#;

/// What `toolConfig` says.
#[derive(Default)]
pub(super) struct Config {
    pub(super) tools: Vec<Tool>,
    pub(super) choice: Option<ToolChoice>,
}

pub(super) fn decode(object: &mut Object<'_, '_>, kept: &mut Extra) -> Result<Config, DecodeError> {
    let path = object.path().member(TOOLS);
    let Some(raw) = object.raw(TOOLS) else {
        return Ok(Config::default());
    };
    let mut config = Object::from_raw(raw, &path)?;
    let list_path = path.member("tools");
    let mut found = Config::default();
    if let Some(raw) = config.raw("tools") {
        for (index, raw) in (0..).zip(array(raw, &list_path)?) {
            if let Some(mark) = cache_point(raw)
                && let Some(Tool::Function(function)) = found.tools.last_mut()
                && function.cache.is_none()
            {
                function.cache = Some(mark);
                continue;
            }
            found.tools.push(tool(raw, &list_path.item(index))?);
        }
    }
    found.choice = config.raw("toolChoice").map(|raw| {
        known_choice(raw).unwrap_or_else(|| ToolChoice::Opaque(Opaque::new(FORMAT, raw.get())))
    });
    keep_rest(TOOLS, config, kept);
    Ok(found)
}

/// Another one than `toolSpec` is one that the provider runs.
fn tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, DecodeError> {
    let opaque = || Ok(Tool::Opaque(Opaque::new(FORMAT, raw.get())));
    let outer = Object::from_raw(raw, path)?;
    let Some(("toolSpec", inner)) = outer.only() else {
        return opaque();
    };
    let path = path.member("toolSpec");
    let mut spec = Object::from_raw(inner, &path)?;
    let parameters = match spec.raw("inputSchema") {
        None => None,
        Some(schema) => {
            let path = path.member("inputSchema");
            let schema = Object::from_raw(schema, &path)?;
            let Some(("json", schema)) = schema.only() else {
                return opaque();
            };
            Some(RawJson::from(schema))
        }
    };
    Ok(Tool::Function(FunctionTool {
        name: spec.required_string("name")?,
        description: spec.string("description")?,
        parameters,
        strict: spec.take("strict", "true or false")?,
        cache: None,
        extra: spec.rest(FORMAT),
    }))
}

fn known_choice(raw: &RawValue) -> Option<ToolChoice> {
    let choice = Object::from_raw(raw, &Path::Root).ok()?;
    let (name, inner) = choice.only()?;
    let mut inner = Object::from_raw(inner, &Path::Root).ok()?;
    let known = match name {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "tool" => ToolChoice::Function(inner.string("name").ok()??),
        _ => return None,
    };
    inner.is_empty().then_some(known)
}

/// Takes the choice in Anthropic's words, when it is one that is known.
pub(super) fn take_choice(fields: &mut Object<'_, '_>) -> Option<(ToolChoice, Option<bool>)> {
    let mut choice = Object::from_raw(fields.peek("tool_choice")?, &Path::Root).ok()?;
    let kind = choice.kind();
    choice.raw("type");
    let single: Option<bool> = choice
        .take("disable_parallel_tool_use", "true or false")
        .ok()?;
    let known = match &*kind {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(choice.string("name").ok()??),
        _ => return None,
    };
    choice.is_empty().then_some(())?;
    fields.raw("tool_choice");
    Some((known, single.map(|single| !single)))
}

/// What is written of tools.
#[derive(Default)]
pub(super) struct Plan<'a> {
    tools: Vec<&'a Tool>,
    /// Names that only the conversation tells: a conversation with calls is refused without tools.
    declared: BTreeSet<&'a str>,
    choice: Option<&'a ToolChoice>,
    /// The choice goes in Anthropic's words.
    anthropic: Option<Choice<'a>>,
}

/// A choice in Anthropic's words.
struct Choice<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    single: bool,
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// Decides, and notes what cannot be said. There is no choice of no tool, and no limit to one call, but in Anthropic's
    /// words.
    pub(super) fn new(
        request: &'a Request,
        target: &Target<'_>,
        writer: &mut BlockWriter<'_>,
    ) -> Result<Self, EncodeError> {
        let mut plan = Self {
            tools: request.tools.iter().collect(),
            ..Self::default()
        };
        plan.tools.retain(|tool| is_ours(tool, writer));
        let told = told_names(&request.messages);
        let fields = target.capabilities.anthropic_fields;
        let choice = request.tool_choice.as_ref();
        if choice == Some(&ToolChoice::None) && !fields && told.is_empty() {
            // Without tools, none is called.
            writer.report.note("tool_choice");
            if !plan.tools.is_empty() {
                writer.report.note("tools");
            }
            return Ok(Self::default());
        }
        if plan.tools.is_empty() && !told.is_empty() {
            writer.report.note("tools.none");
            plan.declared = told;
        }
        if plan.tools.is_empty() && plan.declared.is_empty() {
            return plan.without_tools(request, writer);
        }
        let single = request.parallel_tool_calls == Some(false);
        match choice {
            Some(ToolChoice::Opaque(raw)) if raw.origin != FORMAT => {
                let reason = format!("this form is known to {} only", raw.origin);
                return Err(unsupported("tool_choice", reason));
            }
            Some(ToolChoice::Opaque(_)) => plan.choice = choice,
            _ if fields && (single || choice == Some(&ToolChoice::None)) => {
                plan.anthropic = Some(Choice::new(choice, single));
                return Ok(plan);
            }
            Some(ToolChoice::None) => writer.report.note("tool_choice"),
            _ => plan.choice = choice,
        }
        if single {
            writer.report.note("parallel_tool_calls");
        }
        Ok(plan)
    }

    fn without_tools(
        self,
        request: &Request,
        writer: &mut BlockWriter<'_>,
    ) -> Result<Self, EncodeError> {
        match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Opaque(_)) => {
                let reason = "a call is asked for, but there is no tool that could be called";
                return Err(unsupported("tool_choice", reason));
            }
            Some(ToolChoice::Auto | ToolChoice::None) => writer.report.note("tool_choice"),
            None => {}
        }
        if request.parallel_tool_calls == Some(false) {
            writer.report.note("parallel_tool_calls");
        }
        Ok(self)
    }

    /// Writes the choice in Anthropic's words.
    pub(super) fn write_anthropic(
        &self,
        fields: &mut ObjectWriter<'_>,
        writer: &mut BlockWriter<'_>,
    ) {
        if let Some(choice) = &self.anthropic {
            choice.write(fields.key("tool_choice"), writer);
        }
    }

    /// Writes the members of `toolConfig`, with marks of the cache where the model takes them among tools.
    pub(super) fn write(
        &self,
        config: &mut ObjectWriter<'_>,
        marks: bool,
        writer: &mut BlockWriter<'_>,
    ) {
        if self.tools.is_empty() && self.declared.is_empty() {
            return;
        }
        let out = config.key("tools");
        out.push(b'[');
        let first = out.len();
        let separate = |out: &mut Vec<u8>| {
            if out.len() > first {
                out.push(b',');
            }
        };
        for name in &self.declared {
            separate(out);
            let function = FunctionTool {
                name: (*name).to_owned(),
                ..FunctionTool::default()
            };
            write_tool(out, &function, writer);
        }
        for tool in &self.tools {
            separate(out);
            match tool {
                Tool::Function(function) => write_tool(out, function, writer),
                Tool::Opaque(raw) => out.extend_from_slice(&raw.bytes),
            }
            if let Tool::Function(FunctionTool {
                cache: Some(mark), ..
            }) = tool
            {
                if marks && writer.takes_marks() {
                    out.push(b',');
                    types::write_cache_point(out, *mark);
                } else {
                    writer.report.note("cache_control");
                }
            }
        }
        out.push(b']');
        if let Some(choice) = self.choice {
            write_choice(config.key("toolChoice"), choice, writer);
        }
    }
}

/// The tools that the conversation tells of.
fn told_names(messages: &[Message]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut results = false;
    for message in messages {
        match message {
            Message::Assistant { parts, .. } => {
                for part in parts {
                    if let OutputPart::ToolCall(call) = part {
                        names.insert(call.name.as_str());
                    }
                }
            }
            Message::Tool { results: given, .. } => results |= !given.is_empty(),
            Message::System { .. } | Message::User { .. } => {}
        }
    }
    if names.is_empty() && results {
        names.insert(NAMELESS);
    }
    names
}

/// Tools that another provider runs itself are left out, and noted.
fn is_ours(tool: &Tool, writer: &mut BlockWriter<'_>) -> bool {
    match tool {
        Tool::Opaque(raw) if raw.origin != FORMAT => {
            writer.report.note_in("tools", &kind_of(&raw.bytes));
            false
        }
        _ => true,
    }
}

fn write_tool(out: &mut Vec<u8>, function: &FunctionTool, writer: &mut BlockWriter<'_>) {
    let report = &mut *writer.report;
    let mut outer = ObjectWriter::new(out);
    let mut spec = ObjectWriter::new(outer.key("toolSpec"));
    spec.value("name", &*report.tool_name(&function.name, &TOOL_NAME));
    // An empty description is refused.
    match function.description.as_deref() {
        Some(text) if text.trim().is_empty() => report.note("tool.description"),
        description => spec.optional("description", description.as_ref()),
    }
    let mut schema = ObjectWriter::new(spec.key("inputSchema"));
    match &function.parameters {
        Some(parameters) => schema.value("json", parameters),
        None => schema.key("json").extend_from_slice(NO_PARAMETERS),
    }
    schema.end();
    spec.optional("strict", function.strict.as_ref());
    spec.extra(&function.extra, FORMAT, &TOOL_MEMBERS, "tool", report);
    spec.end();
    outer.end();
}

fn write_choice(out: &mut Vec<u8>, choice: &ToolChoice, writer: &mut BlockWriter<'_>) {
    let (kind, name) = match choice {
        ToolChoice::Opaque(raw) => {
            out.extend_from_slice(&raw.bytes);
            return;
        }
        ToolChoice::Auto | ToolChoice::None => ("auto", None),
        ToolChoice::Required => ("any", None),
        ToolChoice::Function(name) => ("tool", Some(name)),
    };
    let mut outer = ObjectWriter::new(out);
    let mut inner = ObjectWriter::new(outer.key(kind));
    if let Some(name) = name {
        inner.value("name", &*writer.report.tool_name(name, &TOOL_NAME));
    }
    inner.end();
    outer.end();
}

// === impl Choice ===

impl<'a> Choice<'a> {
    fn new(choice: Option<&'a ToolChoice>, single: bool) -> Self {
        let (kind, name) = match choice {
            Some(ToolChoice::None) => ("none", None),
            Some(ToolChoice::Required) => ("any", None),
            Some(ToolChoice::Function(name)) => ("tool", Some(name.as_str())),
            Some(ToolChoice::Auto | ToolChoice::Opaque(_)) | None => ("auto", None),
        };
        let single = single && kind != "none";
        Self { kind, name, single }
    }

    fn write(&self, out: &mut Vec<u8>, writer: &mut BlockWriter<'_>) {
        let mut choice = ObjectWriter::new(out);
        choice.value("type", self.kind);
        if let Some(name) = self.name {
            choice.value("name", &*writer.report.tool_name(name, &TOOL_NAME));
        }
        if self.single {
            choice.value("disable_parallel_tool_use", &true);
        }
        choice.end();
    }
}
