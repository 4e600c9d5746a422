//! Who gets nothing: each refusal with an event on the pod and a count.

use anyhow::{Result, ensure};
use fkm_push::{Hello, PodIdentity};
use fkm_tests::PodToken;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::manifests;
use crate::objects::uid;
use crate::sidecar::{Held, Sidecar, hello, open, refusal, token};
use crate::world::{SHOP, World};

type Change = fn(&mut Value);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_others_could_read_gets_nothing() -> Result<()> {
    let mut world = world().await?;
    let cases: [(&str, &str, Change); 5] = [
        ("foreign-image", "ForeignImage", |pod| {
            pod["spec"]["initContainers"][0]["image"] = "registry.example/other:1".into();
        }),
        ("shared-processes", "SharedProcessNamespace", |pod| {
            pod["spec"]["shareProcessNamespace"] = true.into();
        }),
        ("shared-state", "SharedVolume", |pod| {
            pod["spec"]["containers"][0]["volumeMounts"] =
                json!([{"name": "fkm-state", "mountPath": "/steal"}]);
        }),
        ("state-elsewhere", "OverriddenSidecar", |pod| {
            pod["spec"]["initContainers"][0]["args"] = json!(["--state-dir=/data"]);
        }),
        ("not-injected", "UnknownPod", |pod| {
            pod["metadata"]["labels"] = json!({"app": "checkout"});
        }),
    ];
    for (name, reason, change) in cases {
        let pod = world.running_pod(name, change).await?;
        let message = refusal(
            open(
                &world,
                &token(&world, &pod).await?,
                hello(&pod, &Held::default()),
            )
            .await,
        )
        .await?;
        let note = world.event(SHOP, name, reason).await?;
        ensure!(message.contains(&note), "{name}: {message:?} and {note:?}");
        let counted = format!("fkm_operator_push_refusals_total{{reason=\"{reason}\"}}");
        ensure!(world.metric(&counted).await? >= 1, "{name}");
    }
    let status = world
        .route()
        .await?
        .status
        .and_then(|status| status.sidecars);
    ensure!(
        status
            .as_ref()
            .is_some_and(|sidecars| sidecars.connected == 0),
        "{status:?}"
    );
    let condition = world
        .route_condition(("Programmed", "False", "Disconnected"))
        .await?;
    ensure!(
        condition.message.contains("foreign-image (image"),
        "{}",
        condition.message
    );
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debug_container_on_the_sidecar_ends_the_stream() -> Result<()> {
    let mut world = world().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    let mut sidecar = Sidecar::connect(&world, &pod).await?;
    sidecar.take().await?;
    let container = json!({"name": "debug", "image": "registry.example/debug:1", "targetContainerName": "fkm-sidecar"});
    let patch = json!({"spec": {"ephemeralContainers": [container]}});
    let pods: Api<Pod> = Api::namespaced(world.admin.clone(), SHOP);
    pods.patch_ephemeral_containers(
        "checkout-1",
        &PatchParams::default(),
        &Patch::Strategic(patch),
    )
    .await?;
    let ended = sidecar.ended().await?;
    ensure!(ended.contains("debug"), "{ended}");
    let note = world.event(SHOP, "checkout-1", "DebuggedSidecar").await?;
    ensure!(ended.contains(&note), "{ended:?} and {note:?}");
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_the_pods_gets_nothing() -> Result<()> {
    let mut world = world().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    let other = world.running_pod("checkout-2", |_| {}).await?;
    let claim = hello(&pod, &Held::default());

    let foreign = refusal(open(&world, &token(&world, &other).await?, claim.clone()).await).await?;
    ensure!(foreign.contains("checkout-2"), "{foreign}");
    world.event(SHOP, "checkout-2", "WrongPod").await?;

    let (name, pod_uid) = (pod.name_any(), uid(&pod));
    let wanted = PodToken {
        namespace: SHOP,
        service_account: "default",
        pod_name: &name,
        pod_uid: &pod_uid,
        audience: "somebody-else",
        expiry_seconds: 600,
    };
    let wrong_audience: SecretString = world.cluster.pod_token(wanted).await?.into();
    let message = refusal(open(&world, &wrong_audience, claim.clone()).await).await?;
    ensure!(message.contains("audience"), "{message}");
    world.event(SHOP, "checkout-1", "WrongAudience").await?;

    let invented: SecretString = "not.a.token".to_owned().into();
    let message = refusal(open(&world, &invented, claim).await).await?;
    ensure!(message.contains("does not accept the token"), "{message}");

    let gone = Hello {
        pod: PodIdentity {
            namespace: SHOP.to_owned(),
            name: name.clone(),
            uid: "another-uid".to_owned(),
        },
        ..Hello::default()
    };
    let message = refusal(open(&world, &token(&world, &pod).await?, gone).await).await?;
    ensure!(message.contains("another-uid"), "{message}");
    world.stop_operator().await
}

/// With something worth having.
async fn world() -> Result<World> {
    let world = World::start().await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world
        .apply(&manifests::pool("https://llm.example.com/v1"))
        .await?;
    world.apply(&manifests::route("first")).await?;
    world
        .route_condition(("Accepted", "True", "Accepted"))
        .await?;
    Ok(world)
}
