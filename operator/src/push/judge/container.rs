//! What the sidecar's own container may look like, so that its files end up nowhere but in its own volumes.

use std::path::{Component, Path};

use k8s_openapi::api::core::v1::{Container, EnvVar, PodSpec, Volume, VolumeMount};

use super::{JudgeSettings, STATE_VOLUME, TOKEN_VOLUME, Violation};

/// Where the sidecar looks for each of our volumes.
const PLACES: [(&str, &str); 2] = [
    (TOKEN_VOLUME, "/var/run/fkm"),
    (STATE_VOLUME, "/var/lib/fkm"),
];

/// Flags that would lead the sidecar to other files.
const FLAGS: [&str; 2] = ["--state-dir", "--token-file"];

/// Variables that lead the sidecar's connections: through whom, and trusting whom. Those of proxies in small letters, too.
const NETWORK: [&str; 6] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "FKM_EXTRA_CA_FILE",
];

/// The same as variables.
const VARIABLES: [&str; 2] = ["FKM_STATE_DIR", "FKM_TOKEN_FILE"];

/// The program and where it keeps its files are those of the image, and its connections are led by the platform.
pub(super) fn judge_container(
    spec: &PodSpec,
    sidecar: &Container,
    settings: &JudgeSettings,
) -> Result<(), Violation> {
    judge_program(sidecar)?;
    judge_network(sidecar, settings)?;
    let mounts = sidecar.volume_mounts.as_deref().unwrap_or_default();
    judge_places(mounts)?;
    judge_further_volumes(spec, sidecar, mounts)
}

fn judge_program(sidecar: &Container) -> Result<(), Violation> {
    let overridden = |field: String| Err(Violation::Overridden { field });
    if sidecar.command.as_ref().is_some_and(|all| !all.is_empty()) {
        return overridden("command".to_owned());
    }
    for arg in sidecar.args.iter().flatten() {
        let name = arg.split('=').next().unwrap_or_default();
        // The kubelet puts variables into arguments: a name made of one may be any.
        if FLAGS.contains(&name) || name.contains("$(") {
            return overridden(format!("argument {name}"));
        }
    }
    for variable in sidecar.env.iter().flatten() {
        if VARIABLES.contains(&variable.name.as_str()) {
            return overridden(format!("variable {}", variable.name));
        }
    }
    if sidecar.env_from.as_ref().is_some_and(|all| !all.is_empty()) {
        return overridden("envFrom".to_owned());
    }
    Ok(())
}

fn judge_network(sidecar: &Container, settings: &JudgeSettings) -> Result<(), Violation> {
    for EnvVar { name, value, .. } in sidecar.env.iter().flatten() {
        let leads = NETWORK.iter().any(|known| known.eq_ignore_ascii_case(name));
        if leads && !settings.allows_variable(name, value.as_deref()) {
            return Err(Violation::Redirected {
                variable: name.clone(),
            });
        }
    }
    Ok(())
}

/// Our volumes are where the sidecar looks for them, and nothing else is there.
fn judge_places(mounts: &[VolumeMount]) -> Result<(), Violation> {
    for (volume, place) in PLACES {
        let misplaced = Violation::Misplaced { volume, place };
        let is_whole =
            |mount: &&VolumeMount| mount.sub_path.is_none() && mount.sub_path_expr.is_none();
        let is_there = |mount: &&VolumeMount| is_at(&mount.mount_path, place);
        let own = mounts.iter().filter(|mount| mount.name == volume);
        let right = own.filter(is_whole).filter(is_there).count();
        let others = mounts.iter().filter(|mount| mount.name != volume);
        let mut covering = others.filter(|mount| may_be_below(&mount.mount_path, place));
        if right != 1 || covering.next().is_some() {
            return Err(misplaced);
        }
    }
    Ok(())
}

fn is_at(path: &str, place: &str) -> bool {
    !climbs(path)
        && Path::new(path)
            .components()
            .eq(Path::new(place).components())
}

fn may_be_below(path: &str, place: &str) -> bool {
    climbs(path) || Path::new(path).starts_with(place)
}

fn climbs(path: &str) -> bool {
    Path::new(path)
        .components()
        .any(|part| part == Component::ParentDir)
}

/// What else the sidecar mounts can only be read. What other containers write may be there too: a server's socket.
fn judge_further_volumes(
    spec: &PodSpec,
    sidecar: &Container,
    mounts: &[VolumeMount],
) -> Result<(), Violation> {
    let mounted = mounts
        .iter()
        .map(|mount| (&mount.name, mount.read_only == Some(true)));
    let devices = sidecar.volume_devices.iter().flatten();
    let all = mounted.chain(devices.map(|device| (&device.name, false)));
    for (name, read_only) in all {
        if [TOKEN_VOLUME, STATE_VOLUME].contains(&name.as_str()) {
            continue;
        }
        let mut volumes = spec.volumes.iter().flatten();
        let volume = volumes.find(|volume| volume.name == *name);
        let is_good =
            |volume: &Volume| is_read_only(volume) || (read_only && volume.empty_dir.is_some());
        if !volume.is_some_and(is_good) {
            return Err(Violation::WritableVolume {
                volume: name.clone(),
            });
        }
    }
    Ok(())
}

/// Of a kind that the kubelet alone writes.
fn is_read_only(volume: &Volume) -> bool {
    volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some()
}
