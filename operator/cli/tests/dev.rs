//! `fkm dev` as a process: what it serves, how it follows its folder, what it says, how it ends.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "dev/process.rs"]
mod process;

use std::fs;
use std::time::Duration;

use fkm_upstream::{Answer, Step, Upstream};
use process::{Dev, get, run};

const KEY: &str = "sk-canary-7c1e5d90a3";

/// A pool with one provider, and a route to it.
fn manifests(base_url: &str, extra: &str) -> String {
    format!(
        "apiVersion: fluxkontext.dev/v1alpha1
kind: ProviderPool
metadata: {{ name: chat, namespace: shop }}
spec:
  providers:
  - name: local
    type: OpenAICompatible
    baseURL: {base_url}
    locality: {{ scope: Local }}
    models: [{{ name: small, aliases: [other] }}]
{extra}
---
{}",
        route("assistant", "small", "")
    )
}

fn route(name: &str, model: &str, selector: &str) -> String {
    format!(
        "apiVersion: fluxkontext.dev/v1alpha1
kind: LLMRoute
metadata: {{ name: {name}, namespace: shop }}
spec:
  {selector}
  defaults: {{ poolRef: {{ name: chat }} }}
  rules:
  - {{ name: {name}, matches: [{{ models: [{model}] }}], backends: [{{ name: chat }}] }}
"
    )
}

const CREDENTIALS: &str = "    credentials: [{ name: main, type: APIKey, apiKey: { secretKeyRef: { name: keys, key: apiKey } } }]";

fn secret(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: keys, namespace: shop }}\nstringData: {{ apiKey: \"{value}\" }}\n"
    )
}

async fn upstream(text: &str) -> Upstream {
    let upstream = Upstream::start().await.unwrap();
    let answer = Answer {
        text: text.to_owned(),
        ..Answer::default()
    };
    upstream.set_default(Step::Answer(answer));
    upstream
}

