//! The program: its exit codes and its answer to a signal.

use std::process::{Command, Output};

use anyhow::Result;

fn operator(args: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fkm-operator"));
    command.env_clear().args(args);
    Ok(command.output()?)
}

#[test]
fn every_wrong_setting_is_told_and_the_exit_code_is_64() -> Result<()> {
    let output = operator(&["--namespace=Fkm", "--push-address=here"])?;
    let message = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(64), "{message}");
    for setting in ["FKM_NAMESPACE", "FKM_SIDECAR_IMAGES", "FKM_PUSH_ADDRESS"] {
        assert!(message.contains(setting), "{setting}: {message}");
    }
    Ok(())
}

#[test]
fn an_unknown_flag_has_the_exit_code_64_and_help_has_0() -> Result<()> {
    assert_eq!(operator(&["--no-such-flag"])?.status.code(), Some(64));
    assert_eq!(operator(&["--help"])?.status.code(), Some(0));
    Ok(())
}
