//! `fkm lint` over the shared manifests, and its outputs and exit codes.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use fkm_cli::lint::{Finding, Report, Stage, lint};
use fkm_cli::manifests::{Manifests, Options};
use fkm_cli::{Exit, run};
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/manifests")
        .join(name)
}

fn options(assume_secrets: bool) -> Options {
    Options {
        namespace: "default".into(),
        assume_secrets,
    }
}

fn report(text: &str) -> Report {
    let mut manifests = Manifests::new(options(false));
    manifests.add_text(Path::new("x.yaml"), text);
    lint(&manifests)
}

fn findings(report: &Report) -> Vec<&Finding> {
    report
        .objects
        .iter()
        .flat_map(|judged| &judged.findings)
        .collect()
}

fn fkm(arguments: &[&str]) -> (Exit, String) {
    let arguments = std::iter::once("fkm")
        .chain(arguments.iter().copied())
        .map(OsString::from);
    let mut out = Vec::new();
    let exit = run(arguments, &mut out);
    (exit, String::from_utf8(out).unwrap())
}

#[test]
fn each_wrong_manifest_is_refused_by_whom_and_where_it_says() {
    let mut judged = 0;
    for entry in fs::read_dir(folder("wrong")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let line = text
            .lines()
            .next()
            .unwrap()
            .strip_prefix("# expect: ")
            .unwrap();
        let mut parts = line.splitn(3, ' ');
        let mut next = || parts.next().unwrap();
        let (who, at, words) = (next(), next(), next());
        let report = report(&text);
        let findings = findings(&report);
        let found = |finding: &&&Finding| {
            finding.stage.name() == who && finding.path == at && finding.message.contains(words)
        };
        assert!(
            findings.iter().any(|finding| found(&finding)),
            "{}: {findings:#?}",
            path.display()
        );
        assert_eq!(
            report.has_problems(),
            who != "warning",
            "{}",
            path.display()
        );
        if matches!(who, "schema" | "cel") {
            // nothing but what the API server says: it never comes before the operator
            let object = report
                .objects
                .iter()
                .find(|judged| judged.has_problems())
                .unwrap();
            assert!(
                object
                    .findings
                    .iter()
                    .all(|finding| finding.stage.name() == who),
                "{}: {findings:#?}",
                path.display()
            );
        }
        judged += 1;
    }
    assert!(judged >= 50, "{judged}");
}

#[test]
fn good_manifests_are_good() {
    let (exit, out) = fkm(&["lint", folder("good").to_str().unwrap()]);
    assert_eq!(exit, Exit::Ok, "{out}");
    assert!(
        out.ends_with("4 objects, 0 with problems, 0 warnings\n"),
        "{out}"
    );
}

/// What `make run` serves, in each of its shapes.
#[test]
fn the_quickstart_is_good() {
    let folder = folder("../../deploy/quickstart");
    let shapes: [&[&str]; 3] = [
        &["route", "pool-simulated"],
        &["route", "pool-model"],
        &["route", "pool-simulated", "openai", "anthropic"],
    ];
    for shape in shapes {
        let mut manifests = Manifests::new(options(true));
        for name in shape {
            let file = folder.join(name).with_extension("yaml");
            let text = fs::read_to_string(&file).unwrap();
            manifests.add_text(&file, &text.replace("MODEL_PORT", "8080"));
        }
        let report = lint(&manifests);
        assert!(findings(&report).is_empty(), "{shape:?}: {report:#?}");
        assert!(report.objects.len() >= shape.len(), "{shape:?}");
    }
}

/// What the README shows and what `deploy/samples` holds: lint finds nothing, and nothing is dropped.
#[test]
fn the_readme_and_the_samples_are_good() {
    let root = folder("../..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme.split("```yaml\n").nth(1).unwrap();
    let mut texts = vec![(
        "README.md".into(),
        shown.split("```").next().unwrap().to_owned(),
    )];
    for entry in fs::read_dir(root.join("deploy/samples")).unwrap() {
        let path = entry.unwrap().path();
        texts.push((path.clone(), fs::read_to_string(path).unwrap()));
    }
    assert!(texts.len() >= 2);
    for (path, text) in texts {
        let mut manifests = Manifests::new(options(true));
        manifests.add_text(&path, &text);
        let report = lint(&manifests);
        assert!(
            findings(&report).is_empty(),
            "{}: {report:#?}",
            path.display()
        );
        assert!(report.objects.len() >= 2, "{}", path.display());
    }
}