/// The key that came with the last request.
fn last_key(upstream: &Upstream) -> String {
    let requests = upstream.requests();
    let key = requests.last().unwrap().header("authorization");
    key.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_live_within_a_second_and_the_log_says_what_changed() {
    let (a, b) = (upstream("from a").await, upstream("from b").await);
    let dev = Dev::start(&[("all.yaml", &manifests(&a.base_url(), ""))], &[]);
    let first = dev.wait_log(&["change applied"]);
    assert!(
        first["changed"] == "LLMRoute shop/assistant added, ProviderPool shop/chat added",
        "{first}"
    );
    assert_eq!(
        (
            first["rules"].as_u64(),
            first["hash"].as_str().unwrap().len()
        ),
        (Some(1), 12)
    );
    assert!(dev.ask("small").contains("from a"));
    assert!(dev.ask("unknown").starts_with("HTTP/1.1 404"));

    dev.write("all.yaml", &manifests(&b.base_url(), ""));
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").contains("from b")
    });
    let second = dev.wait_log(&["change applied", "ProviderPool shop/chat changed"]);
    assert_ne!(first["hash"], second["hash"]);
    assert!(
        second["changed"] == "ProviderPool shop/chat changed",
        "{second}"
    );

    // as an editor saves: into another file, then renamed over the first
    dev.write(".all.yaml.tmp", &manifests(&a.base_url(), ""));
    fs::rename(dev.path(".all.yaml.tmp"), dev.path("all.yaml")).unwrap();
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").contains("from a")
    });

    // a new file in a new folder
    fs::create_dir(dev.path("more")).unwrap();
    dev.write("more/route.yml", &route("second", "other", ""));
    dev.within(Duration::from_secs(2), || {
        dev.ask("other").contains("from a")
    });

    fs::remove_file(dev.path("all.yaml")).unwrap();
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").starts_with("HTTP/1.1 404")
    });
    fs::remove_file(dev.path("more/route.yml")).unwrap();
    dev.wait_log(&["there is no rule", "404"]);
    assert!(dev.ask("other").starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_edit_keeps_the_last_good_build_and_says_why() {
    let (a, b) = (upstream("from a").await, upstream("from b").await);
    let good = manifests(&a.base_url(), "");
    let dev = Dev::start(&[("all.yaml", &good)], &[]);
    dev.wait_log(&["change applied"]);

    // wrong in itself, as the operator judges: the alias of one model is the name of another
    let bad = good.replace(
        "[{ name: small, aliases: [other] }]",
        "[{ name: small, aliases: [other] }, { name: other }]",
    );
    dev.write("all.yaml", &bad);
    let line = dev.wait_log(&["its last accepted spec stays"]);
    assert!(
        line["object"] == "ProviderPool shop/chat" && line["level"] == "ERROR",
        "{line}"
    );
    assert!(
        line["path"]
            .as_str()
            .unwrap()
            .starts_with("spec.providers[0].models"),
        "{line}"
    );
    assert!(
        line["reason"] == "Invalid" && line["file"].as_str().unwrap().ends_with("all.yaml"),
        "{line}"
    );
    assert!(dev.ask("small").contains("from a") && dev.ask("other").contains("404"));

    // refused as by an API server, with another change beside it that is good
    let bad = good
        .replace("matches:", "matchs:")
        .replace(&a.base_url(), &b.base_url());
    dev.write("all.yaml", &bad);
    let line = dev.wait_log(&["refused as by an API server"]);
    assert!(
        line["object"] == "LLMRoute shop/assistant" && line["path"] == "spec.rules[0].matchs",
        "{line}"
    );
    assert!(
        line["problem"]
            .as_str()
            .unwrap()
            .contains("did you mean \"matches\"?"),
        "{line}"
    );
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").contains("from b")
    });

    // no YAML: not even what is good in other files is taken over
    dev.write(
        "all.yaml",
        &good.replace("  providers:\n", "  providers: [\n"),
    );
    let line = dev.wait_log(&["nothing changes until it is fixed"]);
    assert!(
        line["file"].as_str().unwrap().ends_with("all.yaml"),
        "{line}"
    );
    assert!(
        (5..=7).contains(&line["line"].as_u64().unwrap())
            && !line["problem"].as_str().unwrap().is_empty(),
        "{line}"
    );
    dev.write("second.yaml", &route("second", "other", ""));
    std::thread::sleep(Duration::from_millis(500));
    assert!(dev.ask("small").contains("from b") && dev.ask("other").contains("404"));

    dev.write("all.yaml", &good);
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").contains("from a") && dev.ask("other").contains("from a")
    });

    // back to what is served after a mistake: nothing to apply, but the log says so
    dev.write(
        "all.yaml",
        &good.replace("  providers:\n", "  providers: [\n"),
    );
    dev.wait_log(&["nothing changes until it is fixed"]);
    dev.write("all.yaml", &good);
    dev.wait_log(&["nothing is wrong any more"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_wrong_from_the_start_is_served_once_it_is_right() {
    let a = upstream("from a").await;
    let good = manifests(&a.base_url(), "");
    let dev = Dev::start(&[("all.yaml", "a: [\n")], &[]);
    dev.wait_log(&["nothing is served until the folder can be read"]);
    assert!(get(dev.probe, "/readyz").starts_with("HTTP/1.1 503"));
    dev.write("all.yaml", &good);
    dev.within(Duration::from_secs(1), || {
        dev.ask("small").contains("from a")
    });
    assert!(get(dev.probe, "/readyz").starts_with("HTTP/1.1 200"));

    // the folder itself goes and comes, as when another branch is checked out
    let (folder, aside) = (dev.path(""), dev.path("../aside"));
    fs::rename(&folder, &aside).unwrap();
    dev.wait_log(&["nothing changes until it is fixed", "cannot read"]);
    assert!(dev.ask("small").contains("from a"));
    fs::create_dir(&folder).unwrap();
    dev.write(
        "all.yaml",
        &good.replace("models: [small]", "models: [other]"),
    );
    dev.within(Duration::from_secs(3), || {
        dev.ask("other").contains("from a")
    });
    dev.write("all.yaml", &good);
    dev.within(Duration::from_secs(1), || dev.ask("other").contains("404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_from_manifests_files_and_the_environment() {
    let a = upstream("from a").await;
    let with_key = manifests(&a.base_url(), CREDENTIALS);
    let files = [
        ("all.yaml", with_key.as_str()),
        ("key.yaml", &secret("sk-manifest")),
    ];
    let dev = Dev::start(&files, &[]);
    dev.wait_log(&["change applied"]);
    assert!(dev.ask("small").contains("from a"));
    assert_eq!(last_key(&a), "Bearer sk-manifest");

    // another key is another build, although the snapshot is the same
    dev.write("key.yaml", &secret("sk-rotated"));
    dev.wait_log(&["change applied", "Secret shop/keys changed"]);
    dev.ask("small");
    assert_eq!(last_key(&a), "Bearer sk-rotated");

    // without the key, what needs it is left out; the same as with the operator
    fs::remove_file(dev.path("key.yaml")).unwrap();
    let line = dev.wait_log(&["left out", "SecretNotFound", "ProviderPool shop/chat"]);
    assert!(
        line["path"]
            .as_str()
            .unwrap()
            .starts_with("spec.providers[0].credentials[0]"),
        "{line}"
    );
    dev.within(Duration::from_secs(1), || {
        !dev.ask("small").contains("from a")
    });

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "sk-file\n").unwrap();
    let from_file = format!("shop/keys/apiKey=file:{}", file.path().display());
    for (source, key) in [
        (from_file.as_str(), "Bearer sk-file"),
        ("shop/keys/apiKey=env:CANARY", &format!("Bearer {KEY}")),
    ] {
        let dev = Dev::start(&files, &["--secret", source]);
        dev.wait_log(&["change applied"]);
        assert!(dev.ask("small").contains("from a"));
        assert_eq!(last_key(&a), key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_pod_that_it_is_told_to_be() {
    let a = upstream("from a").await;
    let labelled = route(
        "labelled",
        "other",
        "workloadSelector: { matchLabels: { app: web } }",
    );
    let files = [
        ("all.yaml", manifests(&a.base_url(), "")),
        ("labelled.yaml", labelled),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let cases: [(&[&str], bool, bool); 5] = [
        (&[], true, true),
        (&["--namespace", "shop"], true, false),
        (
            &["--namespace", "shop", "--labels", "app=web,tier=front"],
            true,
            true,
        ),
        (&["--namespace", "elsewhere"], false, false),
        (&["--labels", "app=web"], false, false),
    ];
    for (flags, small, other) in cases {
        let dev = Dev::start(&files, flags);
        let line = dev.wait_log(&["change applied"]);
        let served = |model| dev.ask(model).contains("from a");
        assert_eq!(
            (served("small"), served("other")),
            (small, other),
            "{flags:?}"
        );
        let left_out = line["not_for_this_pod"].as_str().unwrap_or_default();
        assert_eq!(
            left_out.contains("shop/assistant"),
            !small,
            "{flags:?}: {line}"
        );
        assert_eq!(
            left_out.contains("shop/labelled"),
            !other,
            "{flags:?}: {line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_drains_and_ends_it_with_0() {
    let a = upstream("from a").await;
    for signal in ["INT", "TERM"] {
        let delayed = Step::Delayed {
            millis: 500,
            then: Box::new(Step::Answer(Answer::default())),
        };
        a.script(vec![delayed]);
        let mut dev = Dev::start(&[("all.yaml", &manifests(&a.base_url(), ""))], &[]);
        dev.wait_log(&["change applied"]);
        let asking = std::thread::spawn({
            let address = dev.llm;
            move || process::ask(address, "small")
        });
        let waiting = |one: &fkm_upstream::Received| one.answered_at.is_none();
        a.wait_until(Duration::from_secs(5), |requests| {
            requests.iter().any(waiting)
        })
        .await
        .unwrap();
        dev.signal(signal);
        let answer = asking.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(dev.wait_end(), Some(0), "{signal}: {}", dev.log());
    }
}

#[test]
fn wrong_settings_are_64_and_what_cannot_start_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, text) = run(&[
        "dev",
        "/nowhere",
        "--listen",
        "10.0.0.1:4000",
        "--secret",
        "a/b/c=env:NOT_SET_ANYWHERE",
        "--log",
        "not a filter==",
    ]);
    assert_eq!(code, Some(64), "{text}");
    for part in [
        "/nowhere is not a folder",
        "10.0.0.1:4000",
        "NOT_SET_ANYWHERE",
        "not a filter==",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for arguments in [
        &["dev"][..],
        &["dev", path, "--listen", "nowhere"],
        &["dev", path, "--fly"],
    ] {
        assert_eq!(run(arguments).0, Some(64), "{arguments:?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, text) = run(&[
        "dev",
        path,
        "--listen",
        &address,
        "--admin-listen",
        "127.0.0.1:0",
        "--probe-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&address), "{text}");
    let (code, text) = run(&["dev", "--help"]);
    assert_eq!(code, Some(0));
    for part in [
        "--secret",
        "--namespace",
        "--labels",
        "Examples:",
        "workloadSelector",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_shows_a_key_at_any_level() {
    let a = upstream("from a").await;
    a.script(vec![
        Step::EchoKey { status: 401 },
        Step::Drop(fkm_upstream::End::Reset),
    ]);
    let with_key = manifests(&a.base_url(), CREDENTIALS);
    let mut dev = Dev::start(
        &[
            ("all.yaml", &with_key),
            ("key.yaml", &secret("sk-canary-of-the-manifest")),
        ],
        &["--log", "trace", "--secret", "shop/keys/apiKey=env:CANARY"],
    );
    dev.wait_log(&["change applied"]);
    assert!(!dev.ask("small").contains(KEY));
    dev.ask("small");
    assert!(dev.ask("small").contains("from a"));
    assert_eq!(last_key(&a), format!("Bearer {KEY}"));
    // mistakes in the very lines that hold a key
    for broken in [
        "  apiKey: [sk-canary-of-the-manifest\n",
        "apiKey: { \"sk-canary-of-the-manifest\": : }\n",
    ] {
        dev.write("key.yaml", &(secret("sk-canary-of-the-manifest") + broken));
        dev.wait_log(&["nothing changes until it is fixed"]);
        dev.write("key.yaml", &secret("sk-canary-of-the-manifest"));
        dev.wait_log(&["nothing is wrong any more"]);
    }
    assert!(!get(dev.admin, "/config").contains("canary"));
    dev.signal("TERM");
    dev.wait_end();
    let log = dev.log();
    assert!(
        log.contains("\"TRACE\"") && log.contains("attempt failed"),
        "the log is at trace"
    );
    assert!(
        format!("{log} planted {KEY}").contains("canary"),
        "the search finds a planted key"
    );
    let leak = log.lines().find(|line| line.contains("canary"));
    assert_eq!(leak, None);
}
