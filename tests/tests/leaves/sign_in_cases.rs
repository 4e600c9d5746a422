//! A case for every leaf of a provider's credentials that are more than a key.

use serde_json::{Value, json};

use crate::case::{Case, Change, pool as change};
use crate::objects::{backend, pool, provider, route, rule};
use crate::scene::Scene;

pub(crate) fn all() -> Vec<Case> {
    let mut cases = types();
    cases.extend(aws());
    cases.extend(aws_roles());
    cases.extend(azure());
    cases.extend(google());
    cases.extend(oauth());
    cases
}

fn at(field: &str, value: &str) -> Change {
    change(&format!("/spec/providers/0/credentials/0/{field}"), value)
}

/// A provider that is signed in at so.
fn scene(credential: &Value) -> Scene {
    let mut a = provider("a", "$A");
    a["credentials"] = json!([credential]);
    a["credentials"][0]["name"] = json!("main");
    let to_pool = route("chat", &json!({"rules": [rule(&[backend("pool")])]}));
    Scene::new([pool("pool", &[a]), to_pool])
}

/// The key `main` of Secret `keys`.
fn main() -> Value {
    named("main")
}

fn named(key: &str) -> Value {
    json!({"secretKeyRef": {"name": "keys", "key": key}})
}

fn types() -> Vec<Case> {
    let key = scene(&json!({"type": "APIKey", "apiKey": main()}));
    let to = |kind: &str, said: &str| at("type", kind).shows(&key, "200 by a", said);
    vec![
        to("AWS", "aws must be given if and only if type is AWS"),
        to("AzureEntra", "azureEntra must be given if and only if"),
        to(
            "GoogleServiceAccount",
            "googleServiceAccount must be given if and only if",
        ),
        to(
            "GoogleWorkloadIdentity",
            "apiKey must be given if and only if type is APIKey",
        ),
        to(
            "OAuthClientCredentials",
            "oauthClientCredentials must be given if and only if",
        ),
    ]
}

fn aws() -> Vec<Case> {
    let keys = json!({"accessKeyID": main(), "secretAccessKey": main(), "sessionToken": main()});
    let given = scene(&json!({"type": "AWS", "aws": {
        "source": "Static", "region": "us-east-1", "service": "bedrock", "keys": keys,
    }}));
    let mut cases = vec![
        at("aws/region", "eu-west-1").shows(
            &given,
            "signed for us-east-1/bedrock",
            "signed for eu-west-1/bedrock",
        ),
        at("aws/service", "execute-api").shows(&given, "/bedrock id", "/execute-api id"),
        at("aws/source", "WebIdentity").shows(
            &given,
            "200 by a",
            "keys must be given if and only if source is Static; source is WebIdentity",
        ),
    ];
    for (field, shown) in [
        ("accessKeyID", "id"),
        ("secretAccessKey", "by"),
        ("sessionToken", "session"),
    ] {
        let secret = format!("aws/keys/{field}/secretKeyRef");
        for (part, value, after) in [
            ("key", "spare", "key-spare"),
            ("name", "more-keys", "key-more"),
        ] {
            cases.push(at(&format!("{secret}/{part}"), value).shows(
                &given,
                format!("{shown}=key-main"),
                format!("{shown}={after}"),
            ));
        }
    }
    cases
}

fn aws_roles() -> Vec<Case> {
    let role = |further: Value| {
        let mut aws = json!({
            "source": "WebIdentity", "region": "us-east-1", "roleARN": "arn:aws:iam::1:role/one",
            "stsURL": "$TOKENS/sts",
        });
        for (name, value) in further.as_object().unwrap() {
            aws[name] = value.clone();
        }
        scene(&json!({"type": "AWS", "aws": aws}))
    };
    let file = role(json!({"tokenFile": "/var/run/secrets/tests/one"}));
    let role = role(json!({}));
    let container = scene(&json!({"type": "AWS", "aws": {"source": "Container", "region": "r"}}));
    vec![
        at("aws/roleARN", "arn:aws:iam::1:role/two").shows(&role, "role/one", "role/two"),
        at("aws/stsURL", "$TOKENS/sts/other").shows(
            &role,
            "tokens got POST /sts Action",
            "tokens got POST /sts/other Action",
        ),
        at("aws/tokenFile", "/var/run/secrets/tests/two").shows(
            &file,
            "the token file /var/run/secrets/tests/one cannot be read",
            "the token file /var/run/secrets/tests/two cannot be read",
        ),
        at("aws/source", "Instance").shows(
            &container,
            "tokens got GET /container",
            "tokens got PUT /instance/latest/api/token",
        ),
    ]
}

