//! Files that hold tokens, as the platform puts them into the pod.

use std::path::Path;

use super::error::SignInError;

/// Where the sidecar keeps what it shows to nobody: its token for the operator, and the keys of the last snapshot.
const OWN: [&str; 2] = ["/var/run/fkm", "/var/lib/fkm"];

/// The token in a file, without the line break at its end. Read each time: the kubelet changes it long before it expires.
pub(super) async fn read_file(path: &Path) -> Result<String, SignInError> {
    read_outside(path, &OWN.map(Path::new)).await
}

/// The same, unless the file is in one of these folders, by whatever name.
async fn read_outside(path: &Path, folders: &[&Path]) -> Result<String, SignInError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| SignInError::File {
        path: shown.clone(),
        kind: error.kind(),
    };
    let real = tokio::fs::canonicalize(path).await.map_err(failed)?;
    for folder in folders {
        let folder = tokio::fs::canonicalize(folder).await;
        if folder.is_ok_and(|folder| real.starts_with(folder)) {
            return Err(SignInError::OwnFile(shown));
        }
    }
    let text = tokio::fs::read_to_string(real).await.map_err(failed)?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sidecars_own_files_are_shown_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (folder.path().join("own"), folder.path().join("other"));
        for place in [&own, &other] {
            std::fs::create_dir(place).unwrap();
            std::fs::write(place.join("token"), "a token\n").unwrap();
        }
        let link = other.join("link");
        std::os::unix::fs::symlink(own.join("token"), &link).unwrap();
        let around = other.join("../own/token");
        let through_proc = Path::new("/proc/self/root").join(own.strip_prefix("/").unwrap());
        for path in [own.join("token"), link, around, through_proc.join("token")] {
            let read = read_outside(&path, &[&own]).await;
            assert!(matches!(read, Err(SignInError::OwnFile(_))), "{path:?}");
        }
        let read = read_outside(&other.join("token"), &[&own]).await;
        assert_eq!(read.as_deref(), Ok("a token"));
    }
}
