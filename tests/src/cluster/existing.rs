//! A cluster that was there before, used in place of one of our own.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Cluster, kubeconfig};

/// The kubeconfig of the cluster to use, if one is named. The first name is for those whose `KUBECONFIG` is not for tests.
pub(crate) fn kubeconfig() -> Option<PathBuf> {
    let named = ["FKM_TEST_KUBECONFIG", "KUBECONFIG"]
        .into_iter()
        .find_map(env::var_os)?;
    // Empty says: none, whatever the other one says.
    Some(PathBuf::from(named)).filter(|path| !path.as_os_str().is_empty())
}

impl Cluster {
    /// Uses the cluster that the kubeconfig names; its kubectl is the one on `PATH`.
    pub async fn attach(path: &Path) -> Result<Self> {
        super::choose_crypto();
        let admin = kubeconfig::load(path)
            .await
            .with_context(|| format!("cannot use the cluster of {}", path.display()))?;
        Ok(Self {
            control_plane: None,
            kubeconfig: path.to_owned(),
            admin,
            kubectl: PathBuf::from("kubectl"),
            folder: super::new_folder()?,
        })
    }
}
