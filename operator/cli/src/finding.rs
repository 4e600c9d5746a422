//! What was found in an object of a manifest, and where the object is.

use std::path::PathBuf;

use fkm_compile::{Fault, ObjectName};
use fkm_crds::Reason;
use serde::Serialize;

/// Where an object is, and what it says that it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// The line on which its document begins, from 1.
    pub line: usize,
    /// Empty where the document is no object.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One object, or one document that is none, and what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Where it is.
    #[serde(flatten)]
    pub origin: Origin,
    /// Empty: all is well.
    pub findings: Vec<Finding>,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Who would refuse it.
    pub stage: Stage,
    /// The reason of the condition, where the operator would refuse it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Where in the object: `spec.rules[0].backends[1].model`.
    pub path: String,
    /// The value and the fix.
    pub message: String,
}

/// Who would refuse an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// Whoever reads the file.
    #[serde(rename = "yaml")]
    Yaml,
    /// The API server, by the schema.
    #[serde(rename = "schema")]
    Schema,
    /// The API server, by a CEL rule.
    #[serde(rename = "cel")]
    Cel,
    /// The operator, in the condition `Accepted`.
    Accepted,
    /// The operator, in the condition `ResolvedRefs`.
    ResolvedRefs,
    /// Nobody: the operator warns.
    #[serde(rename = "warning")]
    Warning,
}

// === impl Origin ===

impl Origin {
    /// The object's name.
    pub fn object_name(&self) -> ObjectName {
        ObjectName::new(&self.namespace, &self.name)
    }

    /// `LLMRoute shop/assistant`, as far as it is known.
    pub fn title(&self) -> String {
        match (self.kind.is_empty(), self.namespace.is_empty()) {
            (true, _) => "document".to_owned(),
            (false, true) => format!("{} {}", self.kind, self.name),
            (false, false) => format!("{} {}/{}", self.kind, self.namespace, self.name),
        }
    }

    /// The file, and the line on which the object begins.
    pub fn location(&self) -> (&PathBuf, usize) {
        (&self.file, self.line)
    }
}

// === impl Judged ===

impl Judged {
    /// Whether it would be refused, by whomever.
    pub fn has_problems(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.stage != Stage::Warning)
    }
}

// === impl Finding ===

impl Finding {
    pub(crate) fn new(stage: Stage, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            stage,
            reason: None,
            path: path.into(),
            message: message.into(),
        }
    }

    pub(crate) fn of(stage: Stage, reason: Option<Reason>, fault: Fault) -> Self {
        Self {
            reason: reason.map(Reason::name),
            ..Self::new(stage, fault.path, fault.message)
        }
    }
}

// === impl Stage ===

impl Stage {
    /// As in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Schema => "schema",
            Self::Cel => "cel",
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Warning => "warning",
        }
    }
}
