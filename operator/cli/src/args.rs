//! The arguments of `fkm`, read once.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use fkm_sidecar::args::LogFormat;
use fkm_sidecar::signin::ambient::Ambient;

/// Flux-Kontext-Max without a cluster.
#[derive(Debug, Parser)]
#[command(name = "fkm", version, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check manifests as the API server and the operator would.
    Lint(LintArgs),
    /// Serve a folder of manifests on this machine, without a cluster; changes are live at once.
    Dev(Box<DevArgs>),
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

/// Arguments of `fkm lint`.
#[derive(Debug, clap::Args)]
pub struct LintArgs {
    /// Files, and folders whose .yaml, .yml and .json files are read.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How the result is shown.
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Output,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// The namespace of objects that name none.
    #[arg(long, short, default_value = "default")]
    pub namespace: String,
    /// Take Secrets that are not in PATH as existing, with every key.
    #[arg(long)]
    pub assume_secrets: bool,
}

/// Arguments of `fkm dev`.
///
/// What the operator and the sidecar do in a cluster, in one process: the manifests of DIR are compiled and served, and
/// read again whenever a file changes. A spec that is wrong in itself changes nothing: the last accepted one stays, and
/// the log says why, with file, line and field. What names a Secret, pool or model that is not there is left out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = DEV_EXAMPLES)]
pub struct DevArgs {
    /// Folder whose .yaml, .yml and .json files are served: ProviderPools, LLMRoutes, and the Secrets, ConfigMaps and
    /// Namespaces that they need.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A provider key, as `NAMESPACE/SECRET/KEY=env:VARIABLE` or `NAMESPACE/SECRET/KEY=file:PATH`; repeatable. Read once,
    /// at start; wins over a Secret in DIR.
    #[arg(long = "secret", value_name = "ID=SOURCE")]
    pub secrets: Vec<String>,
    /// Be a pod of this namespace: only its routes are served. Also the namespace of objects in DIR that name none.
    ///
    /// Without --namespace and --labels every route of DIR is served, whatever its namespace and workloadSelector.
    #[arg(long, short, value_name = "NS")]
    pub namespace: Option<String>,
    /// Be a pod with these labels (`app=shop,tier=web`): only routes whose workloadSelector matches are served. Without
    /// --namespace the pod is in namespace default.
    #[arg(long, short, value_name = "KEY=VALUE", value_delimiter = ',')]
    pub labels: Vec<String>,
    /// Addresses for LLM traffic. Loopback only.
    #[arg(
        long,
        env = "FKM_LISTEN",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = "127.0.0.1:4000,[::1]:4000"
    )]
    pub listen: Vec<SocketAddr>,
    /// Addresses for the config dump, `GET /config`. Loopback only.
    #[arg(
        long,
        env = "FKM_ADMIN_LISTEN",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = "127.0.0.1:4001,[::1]:4001"
    )]
    pub admin_listen: Vec<SocketAddr>,
    /// Address for /livez, /readyz and /metrics.
    #[arg(
        long,
        env = "FKM_PROBE_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:4002"
    )]
    pub probe_listen: SocketAddr,
    /// Log filter; `info,fkm_sidecar=debug` adds a line for every request.
    #[arg(long, env = "FKM_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Log format.
    #[arg(long, env = "FKM_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,
    /// What the platform says of the pod's identity.
    #[command(flatten)]
    pub ambient: Ambient,
}

const DEV_EXAMPLES: &str = "\
Examples:
  fkm dev manifests/
  fkm dev manifests/ --secret fkm-system/openai/apiKey=env:OPENAI_API_KEY
  fkm dev manifests/ --namespace shop --labels app=assistant

Then call http://127.0.0.1:4000/v1 with any OpenAI or Anthropic SDK; any text will do for its key.
Ctrl-C ends it; running answers get 5 seconds to finish.
Exit codes: 0 ended by a signal, 1 could not serve, 64 wrong arguments.";

/// How a result is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

// === impl Color ===

impl Color {
    /// Whether to use colours on standard output.
    pub fn is_on(self) -> bool {
        match self {
            Self::Auto => {
                std::io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
            Self::Always => true,
            Self::Never => false,
        }
    }
}