#[test]
fn output_for_people_names_place_path_and_judge() {
    let path = folder("wrong").join("missing-model.yaml");
    let (exit, out) = fkm(&["lint", "--color", "never", path.to_str().unwrap()]);
    assert_eq!(exit, Exit::Problems);
    assert!(out.contains("ok    ProviderPool platform/chat "), "{out}");
    assert!(
        out.contains("error LLMRoute shop/assistant ") && out.contains("missing-model.yaml:10\n"),
        "{out}"
    );
    assert!(
        out.contains("      spec.rules[0].backends[0].model: ")
            && out.contains("[ResolvedRefs ModelNotFound]"),
        "{out}"
    );
    let (_, colored) = fkm(&["lint", "--color", "always", path.to_str().unwrap()]);
    assert!(colored.contains("\u{1b}[31merror"), "{colored}");
}

#[test]
fn output_for_programs_is_json() {
    let (exit, out) = fkm(&[
        "lint",
        "--output",
        "json",
        folder("wrong").join("bad-ca.yaml").to_str().unwrap(),
    ]);
    assert_eq!(exit, Exit::Problems);
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["problems"], 2);
    let finding = &shown["objects"][0]["findings"][0];
    assert_eq!(finding["stage"], "ResolvedRefs");
    assert_eq!(finding["reason"], "InvalidCertificate");
    assert_eq!(shown["objects"][0]["kind"], "ProviderPool");
}

#[test]
fn arguments_that_cannot_be_used_are_64_and_help_is_not() {
    for arguments in [
        &["lint"][..],
        &["lint", "/nowhere"],
        &["lint", "--output", "xml", "."],
        &["fly"],
        &[],
    ] {
        assert_eq!(fkm(arguments).0, Exit::Usage, "{arguments:?}");
    }
    assert_eq!(fkm(&["--help"]).0, Exit::Ok);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(
        fkm(&["lint", empty.path().to_str().unwrap()]).0,
        Exit::Usage
    );
}

#[test]
fn completion_names_the_commands() {
    let (exit, script) = fkm(&["completion", "bash"]);
    assert_eq!(exit, Exit::Ok);
    assert!(
        script.contains("lint") && script.contains("--assume-secrets"),
        "{script}"
    );
}

#[test]
fn secrets_may_live_elsewhere() {
    let text = fs::read_to_string(folder("wrong").join("missing-secret.yaml")).unwrap();
    let mut manifests = Manifests::new(options(true));
    manifests.add_text(Path::new("x.yaml"), &text);
    assert!(!lint(&manifests).has_problems());
    let text = fs::read_to_string(folder("wrong").join("missing-key.yaml")).unwrap();
    let mut manifests = Manifests::new(options(true));
    manifests.add_text(Path::new("x.yaml"), &text);
    assert!(
        lint(&manifests).has_problems(),
        "a Secret that is there lacks the key"
    );
}

const POOL: &str = "apiVersion: fluxkontext.dev/v1alpha1\nkind: ProviderPool\nmetadata: { name: chat }\nspec: { providers: [{ name: sim, type: Simulated, simulated: {}, models: [{ name: m }] }] }\n";

#[test]
fn frames_of_objects() {
    let cases = [
        (
            "metadata.name",
            POOL.replace("{ name: chat }", "{ namespace: a }"),
            "Required value",
        ),
        (
            "metadata.name",
            POOL.replace("name: chat", "name: Chat"),
            "\"Chat\" is no name",
        ),
        (
            "kind",
            POOL.replace("ProviderPool", "ProviderPol"),
            "did you mean \"ProviderPool\"?",
        ),
        (
            "apiVersion",
            POOL.replace("v1alpha1", "v1"),
            "fluxkontext.dev/v1alpha1",
        ),
        (
            "specs",
            POOL.replace("spec:", "specs:"),
            "did you mean \"spec\"?",
        ),
        ("", "a: 1\n".to_owned(), "apiVersion and kind are needed"),
        ("", "a: [\n".to_owned(), ""),
        (
            "metadata.name",
            format!("{POOL}---\n{POOL}"),
            "more than one document",
        ),
    ];
    for (path, text, words) in cases {
        let report = report(&text);
        let found = findings(&report)
            .iter()
            .any(|finding| finding.path == path && finding.message.contains(words));
        assert!(found, "{path} {words}: {report:?}");
    }
}

#[test]
fn an_explicit_null_is_an_omission() {
    let text = POOL.replace(
        "type: Simulated,",
        "type: Simulated, baseURL: null, weight: ~, credentials: null,",
    );
    let report = report(&text);
    assert!(!report.has_problems(), "{report:?}");
}

