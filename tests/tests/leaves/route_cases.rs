//! A case for every leaf of `LLMRoute`.

use std::time::Duration;

use fkm_upstream::{Answer, BreakBody, End, Step, Streamed};
use serde_json::{Value, json};

use crate::case::{Case, route as change};
use crate::objects::{backend, pool, pool_in, provider, route, rule};
use crate::providers::Does;
use crate::scene::{Ask, MOST, Scene, question, stream};

/// A limit that is over before [`SLOW`].
const SHORT: &str = "500ms";
/// A limit that never ends anything here.
const LONG: &str = "30s";
/// How long the slow provider takes.
const SLOW: Duration = Duration::from_secs(2);

/// Where a policy may stand.
const POLICIES: [&str; 2] = ["/spec/defaults/policy", "/spec/rules/0/policy"];

pub(crate) fn all() -> Vec<Case> {
    let mut cases = selectors();
    cases.extend(order());
    cases.extend(rules());
    cases.extend(pool_refs());
    for policy in POLICIES {
        cases.extend(timeouts(policy));
        cases.extend(fallback(policy));
    }
    cases
}

/// The pools `a` and `b` with a provider each.
fn pools() -> [Value; 2] {
    ["a", "b"].map(|name| {
        pool(
            name,
            &[provider(name, &format!("${}", name.to_uppercase()))],
        )
    })
}

/// One route over both pools.
fn scene(spec: &Value) -> Scene {
    Scene::new(pools().into_iter().chain([route("chat", spec)]))
}

fn selectors() -> Vec<Case> {
    let selecting = |selector: Value| {
        scene(&json!({"workloadSelector": selector, "rules": [rule(&[backend("a")])]}))
    };
    let expression = |one: Value| selecting(json!({"matchExpressions": [one]}));
    let at = |field: &str| format!("/spec/workloadSelector/{field}");
    let first = |field: &str| at(&format!("matchExpressions/0/{field}"));
    let loses = |pointer: &str, value: &str, scene: &Scene| {
        change(pointer, value).shows(scene, "200 by a", "no LLMRoute selects this pod")
    };
    let in_shop = expression(json!({"key": "app", "operator": "In", "values": ["shop"]}));
    let exists = expression(json!({"key": "app", "operator": "Exists"}));
    vec![
        loses(
            &at("matchLabels/app"),
            "bank",
            &selecting(json!({"matchLabels": {"app": "shop"}})),
        ),
        loses(&first("key"), "tier", &in_shop),
        loses(&first("operator"), "NotIn", &in_shop),
        loses(&first("values/0"), "bank", &in_shop),
        loses(&first("operator"), "DoesNotExist", &exists),
    ]
}

fn order() -> Vec<Case> {
    let with = |name: &str, priority: i32, pattern: &str| {
        let mut rule = rule(&[backend(name)]);
        rule["matches"] = json!([{"models": [pattern]}]);
        route(name, &json!({"priority": priority, "rules": [rule]}))
    };
    let routes = [with("a", 0, "m*"), with("b", 5, "*m")];
    let scene = Scene::new(pools().into_iter().chain(routes));
    vec![change("/spec/priority", 10).shows(&scene, "200 by a", "200 by b")]
}

