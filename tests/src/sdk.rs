//! The official SDKs, as an application would use them.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use tokio::process::Command;

/// Which SDK.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    /// PyPI `openai`.
    OpenAi,
    /// PyPI `anthropic`.
    Anthropic,
}

/// Asks `model` at `base_url` one question; what the SDK made of the answer: `{text, finish}`. An exception of the SDK is
/// an error with its text.
pub async fn ask(sdk: Sdk, base_url: &str, model: &str, stream: bool) -> Result<Value> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let setup = Command::new(tests.join("setup/venv.sh"))
        .arg("conformance")
        .arg(tests.join("conformance/requirements.txt"))
        .output()
        .await?;
    ensure!(
        setup.status.success(),
        "{}",
        String::from_utf8_lossy(&setup.stderr)
    );
    let python = Path::new(String::from_utf8(setup.stdout)?.trim()).join("bin/python");
    let name = match sdk {
        Sdk::OpenAi => "openai",
        Sdk::Anthropic => "anthropic",
    };
    let mut command = Command::new(python);
    command
        .arg(tests.join("sdk/ask.py"))
        .args([name, base_url, model])
        .kill_on_drop(true);
    if stream {
        command.arg("--stream");
    }
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}
