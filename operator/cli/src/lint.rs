//! What is to be said of manifests: everything that the API server or the operator would say, with the same path.

use fkm_compile::{Complaint, Inputs, RouteInput, Verdict, World, compile, judge_pool};
use serde::Serialize;

use crate::manifests::Manifests;

pub use crate::finding::{Finding, Judged, Origin, Stage};

/// What was found in some manifests.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Every file that could not be read as YAML, and every object of the product, in the order of the files.
    pub objects: Vec<Judged>,
}

/// Judges every object: alone, and together with those that share its pods for certain.
pub fn lint(manifests: &Manifests) -> Report {
    let mut objects = manifests.judged().to_vec();
    let world = manifests.world();
    let routes = manifests.routes();
    for judged in &mut objects {
        let verdict = match judged.origin.kind.as_str() {
            "ProviderPool" => judge_pool(&judged.origin.object_name(), &world),
            "LLMRoute" => judge_route(&judged.origin, &routes, &world),
            _ => None,
        };
        // an object that the API server refuses never comes before the operator
        if let Some(verdict) = verdict.filter(|_| judged.findings.is_empty()) {
            judged.findings = findings(verdict);
        }
    }
    Report { objects }
}

/// Compiles the route with those that select all of its pods: the ones of its namespace with the same selector or none.
fn judge_route(origin: &Origin, routes: &[RouteInput<'_>], world: &World<'_>) -> Option<Verdict> {
    let name = origin.object_name();
    let route = routes
        .iter()
        .find(|route| route.meta.object_name() == name)?;
    let shares_pods = |other: &&RouteInput<'_>| {
        let selector = &other.live.workload_selector;
        other.meta.namespace == route.meta.namespace
            && (selector.is_none() || *selector == route.live.workload_selector)
    };
    let routes = routes.iter().filter(shares_pods).copied().collect();
    compile(&Inputs { routes, world }).routes.remove(&name)
}

pub(crate) fn findings(verdict: Verdict) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (accepted, warnings) = match verdict.accepted {
        Ok(warnings) => (None, warnings),
        Err(complaint) => (Some(complaint), Vec::new()),
    };
    let of = |stage, complaint: Option<Complaint>| {
        let reason = complaint.as_ref().map(|complaint| complaint.reason);
        let faults = complaint
            .map(|complaint| complaint.faults)
            .unwrap_or_default();
        faults
            .into_iter()
            .map(move |fault| Finding::of(stage, reason, fault))
    };
    findings.extend(of(Stage::Accepted, accepted));
    findings.extend(of(Stage::ResolvedRefs, verdict.resolved.err()));
    findings.extend(
        warnings
            .into_iter()
            .map(|fault| Finding::of(Stage::Warning, None, fault)),
    );
    findings
}

// === impl Report ===

impl Report {
    /// Whether anything would be refused.
    pub fn has_problems(&self) -> bool {
        self.objects.iter().any(Judged::has_problems)
    }
}