fn rules() -> Vec<Case> {
    let at = |field: &str| format!("/spec/rules/0/{field}");
    let of = |rule: Value| scene(&json!({"rules": [rule]}));
    let named = of(rule(&[backend("a")])).asking([
        Ask::Chat(question("m")),
        Ask::Metrics,
        Ask::Config("/snapshot/rules/0/backends/0/name"),
    ]);
    let mut matching = rule(&[backend("a")]);
    matching["matches"] = json!([{"models": ["m"]}]);
    let mut two_models = provider("a", "$A");
    two_models["models"] = json!([{"name": "m"}, {"name": "n"}]);
    let mut to_m = backend("a");
    to_m["model"] = json!("m");
    let modelled = Scene::new([
        pool("a", &[two_models]),
        route("chat", &json!({"rules": [rule(&[to_m])]})),
    ]);
    let with_strategy = |strategy: &str, backends: &[Value]| {
        let mut rule = rule(backends);
        rule["strategy"] = json!({"type": strategy});
        of(rule).asking([Ask::Often(question("m"))])
    };
    let weighted = |name: &str, weight: i32| {
        let mut backend = backend(name);
        backend["weight"] = json!(weight);
        backend
    };
    let drawn = with_strategy("Weighted", &[weighted("a", 0), weighted("b", 1)]);
    let equal = with_strategy("Weighted", &[weighted("a", 1), weighted("b", 1)]);
    let listed = with_strategy("Priority", &[backend("a"), backend("b")]);
    let both = r#"answered by ["a", "b"]"#;
    vec![
        change(&at("name"), "every").shows(&named, r#"rule="all""#, r#"rule="every""#),
        change(&at("matches/0/models/0"), "n").shows(
            &of(matching),
            r#""m" 200 by a"#,
            r#""m" 404 by nobody"#,
        ),
        change(&at("strategy/type"), "Weighted").shows(&listed, r#"answered by ["a"]"#, both),
        change(&at("backends/0/name"), "first").shows(
            &named,
            r#"backends/0/name "a""#,
            r#"backends/0/name "first""#,
        ),
        change(&at("backends/0/model"), "n").shows(&modelled, r#""model":"m""#, r#""model":"n""#),
        change(&at("backends/0/weight"), 1).shows(&drawn, r#"answered by ["b"]"#, both),
        change(&at("backends/0/weight"), MOST).shows(&equal, both, r#"answered by ["a"]"#),
    ]
}

fn pool_refs() -> Vec<Case> {
    let elsewhere = || pool_in("elsewhere", "a", &[provider("other", "$B")]);
    let cases = |at: &str, spec: Value| {
        let objects = pools()
            .into_iter()
            .chain([elsewhere(), route("chat", &spec)]);
        let scene = Scene::new(objects);
        [
            change(&format!("{at}/poolRef/name"), "b").shows(&scene, "200 by a", "200 by b"),
            change(&format!("{at}/poolRef/namespace"), "elsewhere").shows(
                &scene,
                "200 by a",
                "200 by other",
            ),
        ]
    };
    let by_default = json!({
        "defaults": {"poolRef": {"name": "a", "namespace": "llm"}},
        "rules": [rule(&[json!({"name": "a"})])],
    });
    let own = json!({"rules": [rule(&[backend("a")])]});
    let mut all = Vec::from(cases("/spec/defaults", by_default));
    all.extend(cases("/spec/rules/0/backends/0", own));
    all
}

/// A route over these pools with this policy at this place.
fn under(place: &str, policy: Value, pools: &[&str]) -> Value {
    let backends: Vec<Value> = pools.iter().map(|pool| backend(pool)).collect();
    let mut spec = json!({"defaults": {}, "rules": [rule(&backends)]});
    let place = place.strip_prefix("/spec").unwrap();
    let (holder, field) = place.rsplit_once('/').unwrap();
    spec.pointer_mut(holder).unwrap()[field] = policy;
    route("chat", &spec)
}

fn timeouts(place: &str) -> Vec<Case> {
    let millis = u64::try_from(SLOW.as_millis()).unwrap();
    let limited = |field: &str, a: Value| {
        let route = under(place, json!({"timeouts": {field: LONG}}), &["a"]);
        Scene::new([pool("a", &[a]), route])
    };
    let slow = |field: &str| {
        let step = Step::answer("from a").delayed(millis);
        limited(field, provider("a", "$A")).a_does(Does::This(step))
    };
    let mut behind_tls = provider("a", "$TLS");
    behind_tls["tls"] = json!({"caCertificateRef": {"kind": "ConfigMap", "name": "ca"}});
    let slow_handshake = limited("connect", behind_tls).handshake(SLOW);
    // the first write holds the first content, the second all the rest
    let in_two_writes = Streamed {
        delay_millis: millis,
        rechunk: 600,
        ..Streamed::counting(2)
    };
    let pausing = limited("betweenEvents", provider("a", "$A"))
        .a_does(Does::This(Step::Streamed(in_two_writes)))
        .asking([Ask::Chat(stream("m"))]);
    let shorten = |field: &str, scene: &Scene, before: &str, after: &str| {
        change(&format!("{place}/timeouts/{field}"), SHORT).shows(scene, before, after)
    };
    let ends = |field: &str, after: &str| shorten(field, &slow(field), "200 by a", after);
    vec![
        ends("request", "timeouts.request is over"),
        ends("attempt", "a/m: Timeout: timeouts.attempt is over"),
        ends(
            "firstContent",
            "a/m: Timeout: timeouts.firstContent is over",
        ),
        shorten(
            "connect",
            &slow_handshake,
            "200 by a",
            "a/m: ConnectFailure",
        ),
        shorten(
            "betweenEvents",
            &pausing,
            r#""0 1 ", stop"#,
            "timeouts.betweenEvents is over",
        ),
    ]
}

/// Each class of failure: listed, the next provider answers; another one listed, the failure is the answer.
fn fallback(place: &str) -> Vec<Case> {
    let broken = Step::BreakBody(BreakBody {
        answer: Answer::default(),
        after: 10,
        end: End::Close,
    });
    let failures = [
        ("ConnectFailure", Does::Refuses),
        ("RateLimited", Does::This(Step::rate_limited(1))),
        ("Overloaded", Does::This(Step::status(503))),
        ("ServerError", Does::This(Step::status(500))),
        ("Timeout", Does::This(Step::Hang)),
        ("BrokenStream", Does::This(broken)),
        ("CredentialRejected", Does::This(Step::status(401))),
        ("ModelUnavailable", Does::This(Step::status(404))),
    ];
    let case = |(class, does): (&str, Does)| {
        let other = if class == "RateLimited" {
            "Timeout"
        } else {
            "RateLimited"
        };
        let policy = json!({"fallback": {"on": [class]}, "timeouts": {"attempt": "2s"}});
        let objects = pools()
            .into_iter()
            .chain([under(place, policy, &["a", "b"])]);
        let scene = Scene::new(objects).a_does(does);
        let given_up = format!("no provider answered, 1 attempt: a/m: {class}");
        change(&format!("{place}/fallback/on/0"), other).shows(
            &scene,
            "200 by b as m, attempts 2",
            given_up,
        )
    };
    failures.map(case).into()
}
