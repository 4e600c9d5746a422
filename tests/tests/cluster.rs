//! The control plane that the other tests stand on: is it real where they rely on it?

use anyhow::{Context, Result, ensure};
use fkm_tests::{Cluster, Options, PodToken};
use http::Request;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube::api::{Api, ListParams, PostParams};
use kube::{Client, Error, ResourceExt};
use serde_json::json;

const OWN: Options = Options {
    controller_manager: false,
    own: true,
};
const AUDIENCE: &str = "operator.test";

#[tokio::test]
async fn two_clusters_run_side_by_side() -> Result<()> {
    let (one, other) = tokio::try_join!(Cluster::start_with(OWN), Cluster::start_with(OWN))?;
    for cluster in [&one, &other] {
        let ready = Request::get("/readyz").body(Vec::new())?;
        assert_eq!(cluster.admin_client()?.request_text(ready).await?, "ok");
    }
    one.create_namespace("only-here").await?;
    let elsewhere = Api::<Namespace>::all(other.admin_client()?)
        .get_opt("only-here")
        .await?;
    assert!(elsewhere.is_none(), "the clusters share their state");
    Ok(())
}

#[tokio::test]
async fn attached_cluster_is_used_but_never_stopped() -> Result<()> {
    let cluster = Cluster::start_with(OWN).await?;
    let mut attached = Cluster::attach(cluster.kubeconfig_path()).await?;
    attached.create_service_account("default", "guest").await?;
    let guest = attached.service_account_client("default", "guest").await?;
    guest.apiserver_version().await?;
    assert!(
        attached.stop_api_server().is_err(),
        "stopped what it did not start"
    );
    drop(attached);
    cluster.admin_client()?.apiserver_version().await?;
    Ok(())
}

#[tokio::test]
async fn pod_token_tells_the_pod_to_its_audience_only() -> Result<()> {
    let cluster = Cluster::start_with(OWN).await?;
    let client = cluster.admin_client()?;
    cluster.create_namespace("apps").await?;
    cluster.create_service_account("apps", "shop").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "apps");
    let pod = pods
        .create(&PostParams::default(), &pod("web", "shop")?)
        .await?;
    let pod_uid = pod.uid().context("a stored Pod has a uid")?;
    let wanted = PodToken {
        namespace: "apps",
        service_account: "shop",
        pod_name: "web",
        pod_uid: &pod_uid,
        audience: AUDIENCE,
        expiry_seconds: 600,
    };
    let token = cluster.pod_token(wanted).await?;

    let accepted = review(&client, &token, AUDIENCE).await?;
    assert_eq!(accepted.authenticated, Some(true), "{accepted:?}");
    let user = accepted.user.context("an authenticated token has a user")?;
    assert_eq!(
        user.username.as_deref(),
        Some("system:serviceaccount:apps:shop")
    );
    let extra = user.extra.context("a Pod's token has extras")?;
    assert_eq!(extra["authentication.kubernetes.io/pod-name"], ["web"]);
    assert_eq!(
        extra["authentication.kubernetes.io/pod-uid"],
        [pod_uid.as_str()]
    );

    let refused = review(&client, &token, "somebody.else").await?;
    assert_ne!(refused.authenticated, Some(true), "{refused:?}");
    let mut misplaced = wanted;
    misplaced.pod_uid = "00000000-0000-0000-0000-000000000000";
    assert!(
        cluster.pod_token(misplaced).await.is_err(),
        "a token for a Pod that does not exist"
    );
    Ok(())
}

#[tokio::test]
async fn service_account_may_do_only_what_rbac_grants() -> Result<()> {
    let cluster = Cluster::start_with(OWN).await?;
    cluster
        .create_service_account("default", "operator")
        .await?;
    let client = cluster
        .service_account_client("default", "operator")
        .await?;
    let refused = Api::<Secret>::all(client.clone())
        .list(&ListParams::default())
        .await;
    let Err(Error::Api(status)) = refused else {
        anyhow::bail!("listing Secrets without a role: {refused:?}");
    };
    assert_eq!(status.code, 403, "{status}");

    for grant in [
        "create clusterrole reader --verb=list --resource=configmaps",
        "create clusterrolebinding operator --clusterrole=reader --serviceaccount=default:operator",
    ] {
        let output = cluster.kubectl(grant.split(' ')).await?;
        ensure!(output.status.success(), "{output:?}");
    }
    let maps = Api::<ConfigMap>::all(client);
    // The authorizer learns of the binding from a watch.
    for _ in 0..100 {
        if maps.list(&ListParams::default()).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("the role that was granted does not work")
}

#[tokio::test]
async fn kubectl_and_server_are_the_pinned_version() -> Result<()> {
    let cluster = Cluster::start_with(OWN).await?;
    let output = cluster.kubectl(["version", "--output=json"]).await?;
    ensure!(output.status.success(), "{output:?}");
    let version: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    for side in ["clientVersion", "serverVersion"] {
        assert_eq!(version[side]["gitVersion"], "v1.36.3", "{side}");
    }
    Ok(())
}

#[tokio::test]
async fn applied_crds_are_served_at_once() -> Result<()> {
    let cluster = Cluster::start_with(OWN).await?;
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    let schema = json!({ "openAPIV3Schema": { "type": "object" } });
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "probes.fkm.test" },
        "spec": {
            "group": "fkm.test",
            "scope": "Namespaced",
            "names": { "kind": "Probe", "plural": "probes", "singular": "probe" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": schema }],
        },
    });
    serde_json::to_writer(&file, &crd)?;
    cluster.apply_crds(file.path()).await?;
    let output = cluster
        .kubectl(["get", "probes", "--all-namespaces"])
        .await?;
    ensure!(output.status.success(), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn api_server_comes_back_with_its_state() -> Result<()> {
    let mut cluster = Cluster::start_with(OWN).await?;
    let client = cluster.admin_client()?;
    cluster.create_namespace("kept").await?;
    cluster.stop_api_server()?;
    let namespaces = Api::<Namespace>::all(client);
    assert!(
        namespaces.get("kept").await.is_err(),
        "a stopped API server answered"
    );
    cluster.start_api_server().await?;
    namespaces.get("kept").await?;
    Ok(())
}

#[tokio::test]
async fn controller_manager_collects_what_lost_its_owner() -> Result<()> {
    let cluster = Cluster::start_with(Options {
        controller_manager: true,
        own: true,
    })
    .await?;
    cluster.create_namespace("apps").await?;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.admin_client()?, "apps");
    let owner: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "owner" } }))?;
    let owner = maps.create(&PostParams::default(), &owner).await?;
    let reference =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid() });
    let orphan = json!({ "metadata": { "name": "orphan", "ownerReferences": [reference] } });
    maps.create(&PostParams::default(), &serde_json::from_value(orphan)?)
        .await?;
    maps.delete("owner", &kube::api::DeleteParams::background())
        .await?;
    for _ in 0..600 {
        if maps.get_opt("orphan").await?.is_none() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("the orphan is still there")
}

fn pod(name: &str, service_account: &str) -> Result<Pod> {
    Ok(serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": { "serviceAccountName": service_account, "containers": [{ "name": "app", "image": "app" }] },
    }))?)
}

async fn review(client: &Client, token: &str, audience: &str) -> Result<TokenReviewStatus> {
    let spec = TokenReviewSpec {
        token: token.to_owned(),
        audiences: Some(vec![audience.to_owned()]),
    };
    let review = TokenReview {
        spec,
        ..TokenReview::default()
    };
    let answer = Api::all(client.clone())
        .create(&PostParams::default(), &review)
        .await?;
    answer.status.context("the review has no answer")
}
