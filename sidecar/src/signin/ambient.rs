//! What the platform tells a pod of its identity, by the variables that the vendors' own SDKs read.

use std::path::PathBuf;

use clap::Args;

/// The variables; each is empty where the platform does not set it.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Identity of the pod, as EKS, ECS, AKS and GKE set it")]
pub struct Ambient {
    /// The role of the pod (IRSA).
    #[arg(long, env = "AWS_ROLE_ARN", hide = true)]
    pub aws_role_arn: Option<String>,
    /// What the session of the role is called. Default `fkm-sidecar`.
    #[arg(long, env = "AWS_ROLE_SESSION_NAME", hide = true)]
    pub aws_role_session_name: Option<String>,
    /// The token of the pod for STS.
    #[arg(long, env = "AWS_WEB_IDENTITY_TOKEN_FILE", hide = true)]
    pub aws_web_identity_token_file: Option<PathBuf>,
    /// The agent that gives keys: EKS Pod Identity.
    #[arg(long, env = "AWS_CONTAINER_CREDENTIALS_FULL_URI", hide = true)]
    pub aws_container_credentials_full_uri: Option<String>,
    /// The same below `http://169.254.170.2`: ECS.
    #[arg(long, env = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", hide = true)]
    pub aws_container_credentials_relative_uri: Option<String>,
    /// What is shown to the agent.
    #[arg(long, env = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", hide = true)]
    pub aws_container_authorization_token_file: Option<PathBuf>,
    /// The instance metadata service. Default `http://169.254.169.254`.
    #[arg(long, env = "AWS_EC2_METADATA_SERVICE_ENDPOINT", hide = true)]
    pub aws_ec2_metadata_service_endpoint: Option<String>,
    /// The tenant of the pod's application.
    #[arg(long, env = "AZURE_TENANT_ID", hide = true)]
    pub azure_tenant_id: Option<String>,
    /// The pod's application.
    #[arg(long, env = "AZURE_CLIENT_ID", hide = true)]
    pub azure_client_id: Option<String>,
    /// The token of the pod for Entra.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", hide = true)]
    pub azure_federated_token_file: Option<PathBuf>,
    /// Where Entra is.
    #[arg(long, env = "AZURE_AUTHORITY_HOST", hide = true)]
    pub azure_authority_host: Option<String>,
    /// Where Google's metadata server is, `host:port`. Default `metadata.google.internal`.
    #[arg(long, env = "GCE_METADATA_HOST", hide = true)]
    pub gce_metadata_host: Option<String>,
}
