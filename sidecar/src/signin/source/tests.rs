//! What the makers of a pod may choose, and what they may not.

use super::*;

/// Where a source would ask, in a pod whose variables name other places.
fn asked(source: EntraSource<SecretString>) -> Vec<(String, Named)> {
    let ambient = Ambient {
        azure_authority_host: Some("https://elsewhere.example".to_owned()),
        azure_tenant_id: Some("theirs".to_owned()),
        azure_client_id: Some("theirs".to_owned()),
        ..Ambient::default()
    };
    let mut asked = Vec::new();
    let mut endpoint = |url: &str, named| {
        asked.push((url.to_owned(), named));
        Err(UnusableSecret("this is enough".to_owned()))
    };
    let sign_in = SignIn::AzureEntra(AzureEntra {
        authority_url: String::new(),
        tenant_id: "ours".to_owned(),
        client_id: "ours".to_owned(),
        scope: "s".to_owned(),
        source,
    });
    let parts = Parts {
        ambient: &ambient,
        metadata: &Metadata::new(),
        endpoint: &mut endpoint,
    }
    .source(&sign_in);
    assert!(parts.is_err());
    asked
}

#[tokio::test]
async fn a_secret_of_the_pool_goes_where_the_pool_says() {
    let asked_with_secret = asked(EntraSource::ClientSecret("secret".into()));
    assert_eq!(
        asked_with_secret,
        [(
            "https://login.microsoftonline.com/ours/oauth2/v2.0/token".to_owned(),
            Named::ByVendor
        )]
    );
    let asked_with_token = asked(EntraSource::WorkloadIdentity {
        token_file: "/tmp/token".to_owned(),
    });
    assert_eq!(
        asked_with_token,
        [(
            "https://elsewhere.example/ours/oauth2/v2.0/token".to_owned(),
            Named::ByVendor
        )]
    );
}
