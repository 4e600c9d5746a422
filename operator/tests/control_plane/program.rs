//! The program itself, as it runs in its pod.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::manifests;
use crate::sidecar::{Held, hello, open_at, token};
use crate::world::{IMAGE, World, eventually};

/// Ends with the test, however that ends.
struct Operator(Child);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_streams_in_good_order_and_exits_with_0() -> Result<()> {
    let world = World::without_operator().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    world.apply(&manifests::route("first")).await?;
    let [push, admin] = [free_port()?, free_port()?];
    let mut operator = start(&world, push, admin)?;
    eventually("the program is ready", async || {
        let answer = crate::world::page(format!("127.0.0.1:{admin}").parse()?, "/readyz").await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Ok(())
    })
    .await?;
    let endpoint = format!("https://127.0.0.1:{push}");
    let mut stream = open_at(
        &world,
        endpoint,
        &token(&world, &pod).await?,
        hello(&pod, &Held::default()),
    )
    .await?;
    ensure!(stream.receive().await?.is_some(), "nothing was sent");

    let kill = Command::new("kill")
        .args(["-TERM", &operator.0.id().to_string()])
        .status()?;
    ensure!(kill.success(), "{kill}");
    let ended = loop {
        match stream.receive().await {
            Ok(Some(_)) => {}
            Ok(None) => break String::new(),
            Err(error) => break error.to_string(),
        }
    };
    ensure!(ended.contains("Unavailable"), "{ended}");
    let status = eventually("the program ends", async || {
        sleep(Duration::from_millis(10)).await;
        let gone = TcpStream::connect(("127.0.0.1", admin)).await.is_err();
        ensure!(gone, "it still listens");
        Ok(())
    })
    .await
    .and_then(|()| Ok(operator.0.wait()?))?;
    ensure!(status.code() == Some(0), "{status}");
    Ok(())
}

fn start(world: &World, push: u16, admin: u16) -> Result<Operator> {
    let child = Command::new(env!("CARGO_BIN_EXE_fkm-operator"))
        .env_clear()
        .env("KUBECONFIG", world.identity())
        .env("FKM_SIDECAR_IMAGES", IMAGE)
        .env("FKM_PUSH_ADDRESS", format!("127.0.0.1:{push}"))
        .env("FKM_ADMIN_ADDRESS", format!("127.0.0.1:{admin}"))
        .env("FKM_LOG", "off")
        .stdin(Stdio::null())
        .spawn()
        .context("the program does not start")?;
    Ok(Operator(child))
}

/// One that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Fails when it has ended already, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