fn azure() -> Vec<Case> {
    let application = scene(&json!({"type": "AzureEntra", "azureEntra": {
        "source": "ClientSecret", "tenantID": "tenant-one", "clientID": "client-one",
        "clientSecret": main(), "authorityURL": "$TOKENS", "scope": "scope-one",
    }}));
    let pod = scene(&json!({"type": "AzureEntra", "azureEntra": {
        "source": "WorkloadIdentity", "tenantID": "tenant", "clientID": "client", "authorityURL": "$TOKENS",
        "tokenFile": "/var/run/secrets/tests/one",
    }}));
    let shows = |field: &str, value: &str, before: &str, after: &str| {
        at(&format!("azureEntra/{field}"), value).shows(&application, before, after)
    };
    let secret = "client_secret=key-main";
    vec![
        shows("tenantID", "tenant-two", "/tenant-one/", "/tenant-two/"),
        shows(
            "clientID",
            "client-two",
            "client_id=client-one",
            "client_id=client-two",
        ),
        shows(
            "clientSecret/secretKeyRef/key",
            "spare",
            secret,
            "client_secret=key-spare",
        ),
        shows(
            "clientSecret/secretKeyRef/name",
            "more-keys",
            secret,
            "client_secret=key-more",
        ),
        shows(
            "authorityURL",
            "$TOKENS/gov",
            "POST /tenant-one/oauth2",
            "POST /gov/tenant-one/oauth2",
        ),
        shows("scope", "scope-two", "scope=scope-one", "scope=scope-two"),
        shows(
            "source",
            "WorkloadIdentity",
            "200 by a",
            "clientSecret must be given if and only if source is ClientSecret",
        ),
        at("azureEntra/tokenFile", "/var/run/secrets/tests/two").shows(
            &pod,
            "the token file /var/run/secrets/tests/one cannot be read",
            "the token file /var/run/secrets/tests/two cannot be read",
        ),
    ]
}

fn google() -> Vec<Case> {
    let account = scene(
        &json!({"type": "GoogleServiceAccount", "googleServiceAccount": {
            "key": named("google"), "scopes": ["scope-one"], "tokenURL": "$TOKENS/one",
        }}),
    );
    let workload = scene(
        &json!({"type": "GoogleWorkloadIdentity", "googleWorkloadIdentity": {
            "serviceAccount": "one", "scopes": ["scope-one"],
        }}),
    );
    let shows = |field: &str, value: &str, before: &str, after: &str| {
        at(&format!("googleServiceAccount/{field}"), value).shows(&account, before, after)
    };
    let issuer = r#""iss":"main@google""#;
    vec![
        shows(
            "key/secretKeyRef/key",
            "google-spare",
            issuer,
            r#""iss":"spare@google""#,
        ),
        shows(
            "key/secretKeyRef/name",
            "more-keys",
            issuer,
            r#""iss":"more@google""#,
        ),
        shows(
            "scopes/0",
            "scope-two",
            r#""scope":"scope-one""#,
            r#""scope":"scope-two""#,
        ),
        shows("tokenURL", "$TOKENS/two", "POST /one", "POST /two"),
        at("googleWorkloadIdentity/serviceAccount", "two").shows(
            &workload,
            "service-accounts/one/token",
            "service-accounts/two/token",
        ),
        at("googleWorkloadIdentity/scopes/0", "scope-two").shows(
            &workload,
            "token?scopes=scope-one",
            "token?scopes=scope-two",
        ),
    ]
}

fn oauth() -> Vec<Case> {
    let client = scene(
        &json!({"type": "OAuthClientCredentials", "oauthClientCredentials": {
            "tokenURL": "$TOKENS/one", "clientID": "client-one", "clientSecret": main(),
            "scopes": ["scope-one"], "audience": "audience-one", "clientAuthentication": "Basic",
        }}),
    );
    let shows = |field: &str, value: &str, before: &str, after: &str| {
        at(&format!("oauthClientCredentials/{field}"), value).shows(&client, before, after)
    };
    let basic = "basic=client-one:key-main";
    vec![
        shows("tokenURL", "$TOKENS/two", "POST /one", "POST /two"),
        shows("clientID", "client-two", basic, "basic=client-two:key-main"),
        shows(
            "clientSecret/secretKeyRef/key",
            "spare",
            basic,
            "basic=client-one:key-spare",
        ),
        shows(
            "clientSecret/secretKeyRef/name",
            "more-keys",
            basic,
            "basic=client-one:key-more",
        ),
        shows(
            "scopes/0",
            "scope-two",
            "scope=scope-one",
            "scope=scope-two",
        ),
        shows(
            "audience",
            "audience-two",
            "audience=audience-one",
            "audience=audience-two",
        ),
        shows(
            "clientAuthentication",
            "Body",
            basic,
            "client_id=client-one client_secret=key-main",
        ),
    ]
}
