use serde_json::{Value, json};

use super::*;

const IMAGE: &str = "registry.example/fkm-sidecar:1.0.0";

/// A pod as the webhook makes it.
fn injected() -> Value {
    json!({
        "metadata": {
            "name": "shop-1",
            "namespace": "shop",
            "labels": {"app": "shop", "fluxkontext.dev/injected": "true"}
        },
        "spec": {
            "initContainers": [
                {
                    "name": "fkm-sidecar",
                    "image": IMAGE,
                    "restartPolicy": "Always",
                    "volumeMounts": [
                        {"name": "fkm-token", "mountPath": "/var/run/fkm"},
                        {"name": "fkm-state", "mountPath": "/var/lib/fkm"}
                    ]
                },
                {"name": "migrate", "image": "shop"}
            ],
            "containers": [
                {"name": "shop", "image": "shop", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
            ],
            "volumes": [
                {"name": "data", "emptyDir": {}},
                {"name": "fkm-state", "emptyDir": {"medium": "Memory"}},
                {"name": "fkm-token", "projected": {"sources": [
                    {"serviceAccountToken": {"audience": "fkm-operator", "path": "token"}}
                ]}},
                {"name": "other-token", "projected": {"sources": [
                    {"serviceAccountToken": {"audience": "vault", "path": "token"}}
                ]}},
                {"name": "same-token", "projected": {"sources": [
                    {"configMap": {"name": "x"}},
                    {"serviceAccountToken": {"audience": "fkm-operator", "path": "token"}}
                ]}}
            ]
        }
    })
}

fn verdict(pod: Value) -> Result<(), Violation> {
    let pod: Pod = serde_json::from_value(pod).unwrap();
    judge(&pod, &JudgeSettings::try_new([IMAGE]).unwrap())
}

/// The verdict after the value at `pointer` was set (its parent must be there; `-` adds to a list).
fn verdict_with(pointer: &str, value: Value) -> Result<(), Violation> {
    let mut pod = injected();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    match pod.pointer_mut(parent).unwrap() {
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        Value::Object(map) => _ = map.insert(key, value),
        other => panic!("{pointer} is below {other}"),
    }
    verdict(pod)
}

#[test]
fn an_injected_pod_may_have_keys() {
    assert_eq!(verdict(injected()), Ok(()));
}

type Case = (&'static str, Value, Violation);

fn check<const N: usize>(cases: [Case; N]) {
    for (pointer, value, violation) in cases {
        let verdict = verdict_with(pointer, value.clone());
        assert_eq!(verdict, Err(violation), "{pointer} = {value}");
    }
}

fn mount(volume: &str) -> Value {
    json!([{"name": volume, "mountPath": "/x"}])
}

#[test]
fn the_pod_is_labelled_and_has_our_sidecar() {
    let foreign = |image: &str| Violation::ForeignImage {
        image: image.into(),
    };
    check([
        (
            "/metadata/labels",
            json!({"app": "shop"}),
            Violation::NotInjected,
        ),
        ("/metadata/labels", Value::Null, Violation::NotInjected),
        (
            "/metadata/labels/fluxkontext.dev~1injected",
            json!("false"),
            Violation::NotInjected,
        ),
        (
            "/spec/initContainers/0/name",
            json!("sidecar"),
            Violation::NoSidecar,
        ),
        (
            "/spec/initContainers/0/restartPolicy",
            json!("Never"),
            Violation::NoSidecar,
        ),
        (
            "/spec/initContainers/0/restartPolicy",
            Value::Null,
            Violation::NoSidecar,
        ),
        ("/spec/initContainers", Value::Null, Violation::NoSidecar),
        ("/spec", Value::Null, Violation::NoSidecar),
        (
            "/spec/initContainers/0/image",
            json!("evil"),
            foreign("evil"),
        ),
        ("/spec/initContainers/0/image", Value::Null, foreign("")),
    ]);
}

#[test]
fn no_namespace_is_shared() {
    check([
        (
            "/spec/shareProcessNamespace",
            json!(true),
            Violation::SharedProcessNamespace,
        ),
        ("/spec/hostPID", json!(true), Violation::HostPid),
        ("/spec/hostNetwork", json!(true), Violation::HostNetwork),
        (
            "/spec/ephemeralContainers",
            json!([{"name": "debug", "targetContainerName": "fkm-sidecar"}]),
            Violation::DebuggedSidecar {
                container: "debug".into(),
            },
        ),
    ]);
}

#[test]
fn our_volumes_are_what_they_have_to_be() {
    let state = || Violation::WrongVolume {
        volume: STATE_VOLUME,
        wanted: "an emptyDir of medium Memory",
    };
    let token = || Violation::WrongVolume {
        volume: TOKEN_VOLUME,
        wanted: "a projected token for audience \"fkm-operator\"",
    };
    let audience = "/spec/volumes/2/projected/sources/0/serviceAccountToken/audience";
    let claim = json!({"name": "fkm-state", "persistentVolumeClaim": {"claimName": "all"}});
    let secret = json!({"name": "fkm-token", "secret": {"secretName": "t"}});
    check([
        (
            "/spec/volumes/1",
            json!({"name": "fkm-state", "emptyDir": {}}),
            state(),
        ),
        ("/spec/volumes/1", claim, state()),
        ("/spec/volumes/1/name", json!("state"), state()),
        (audience, json!("vault"), token()),
        ("/spec/volumes/2", secret, token()),
        (
            "/spec/initContainers/0/volumeMounts",
            mount("fkm-state"),
            token(),
        ),
        (
            "/spec/initContainers/0/volumeMounts",
            mount("fkm-token"),
            state(),
        ),
    ]);
}

#[test]
fn no_other_container_of_any_sort_has_what_is_the_sidecars() {
    let shared = |volume, container: &str| Violation::SharedVolume {
        volume,
        container: container.into(),
    };
    let device = json!([{"name": "fkm-state", "devicePath": "/dev/x"}]);
    let debug = |volume| json!([{"name": "debug", "volumeMounts": mount(volume)}]);
    let elsewhere = |container: &str| Violation::TokenElsewhere {
        volume: "same-token".into(),
        container: container.into(),
    };
    check([
        (
            "/spec/containers/0/volumeMounts",
            mount("fkm-state"),
            shared(STATE_VOLUME, "shop"),
        ),
        (
            "/spec/containers/0/volumeMounts",
            mount("fkm-token"),
            shared(TOKEN_VOLUME, "shop"),
        ),
        (
            "/spec/initContainers/1/volumeMounts",
            mount("fkm-state"),
            shared(STATE_VOLUME, "migrate"),
        ),
        (
            "/spec/initContainers/1/volumeMounts",
            mount("fkm-token"),
            shared(TOKEN_VOLUME, "migrate"),
        ),
        (
            "/spec/containers/0/volumeDevices",
            device,
            shared(STATE_VOLUME, "shop"),
        ),
        (
            "/spec/ephemeralContainers",
            debug("fkm-state"),
            shared(STATE_VOLUME, "debug"),
        ),
        (
            "/spec/ephemeralContainers",
            debug("fkm-token"),
            shared(TOKEN_VOLUME, "debug"),
        ),
        (
            "/spec/containers/0/volumeMounts",
            mount("same-token"),
            elsewhere("shop"),
        ),
        (
            "/spec/initContainers/1/volumeMounts",
            mount("same-token"),
            elsewhere("migrate"),
        ),
        (
            "/spec/ephemeralContainers",
            debug("same-token"),
            elsewhere("debug"),
        ),
    ]);
}

#[test]
fn our_volumes_are_where_the_sidecar_looks_for_them() {
    let token = || Violation::Misplaced {
        volume: TOKEN_VOLUME,
        place: "/var/run/fkm",
    };
    let state = || Violation::Misplaced {
        volume: STATE_VOLUME,
        place: "/var/lib/fkm",
    };
    let at = |volume: &str, path: &str| json!({"name": volume, "mountPath": path});
    let part = |field: &str| json!({"name": "fkm-state", "mountPath": "/var/lib/fkm", field: "x"});
    let right_token = || at("fkm-token", "/var/run/fkm");
    let right_state = || at("fkm-state", "/var/lib/fkm");
    let covered = |path: &str| json!([right_token(), right_state(), at("config", path)]);
    let cases = [
        (json!([at("fkm-token", "/token"), right_state()]), token()),
        (json!([right_token(), at("fkm-state", "/state")]), state()),
        (json!([right_token(), at("fkm-state", "/var/lib")]), state()),
        (json!([right_token(), part("subPath")]), state()),
        (json!([right_token(), part("subPathExpr")]), state()),
        (
            json!([right_token(), right_state(), right_state()]),
            state(),
        ),
        (covered("/var/lib/fkm/last"), state()),
        (covered("/var/lib//fkm/"), state()),
        (covered("/x/../var/run/fkm"), token()),
    ];
    for (value, violation) in cases {
        let pointer = "/spec/initContainers/0/volumeMounts";
        assert_eq!(
            verdict_with(pointer, value.clone()),
            Err(violation),
            "{value}"
        );
    }
}

#[test]
fn what_else_the_sidecar_mounts_nobody_writes() {
    let with = |kind: &str, field: &str| {
        let mut pod = injected();
        let volume = json!({"name": "more", kind: {}});
        let mount = json!({"name": "more", "mountPath": "/more", "devicePath": "/dev/more"});
        let sidecar = &mut pod["spec"]["initContainers"][0];
        match &mut sidecar[field] {
            Value::Array(mounts) => mounts.push(mount),
            other => *other = json!([mount]),
        }
        let mut volumes = pod["spec"]["volumes"].as_array().unwrap().clone();
        volumes.push(volume);
        pod["spec"]["volumes"] = volumes.into();
        verdict(pod)
    };
    for kind in ["configMap", "secret", "projected", "downwardAPI"] {
        assert_eq!(with(kind, "volumeMounts"), Ok(()), "{kind}");
    }
    let more = Violation::WritableVolume {
        volume: "more".into(),
    };
    for (kind, field) in [
        ("emptyDir", "volumeMounts"),
        ("hostPath", "volumeMounts"),
        ("persistentVolumeClaim", "volumeMounts"),
        ("ephemeral", "volumeMounts"),
        ("csi", "volumeMounts"),
        ("persistentVolumeClaim", "volumeDevices"),
    ] {
        assert_eq!(with(kind, field), Err(more.clone()), "{kind} {field}");
    }
    let mounted = json!({"name": "nowhere", "mountPath": "/more"});
    let nowhere = Violation::WritableVolume {
        volume: "nowhere".into(),
    };
    check([("/spec/initContainers/0/volumeMounts/-", mounted, nowhere)]);
}

#[test]
fn the_sidecar_runs_its_own_program_with_its_own_places() {
    let overridden = |field: &str| Violation::Overridden {
        field: field.into(),
    };
    let of = |field: &str| format!("/spec/initContainers/0/{field}");
    for (field, value, violation) in [
        ("command", json!(["sh"]), overridden("command")),
        (
            "args",
            json!(["--state-dir=/data"]),
            overridden("argument --state-dir"),
        ),
        (
            "args",
            json!(["--log", "info", "--state-dir", "/data"]),
            overridden("argument --state-dir"),
        ),
        (
            "args",
            json!(["--token-file=/data/token"]),
            overridden("argument --token-file"),
        ),
        ("args", json!(["$(X)"]), overridden("argument $(X)")),
        (
            "args",
            json!(["--$(X)=/data"]),
            overridden("argument --$(X)"),
        ),
        (
            "env",
            json!([{"name": "FKM_STATE_DIR", "value": "/data"}]),
            overridden("variable FKM_STATE_DIR"),
        ),
        (
            "env",
            json!([{"name": "FKM_TOKEN_FILE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
            overridden("variable FKM_TOKEN_FILE"),
        ),
        (
            "envFrom",
            json!([{"configMapRef": {"name": "x"}}]),
            overridden("envFrom"),
        ),
    ] {
        let verdict = verdict_with(&of(field), value.clone());
        assert_eq!(verdict, Err(violation), "{field} = {value}");
    }
    for (field, value) in [
        ("command", json!([])),
        ("args", json!(["--log=info", "--zone=$(ZONE)"])),
        ("env", json!([{"name": "FKM_LOG", "value": "info"}])),
        ("envFrom", json!([])),
    ] {
        assert_eq!(verdict_with(&of(field), value.clone()), Ok(()), "{value}");
    }
}

#[test]
fn the_sidecar_s_connections_are_led_by_the_platform_alone() {
    let with = |variable: Value, settings: &JudgeSettings| {
        let mut pod = injected();
        pod["spec"]["initContainers"][0]["env"] = json!([variable]);
        judge(&serde_json::from_value(pod).unwrap(), settings)
    };
    let none = JudgeSettings::try_new([IMAGE]).unwrap();
    let allowed = [("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", ".svc")];
    let allowed = allowed.map(|(name, value)| (name.to_owned(), value.into()));
    let some = none.clone().with_environment(allowed.into());
    let plain = |name: &str, value: &str| json!({"name": name, "value": value});
    for (variable, under_none, under_some) in [
        (plain("HTTPS_PROXY", "http://proxy:3128"), false, true),
        (plain("HTTPS_PROXY", "http://evil:3128"), false, false),
        (plain("https_proxy", "http://proxy:3128"), false, false),
        (plain("no_proxy", ".svc"), false, true),
        (plain("HTTP_PROXY", "http://proxy:3128"), false, false),
        (plain("all_proxy", "http://proxy:3128"), false, false),
        (plain("SSL_CERT_FILE", "/etc/ca.pem"), false, false),
        (plain("FKM_EXTRA_CA_FILE", "/etc/ca.pem"), false, false),
        (
            json!({"name": "HTTPS_PROXY", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}),
            false,
            false,
        ),
        (plain("FKM_LOG", "info"), true, true),
    ] {
        let name = variable["name"].as_str().unwrap().to_owned();
        let expected = |is_good: bool| match is_good {
            true => Ok(()),
            false => Err(Violation::Redirected {
                variable: name.clone(),
            }),
        };
        assert_eq!(
            with(variable.clone(), &none),
            expected(under_none),
            "{variable}"
        );
        assert_eq!(
            with(variable.clone(), &some),
            expected(under_some),
            "{variable}"
        );
    }
}

#[test]
fn a_socket_of_another_container_is_mounted_to_be_read_alone() {
    let with = |read_only: bool| {
        let mut pod = injected();
        let mount = json!({"name": "data", "mountPath": "/run/llm", "readOnly": read_only});
        let mounts = &mut pod["spec"]["initContainers"][0]["volumeMounts"];
        mounts.as_array_mut().unwrap().push(mount);
        verdict(pod)
    };
    assert_eq!(with(true), Ok(()));
    let volume = "data".to_owned();
    assert_eq!(with(false), Err(Violation::WritableVolume { volume }));
}

#[test]
fn what_is_no_violation() {
    for (pointer, value) in [
        ("/spec/hostIPC", json!(true)),
        ("/spec/hostPID", json!(false)),
        ("/spec/shareProcessNamespace", json!(false)),
        (
            "/spec/containers/0/volumeMounts",
            json!([{"name": "other-token", "mountPath": "/x"}]),
        ),
        (
            "/spec/ephemeralContainers",
            json!([{"name": "debug", "targetContainerName": "shop"}]),
        ),
        (
            "/spec/containers/-",
            json!({"name": "second", "image": "x"}),
        ),
    ] {
        assert_eq!(
            verdict_with(pointer, value.clone()),
            Ok(()),
            "{pointer} = {value}"
        );
    }
}

#[test]
fn without_an_allowed_image_nobody_is_trusted() {
    let pod: Pod = serde_json::from_value(injected()).unwrap();
    let nobody = JudgeSettings::try_new([]).unwrap();
    let verdict = judge(&pod, &nobody);
    assert_eq!(
        verdict,
        Err(Violation::ForeignImage {
            image: IMAGE.into()
        })
    );
}
