//! Answers that are remembered, by the SHA-256 of the token.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::TokenIdentity;
use crate::push::AuthFailure;

/// How long an accepted token is not reviewed again, if it lasts that long.
const ACCEPTED_FOR: Duration = Duration::from_mins(1);

/// How long a refused one is not: long enough to blunt a client that tries in a loop.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// Accepted tokens at one time: above the sidecars that one replica is made for.
const MOST_ACCEPTED: usize = 16_384;

/// Refused tokens at one time. Apart from the accepted ones, so that no flood of bad tokens makes good ones forgotten.
const MOST_REFUSED: usize = 1_024;

pub(super) type Key = [u8; 32];

#[derive(Debug, Default)]
pub(super) struct Cache {
    accepted: HashMap<Key, Remembered<TokenIdentity>>,
    refused: HashMap<Key, Remembered<AuthFailure>>,
}

#[derive(Debug)]
struct Remembered<T> {
    value: T,
    until: Instant,
}

pub(super) fn key(token: &SecretString) -> Key {
    Sha256::digest(token.expose_secret().as_bytes()).into()
}

// === impl Cache ===

impl Cache {
    pub(super) fn get(
        &self,
        key: &Key,
        now: Instant,
    ) -> Option<Result<TokenIdentity, AuthFailure>> {
        if let Some(identity) = fresh(&self.accepted, key, now) {
            return Some(Ok(identity));
        }
        fresh(&self.refused, key, now).map(Err)
    }

    /// `remaining`: until the token's own end; none: unknown, or over.
    pub(super) fn insert(
        &mut self,
        key: Key,
        verdict: Result<TokenIdentity, AuthFailure>,
        remaining: Option<Duration>,
        now: Instant,
    ) {
        match verdict {
            Ok(value) => {
                let until = now + remaining.unwrap_or_default().min(ACCEPTED_FOR);
                self.refused.remove(&key);
                put(
                    &mut self.accepted,
                    MOST_ACCEPTED,
                    key,
                    Remembered { value, until },
                    now,
                );
            }
            Err(value) => {
                let until = now + REFUSED_FOR;
                self.accepted.remove(&key);
                put(
                    &mut self.refused,
                    MOST_REFUSED,
                    key,
                    Remembered { value, until },
                    now,
                );
            }
        }
    }
}

fn fresh<T: Clone>(map: &HashMap<Key, Remembered<T>>, key: &Key, now: Instant) -> Option<T> {
    map.get(key)
        .filter(|remembered| now < remembered.until)
        .map(|remembered| remembered.value.clone())
}

/// When it is full of answers that still hold, a new one is not remembered: it only costs one more review.
fn put<T>(
    map: &mut HashMap<Key, Remembered<T>>,
    most: usize,
    key: Key,
    remembered: Remembered<T>,
    now: Instant,
) {
    if map.len() >= most {
        map.retain(|_, remembered| now < remembered.until);
    }
    if map.len() < most || map.contains_key(&key) {
        map.insert(key, remembered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> TokenIdentity {
        TokenIdentity {
            pod: fkm_push::PodIdentity::default(),
            service_account: "shop".into(),
        }
    }

    fn numbered(number: usize) -> Key {
        key(&number.to_string().into())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_remembered_past_the_end_of_the_token() {
        for (remaining, seconds) in [(3600, 60), (10, 10)] {
            let (mut cache, now) = (Cache::default(), Instant::now());
            let remaining = Some(Duration::from_secs(remaining));
            cache.insert(numbered(1), Ok(identity()), remaining, now);
            let end = now + Duration::from_secs(seconds);
            let just_before = end.checked_sub(Duration::from_millis(1)).unwrap();
            assert_eq!(cache.get(&numbered(1), just_before), Some(Ok(identity())));
            assert_eq!(cache.get(&numbered(1), end), None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_whose_end_is_unknown_is_not_remembered() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.insert(numbered(1), Ok(identity()), None, now);
        assert_eq!(cache.get(&numbered(1), now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_bad_tokens_is_bounded_and_forgets_no_good_one() {
        let (mut cache, now) = (Cache::default(), Instant::now());
        let hour = Some(Duration::from_hours(1));
        cache.insert(numbered(0), Ok(identity()), hour, now);
        for number in 1..3000 {
            cache.insert(numbered(number), Err(AuthFailure::NoToken), None, now);
        }
        assert_eq!(cache.refused.len(), MOST_REFUSED);
        assert_eq!(cache.get(&numbered(0), now), Some(Ok(identity())));
        assert_eq!(
            cache.get(&numbered(1), now),
            Some(Err(AuthFailure::NoToken))
        );

        let later = now + REFUSED_FOR;
        assert_eq!(cache.get(&numbered(1), later), None);
        cache.insert(numbered(1), Err(AuthFailure::NoToken), None, later);
        assert_eq!(cache.refused.len(), 1);
    }
}
