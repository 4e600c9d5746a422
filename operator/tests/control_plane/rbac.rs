//! What the shipped roles do not allow, whatever the operator may try.

use anyhow::{Result, ensure};
use fkm_crds::LLMRoute;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, Client, Error};
use serde_json::json;

use crate::manifests;
use crate::world::{SHOP, SYSTEM, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_roles_give_no_more_than_is_needed() -> Result<()> {
    let world = World::without_operator().await?;
    world.apply(&manifests::route("first")).await?;
    let operator: Client = world
        .cluster
        .service_account_client(SYSTEM, "fkm-operator")
        .await?;
    let every = ListParams::default();

    refused(
        "Secrets of the cluster",
        Api::<Secret>::all(operator.clone()).list(&every).await,
    )?;
    refused(
        "Secrets of an app team",
        Api::<Secret>::namespaced(operator.clone(), SHOP)
            .list(&every)
            .await,
    )?;
    refused(
        "a Secret of an app team",
        Api::<Secret>::namespaced(operator.clone(), SHOP)
            .get("any")
            .await,
    )?;
    refused(
        "ConfigMaps of the cluster",
        Api::<ConfigMap>::all(operator.clone()).list(&every).await,
    )?;
    let pods: Api<Pod> = Api::namespaced(operator.clone(), SHOP);
    refused(
        "deleting a pod",
        pods.delete("any", &DeleteParams::default()).await,
    )?;
    let namespaces: Api<Namespace> = Api::all(operator.clone());
    let labels = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
    refused(
        "a label on a namespace",
        namespaces
            .patch(SHOP, &PatchParams::default(), &labels)
            .await,
    )?;
    let routes: Api<LLMRoute> = Api::namespaced(operator, SHOP);
    let spec = Patch::Merge(json!({"spec": {"priority": 1}}));
    refused(
        "a spec",
        routes
            .patch("checkout", &PatchParams::default(), &spec)
            .await,
    )?;
    refused(
        "deleting a route",
        routes.delete("checkout", &DeleteParams::default()).await,
    )
}

fn refused<T>(what: &str, answer: Result<T, Error>) -> Result<()> {
    let code = match answer {
        Ok(_) => 200,
        Err(Error::Api(status)) => status.code,
        Err(error) => return Err(error.into()),
    };
    ensure!(code == 403, "{what}: {code}");
    Ok(())
}
