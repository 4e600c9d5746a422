//! What token servers give.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use fkm_llm::Redactor;
use http::HeaderValue;
use serde::Deserialize;

/// A token whose server does not say how long it lives is taken to live so long: no server gives shorter ones by default.
const UNSAID_LIFE: Duration = Duration::from_mins(5);

/// Longer lives are not believed: a day is the most that any of the known servers gives.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// What is shown, or signed with. `Debug` shows none of it.
#[derive(Clone)]
pub(crate) enum Material {
    /// `Bearer TOKEN`, marked sensitive.
    Bearer(HeaderValue),
    /// Keys of AWS.
    Aws(Credentials),
}

/// What a token server gave.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) material: Material,
    /// How long it lives, from when it was asked for; `None`: for ever.
    pub(crate) lifetime: Option<Duration>,
}

/// The answer of a token endpoint (RFC 6749, 5.1). `expires_in` is a number, or one in quotes.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

// === impl Material ===

impl Material {
    /// For what would show it.
    pub(crate) fn redactors(&self) -> Vec<Redactor> {
        match self {
            Self::Bearer(value) => {
                let text = value.to_str().unwrap_or_default();
                vec![Redactor::new(text.trim_start_matches("Bearer "))]
            }
            Self::Aws(keys) => {
                let secrets = [Some(keys.secret_access_key()), keys.session_token()];
                secrets.into_iter().flatten().map(Redactor::new).collect()
            }
        }
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer",
            Self::Aws(_) => "Aws",
        })
    }
}

/// Reads the answer of a token endpoint. The error says what is wrong with it, and shows nothing of it.
pub(crate) fn read(body: &[u8]) -> Result<Granted, &'static str> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "it is not JSON with an access_token")?;
    if answer
        .token_type
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
    {
        return Err("its token_type is not Bearer");
    }
    let lifetime = match answer.expires_in {
        None => UNSAID_LIFE,
        Some(seconds) => seconds.duration().ok_or("its expires_in is not a time")?,
    };
    Ok(Granted {
        material: bearer(&answer.access_token).ok_or("its access_token fits no header")?,
        lifetime: Some(lifetime.min(LONGEST_LIFE)),
    })
}

fn bearer(token: &str) -> Option<Material> {
    if token.is_empty() {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(Material::Bearer(value))
}

// === impl Seconds ===

impl Seconds {
    fn duration(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        (!duration.is_zero()).then_some(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_read_in_every_spelling() {
        for (answer, seconds) in [
            (
                r#"{"access_token":"t","token_type":"Bearer","expires_in":3599}"#,
                3599,
            ),
            (
                r#"{"access_token":"t","token_type":"bearer","expires_in":"60"}"#,
                60,
            ),
            (r#"{"access_token":"t","ext_expires_in":1}"#, 300),
            (r#"{"access_token":"t","expires_in":1e12}"#, 86_400),
        ] {
            let granted = read(answer.as_bytes()).unwrap();
            assert_eq!(
                granted.lifetime,
                Some(Duration::from_secs(seconds)),
                "{answer}"
            );
            assert!(!format!("{granted:?}").contains("Bearer t"));
        }
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_shown() {
        for answer in [
            "",
            "token",
            r#"{"token":"secret"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"two\nlines"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","expires_in":0}"#,
            r#"{"access_token":"t","expires_in":-5}"#,
            r#"{"access_token":"t","expires_in":"soon"}"#,
        ] {
            let what = read(answer.as_bytes()).unwrap_err();
            assert!(!what.contains("secret"), "{answer}");
        }
    }
}