/// The format of OpenAI has its version in the base URL, that of Anthropic in the path.
#[test]
fn a_version_that_stands_twice_is_a_warning() {
    let pool = |provider: &str| {
        POOL.replace(
            "{ name: sim, type: Simulated, simulated: {}, models: [{ name: m }] }",
            &format!("{{ name: p, {provider}, models: [{{ name: m }}] }}"),
        )
    };
    for (provider, warnings) in [
        ("type: Anthropic, baseURL: 'https://x.example/v1'", 1),
        ("type: Anthropic, baseURL: 'https://x.example/v1/'", 1),
        ("type: Anthropic, baseURL: 'https://x.example'", 0),
        ("type: OpenAI, baseURL: 'https://x.example/v1'", 0),
        ("type: OpenAI, baseURL: 'https://x.example'", 0),
        ("type: OpenAICompatible, baseURL: 'https://x.example'", 0),
    ] {
        let report = report(&pool(provider));
        assert!(!report.has_problems(), "{provider}: {report:?}");
        let found = findings(&report);
        assert_eq!(found.len(), warnings, "{provider}: {report:?}");
        for finding in found {
            assert_eq!(finding.stage, Stage::Warning);
            assert_eq!(finding.path, "spec.providers[0].baseURL");
        }
    }
}

/// What can be no label is refused, since it would match nothing.
#[test]
fn selectors_name_what_can_be_a_label() {
    let long = "k".repeat(64);
    // behind a DNS name of 192 characters and `last`
    let behind = |last: usize| {
        let labels = [63, 63, 63, last].map(|length| "a".repeat(length));
        format!("{}/app", labels.join("."))
    };
    for (key, value, right) in [
        ("app", "shop", true),
        ("app.kubernetes.io/name", "Shop-1_2.3", true),
        ("App_1.x", "", true),
        (&long[1..], &long[1..], true),
        (&long, "shop", false),
        ("app", &long, false),
        ("app ", "shop", false),
        ("", "shop", false),
        ("/app", "shop", false),
        ("Example.com/app", "shop", false),
        ("a/b/c", "shop", false),
        ("-app", "shop", false),
        (&behind(61), "shop", true),
        (&behind(62), "shop", false),
        ("app", "Shop!", false),
        ("app", "shop ", false),
        ("app", "-shop", false),
    ] {
        let labels = format!("matchLabels: {{ {key:?}: {value:?} }}");
        let expression =
            format!("matchExpressions: [{{ key: {key:?}, operator: In, values: [{value:?}] }}]");
        for selector in [labels, expression] {
            let spec = format!(
                "spec: {{ allowedRoutes: {{ namespaces: {{ from: Selector, selector: {{ {selector} }} }} }},"
            );
            let report = report(&POOL.replace("spec: {", &spec));
            assert_eq!(!report.has_problems(), right, "{selector}: {report:?}");
        }
    }
}

#[test]
fn other_kinds_are_passed_over() {
    let report = report("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: x }\n");
    assert!(report.objects.is_empty());
}

#[test]
fn secret_values_are_read_and_never_shown() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: k, namespace: a }\nstringData: { one: sk-canary-1 }\ndata: { two: c2stY2FuYXJ5LTI=, empty: '' }\n";
    let mut manifests = Manifests::new(options(false));
    manifests.add_text(Path::new("x.yaml"), secret);
    let values = manifests.secret_values();
    let names: Vec<String> = values.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["a/k/one", "a/k/two"]);
    let shown = format!("{manifests:?}");
    assert!(
        shown.contains("two") && !shown.contains("canary"),
        "{shown}"
    );
}

/// A route is judged with those that share all of its pods, and with no others.
#[test]
fn routes_of_other_pods_do_not_shadow() {
    let route = |name: &str, selector: &str| {
        format!(
            "apiVersion: fluxkontext.dev/v1alpha1\nkind: LLMRoute\nmetadata: {{ name: {name} }}\nspec: {{ {selector} defaults: {{ poolRef: {{ name: chat }} }}, rules: [{{ name: all, backends: [{{ name: same }}] }}] }}\n"
        )
    };
    let a = "workloadSelector: { matchLabels: { app: a } },";
    let b = "workloadSelector: { matchLabels: { app: b } },";
    for (first, second, problems) in [(a, b, false), (a, a, true), ("", b, true), (a, "", false)] {
        let report =
            report(&[POOL, &route("first", first), &route("second", second)].join("---\n"));
        assert_eq!(
            report.has_problems(),
            problems,
            "{first} {second}: {report:#?}"
        );
        let stages: Vec<Stage> = findings(&report)
            .iter()
            .map(|finding| finding.stage)
            .collect();
        assert!(
            stages.iter().all(|stage| *stage == Stage::Accepted),
            "{stages:?}"
        );
    }
}
