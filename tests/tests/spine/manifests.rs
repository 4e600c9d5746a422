//! Wrong manifests, each against the real API server and the operator: refused, by whom and with which words its first
//! line says.

use std::fs;
use std::path::{Path, PathBuf};

use fkm_tests::Installation;
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use crate::scene::{Scene, pool, route};

/// Who refuses, at which field, with which words.
#[derive(Debug)]
struct Expectation {
    by: String,
    path: String,
    words: String,
}

fn wrong() -> Vec<(PathBuf, Expectation)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/wrong");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let expectation = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let line = text
            .lines()
            .next()
            .unwrap()
            .strip_prefix("# expect: ")
            .unwrap();
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Expectation {
            by: next(),
            path: next(),
            words: next(),
        }
    };
    files
        .into_iter()
        .map(|path| (path.clone(), expectation(&path)))
        .collect()
}

#[tokio::test]
async fn every_wrong_manifest_is_refused_with_field_and_fix() {
    let mut installation = Installation::start().await.unwrap();
    for namespace in ["platform", "shop", "other"] {
        installation
            .cluster
            .create_namespace(namespace)
            .await
            .unwrap();
    }
    installation
        .allow_pools(&["platform", "shop", "other"])
        .await
        .unwrap();
    // Routes can only conflict where they meet: in a pod.
    installation.create_pod("shop", "app", "app").await.unwrap();
    let cases = wrong();
    assert!(cases.len() >= 40, "{} manifests", cases.len());
    let mut missed = Vec::new();
    for (path, expectation) in &cases {
        if let Err(what) = verdict(&installation, path, expectation).await {
            missed.push(format!(
                "{}: {expectation:?}\n    {what}",
                path.file_name().unwrap().display()
            ));
        }
        clean(&installation).await;
    }
    assert!(
        missed.is_empty(),
        "{} of {}:\n{}",
        missed.len(),
        cases.len(),
        missed.join("\n")
    );
}

async fn verdict(
    installation: &Installation,
    path: &Path,
    expectation: &Expectation,
) -> Result<(), String> {
    let output = installation
        .try_apply(&fs::read_to_string(path).unwrap())
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match expectation.by.as_str() {
        // The API server's own words for a schema are its own; the field is what a user needs.
        "schema" | "cel" => {
            let field = expectation.path.rsplit('.').next().unwrap_or_default();
            let field = field.split('[').next().unwrap_or_default();
            let told = said.contains(field)
                && (expectation.by == "schema" || said.contains(&expectation.words));
            if output.status.success() || !told {
                Err(format!("kubectl said: {said:.600}"))
            } else {
                Ok(())
            }
        }
        condition => {
            if !output.status.success() {
                return Err(format!("kubectl said: {said:.600}"));
            }
            until_told(installation, condition, expectation).await
        }
    }
}

/// Waits until a condition of some object says it.
async fn until_told(
    installation: &Installation,
    condition: &str,
    expectation: &Expectation,
) -> Result<(), String> {
    // A warning is the message of an `Accepted` that is true.
    let condition = if condition == "warning" {
        "Accepted"
    } else {
        condition
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut messages = Vec::new();
    while Instant::now() < deadline {
        let list = installation
            .kubectl(&["get", "providerpools,llmroutes", "-A", "-o", "json"])
            .await
            .unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        let items = list["items"].as_array().unwrap();
        let conditions = items
            .iter()
            .filter_map(|item| item["status"]["conditions"].as_array())
            .flatten();
        messages = conditions
            .filter(|found| found["type"] == condition)
            .filter_map(|found| found["message"].as_str().map(str::to_owned))
            .collect();
        let told = |message: &String| {
            message.contains(&expectation.path) && message.contains(&expectation.words)
        };
        if messages.iter().any(told) {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(format!("the conditions {condition} say: {messages:?}"))
}

async fn clean(installation: &Installation) {
    installation
        .kubectl(&[
            "delete",
            "providerpools,llmroutes,configmaps,secrets",
            "-n",
            "platform",
            "--all",
        ])
        .await
        .unwrap();
    installation
        .kubectl(&[
            "delete",
            "providerpools,llmroutes,configmaps,secrets",
            "-n",
            "shop",
            "--all",
        ])
        .await
        .unwrap();
    installation
        .kubectl(&["delete", "providerpools,llmroutes", "-n", "other", "--all"])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_wrong_change_leaves_the_old_one_serving_also_after_a_restart() {
    let mut scene = Scene::start().await;
    let before = scene.sidecar.config().await.unwrap();
    let object = ["llmroute", "-n", "shop", "assistant"];
    let wrong = route(&["a", "b"]).replace(
        "  - name: all\n",
        "  - name: all\n    policy: { timeouts: { attempt: 20m } }\n",
    );
    scene.installation.apply(&wrong).await.unwrap();
    let (reason, message) = scene
        .installation
        .condition(&object, "Accepted", "False")
        .await
        .unwrap();
    assert_eq!(reason, "Invalid");
    assert!(
        message.contains("spec.rules[0].policy.timeouts.attempt") && message.contains("20m"),
        "{message}"
    );
    assert_eq!(
        scene.sidecar.config().await.unwrap(),
        before,
        "what was accepted is still served"
    );

    scene.installation.kill_operator().unwrap();
    scene.installation.start_operator().await.unwrap();
    let pod = scene
        .installation
        .create_pod("shop", "late", "app")
        .await
        .unwrap();
    let mut late = scene.installation.start_sidecar(&pod).await.unwrap();
    late.until_ready().await.unwrap();
    let served = |config: &str| serde_json::from_str::<Value>(config).unwrap()["snapshot"].clone();
    assert_eq!(
        served(&late.config().await.unwrap()),
        served(&before),
        "also by an operator that never saw it accepted"
    );

    // A typo never undoes a revocation.
    let closed = pool("a", &scene.a.base_url()).replace("from: All", "from: Same");
    scene.installation.apply(&closed).await.unwrap();
    let (reason, _) = scene
        .installation
        .condition(&object, "ResolvedRefs", "False")
        .await
        .unwrap();
    assert_eq!(reason, "RefNotPermitted");
    let until = Instant::now() + Duration::from_secs(10);
    while scene
        .sidecar
        .config()
        .await
        .unwrap()
        .contains(&scene.a.base_url())
    {
        assert!(Instant::now() < until, "the pool is still served");
        sleep(Duration::from_millis(50)).await;
    }
}
