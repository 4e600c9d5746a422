//! One credential whose token has a life: asks the source, once for however many requests wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Clock;
use super::error::SignInError;
use super::life::{Ask, Grant, Life};
use super::token::Granted;
use crate::metrics::{CredentialLabels, SignInMetrics};
use crate::task::Tasks;

/// A source that takes longer has failed: requests wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(15);

type Fetched = Pin<Box<dyn Future<Output = Result<Granted, SignInError>> + Send>>;

/// Asks the source, by this clock.
pub(crate) type Fetch = Box<dyn Fn(Arc<Clock>) -> Fetched + Send + Sync>;

/// How what is held is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shows {
    /// As a token.
    Token,
    /// By a signature.
    Signature { region: String, service: String },
}

/// What a credential is called.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) labels: CredentialLabels,
    /// Of its way to sign in, as pools have it.
    pub(crate) kind: &'static str,
}

/// One credential.
pub(crate) struct Live {
    called: Called,
    fetch: Fetch,
    shows: Shows,
    clock: Arc<Clock>,
    life: Mutex<Life>,
    /// Told whenever something was fetched.
    changed: watch::Sender<()>,
    metrics: SignInMetrics,
    tasks: Tasks,
}

// === impl Live ===

impl Live {
    pub(crate) fn new(
        called: Called,
        fetch: Fetch,
        shows: Shows,
        metrics: SignInMetrics,
        tasks: Tasks,
    ) -> Self {
        Self {
            called,
            fetch,
            shows,
            clock: Arc::default(),
            life: Mutex::default(),
            changed: watch::Sender::new(()),
            metrics,
            tasks,
        }
    }

    /// What to show now.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Grant>, SignInError> {
        let mut changed = self.changed.subscribe();
        loop {
            let ask = self.life.lock().ask_at(Instant::now());
            match ask {
                Ask::Use(grant) => return Ok(grant),
                Ask::UseAndFetch(grant) => {
                    self.spawn_fetch();
                    return Ok(grant);
                }
                Ask::Fetch => self.spawn_fetch(),
                Ask::Wait => {}
                Ask::Fail(error) => return Err(error),
            }
            changed
                .changed()
                .await
                .expect("the sender lives as long as this");
        }
    }

    /// The provider has refused it. `true`: another one is to be had.
    pub(crate) fn refused(&self, grant: &Grant, now: Instant) -> bool {
        self.life.lock().refused_at(grant, now)
    }

    /// Takes the time of a refusal. `true`: it is another than we thought, and matters.
    pub(crate) fn learn_time(&self, headers: &HeaderMap) -> bool {
        matches!(self.shows, Shows::Signature { .. }) && self.clock.learn(headers)
    }

    /// The provider's time, as far as it is known.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn labels(&self) -> &CredentialLabels {
        &self.called.labels
    }

    pub(crate) fn shows(&self) -> &Shows {
        &self.shows
    }

    /// What requests may have shown lately.
    pub(crate) fn recent(&self) -> Vec<Arc<Grant>> {
        self.life.lock().recent().cloned().collect()
    }

    /// A task of its own: a client that goes away takes nothing from the others that wait.
    fn spawn_fetch(self: &Arc<Self>) {
        let live = self.clone();
        self.tasks.spawn(async move {
            let asked = Instant::now();
            let fetched = (live.fetch)(live.clock.clone());
            let fetched = tokio::select! {
                // nobody is left who waits for it
                () = live.tasks.forced().cancelled() => return,
                fetched = tokio::time::timeout(FETCH_TIMEOUT, fetched) => {
                    fetched.unwrap_or(Err(SignInError::Timeout(FETCH_TIMEOUT)))
                }
            };
            let Called { labels, kind } = &live.called;
            let credential = &*labels.credential;
            match &fetched {
                Ok(granted) => {
                    let lifetime = granted.lifetime.map(|life| life.as_secs());
                    tracing::debug!(credential, lifetime, "signed in");
                    live.metrics.fetched(kind, "ok");
                    live.metrics.holds(labels, granted.lifetime);
                }
                Err(error) => {
                    live.metrics.fetched(kind, error.name());
                    let error = error.to_string();
                    tracing::warn!(credential, error, "could not sign in");
                }
            }
            let now = Instant::now();
            live.life.lock().fetched_at(asked, now, fetched);
            live.changed.send_replace(());
        });
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("called", &self.called)
            .field("shows", &self.shows)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::HeaderValue;

    use super::*;
    use crate::signin::token::Material;

    fn called() -> Called {
        Called {
            labels: CredentialLabels {
                credential: "c".into(),
                host: "p".into(),
            },
            kind: "AWS",
        }
    }

    /// A source that takes a second and fails with every answer that `fails` names, from 1.
    fn live(lifetime: u64, fails: &'static [usize]) -> (Arc<Live>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let fetch: Fetch = Box::new(move |_| {
            let count = counted.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if fails.contains(&count) {
                    return Err(SignInError::Unset("X"));
                }
                let value = HeaderValue::try_from(format!("Bearer token-{count}"));
                Ok(Granted {
                    material: Material::Bearer(value.unwrap()),
                    lifetime: Some(Duration::from_secs(lifetime)),
                })
            })
        });
        let live = Live::new(
            called(),
            fetch,
            Shows::Token,
            SignInMetrics::default(),
            Tasks::default(),
        );
        (Arc::new(live), asked)
    }

    async fn token(live: &Arc<Live>) -> String {
        match &live.get().await.unwrap().material {
            Material::Bearer(value) => value.to_str().unwrap().to_owned(),
            Material::Aws(_) => unreachable!("the source gives tokens"),
        }
    }

    async fn storm(live: &Arc<Live>) -> Vec<Result<Arc<Grant>, SignInError>> {
        let tasks = Tasks::default();
        let asking = (0..1000).map(|_| {
            let live = live.clone();
            tasks.spawn(async move { live.get().await })
        });
        let asking: Vec<_> = asking.collect();
        let mut got = Vec::new();
        for one in asking {
            got.push(one.await.unwrap());
        }
        got
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_asks_once_and_all_get_the_same() {
        let (live, asked) = live(3600, &[]);
        let got = storm(&live).await;
        assert!(got.iter().all(Result::is_ok));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_everybodys_and_a_later_request_tries_again() {
        let (live, asked) = live(3600, &[1]);
        let got = storm(&live).await;
        assert!(got.iter().all(Result::is_err));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&live).await, "Bearer token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_renewal() {
        let (live, asked) = live(3600, &[]);
        assert_eq!(token(&live).await, "Bearer token-1");
        tokio::time::sleep(Duration::from_secs(3400)).await;
        let before = Instant::now();
        assert_eq!(token(&live).await, "Bearer token-1");
        assert_eq!(Instant::now(), before);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(token(&live).await, "Bearer token-2");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_goes_away_takes_nothing_from_the_others() {
        let (live, asked) = live(3600, &[]);
        let gone = tokio::time::timeout(Duration::from_millis(10), live.get()).await;
        assert!(gone.is_err());
        assert_eq!(token(&live).await, "Bearer token-1");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_hangs_has_failed() {
        let fetch: Fetch = Box::new(|_| Box::pin(std::future::pending()));
        let live = Live::new(
            called(),
            fetch,
            Shows::Token,
            SignInMetrics::default(),
            Tasks::default(),
        );
        let error = Arc::new(live).get().await.unwrap_err();
        assert_eq!(error, SignInError::Timeout(FETCH_TIMEOUT));
    }
}
