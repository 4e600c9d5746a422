//! The life of a token: when it is used, renewed, waited for and given up. Pure; the clock is an argument.

use std::sync::Arc;
use std::time::Duration;

use fkm_llm::Redactor;
use tokio::time::Instant;

use super::error::SignInError;
use super::token::{Granted, Material};

/// A token is renewed when this much of its life is left, or a quarter of it where that is less.
const AHEAD: Duration = Duration::from_mins(5);

/// A token is not used any more when this much of its life is left, or a tenth of it where that is less: it must still be
/// good when it arrives, by the provider's clock.
const MARGIN: Duration = Duration::from_secs(30);

/// Pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A token that replaced a refused one is not thrown away for so long: the refusal has another cause then, such as a role
/// without the right, and asking again and again would not mend it.
const RESPITE: Duration = Duration::from_secs(10);

/// A token, as requests hold it.
#[derive(Debug)]
pub(crate) struct Grant {
    /// Counts the tokens of one credential.
    number: u64,
    pub(crate) material: Material,
    pub(crate) redactors: Vec<Redactor>,
}

/// Where a credential's token stands.
#[derive(Debug, Default)]
pub(crate) struct Life {
    state: State,
    /// Tokens so far.
    count: u64,
    /// The one before, which requests may still be under way with.
    previous: Option<Arc<Grant>>,
    /// When a refused one was thrown away.
    thrown_away: Option<Instant>,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody has asked yet.
    #[default]
    Empty,
    /// Asked for; requests wait.
    Awaited { failures: u32 },
    /// Good.
    Held(Held),
    /// Good, and another one is asked for.
    Renewing(Held),
    /// Not to be had; asked for again after a pause.
    Failed {
        until: Instant,
        failures: u32,
        error: SignInError,
    },
}

#[derive(Clone, Debug)]
struct Held {
    grant: Arc<Grant>,
    /// `None`: for ever.
    times: Option<Times>,
    /// Renewals that failed.
    failures: u32,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    renew: Instant,
    end: Instant,
}

/// What a request does.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Uses this.
    Use(Arc<Grant>),
    /// Uses this, and has another one fetched.
    UseAndFetch(Arc<Grant>),
    /// Has one fetched, and waits.
    Fetch,
    /// Waits for one that is being fetched.
    Wait,
    /// Fails.
    Fail(SignInError),
}

// === impl Life ===

impl Life {
    /// What a request at `now` does.
    pub(crate) fn ask_at(&mut self, now: Instant) -> Ask {
        let (state, ask) = match std::mem::take(&mut self.state) {
            State::Held(held) if held.is_due_at(now) && held.is_good_at(now) => {
                let grant = held.grant.clone();
                (State::Renewing(held), Ask::UseAndFetch(grant))
            }
            State::Held(held) if held.is_good_at(now) => {
                let grant = held.grant.clone();
                (State::Held(held), Ask::Use(grant))
            }
            State::Renewing(held) if held.is_good_at(now) => {
                let grant = held.grant.clone();
                (State::Renewing(held), Ask::Use(grant))
            }
            State::Renewing(held) => {
                let failures = held.failures;
                (State::Awaited { failures }, Ask::Wait)
            }
            State::Awaited { failures } => (State::Awaited { failures }, Ask::Wait),
            State::Failed {
                until,
                failures,
                error,
            } if now < until => {
                let ask = Ask::Fail(error.clone());
                let state = State::Failed {
                    until,
                    failures,
                    error,
                };
                (state, ask)
            }
            State::Failed { failures, .. } => (State::Awaited { failures }, Ask::Fetch),
            State::Empty | State::Held(_) => (State::Awaited { failures: 0 }, Ask::Fetch),
        };
        self.state = state;
        ask
    }

    /// What was fetched, asked for at `asked`, has come at `now`.
    pub(crate) fn fetched_at(
        &mut self,
        asked: Instant,
        now: Instant,
        fetched: Result<Granted, SignInError>,
    ) {
        let state = std::mem::take(&mut self.state);
        self.state = match (fetched, state) {
            (Ok(granted), state) => {
                self.previous = state.into_grant().or_else(|| self.previous.take());
                self.count += 1;
                State::Held(Held::new(granted, self.count, asked))
            }
            (Err(_), State::Renewing(mut held)) if held.is_good_at(now) => {
                held.failures += 1;
                if let Some(times) = &mut held.times {
                    times.renew = now + pause(held.failures);
                }
                State::Held(held)
            }
            (Err(error), state) => {
                let failures = state.failures() + 1;
                State::Failed {
                    until: now + pause(failures),
                    failures,
                    error,
                }
            }
        };
    }

    /// The provider has refused `grant`. `true`: another one is at hand or worth asking for.
    pub(crate) fn refused_at(&mut self, grant: &Grant, now: Instant) -> bool {
        let held = match &self.state {
            State::Held(held) | State::Renewing(held) => held,
            State::Awaited { .. } => return true,
            State::Empty | State::Failed { .. } => return false,
        };
        if held.grant.number != grant.number {
            return true;
        }
        // of what never ends there is no other
        if held.times.is_none() {
            return false;
        }
        if self
            .thrown_away
            .is_some_and(|then| now.duration_since(then) < RESPITE)
        {
            return false;
        }
        self.thrown_away = Some(now);
        let state = std::mem::take(&mut self.state);
        // one that is under way already will do
        let awaited = matches!(state, State::Renewing(_));
        self.previous = state.into_grant();
        if awaited {
            self.state = State::Awaited { failures: 0 };
        }
        true
    }

    /// What requests may have shown lately.
    pub(crate) fn recent(&self) -> impl Iterator<Item = &Arc<Grant>> {
        let current = match &self.state {
            State::Held(held) | State::Renewing(held) => Some(&held.grant),
            _ => None,
        };
        current.into_iter().chain(&self.previous)
    }
}

// === impl State ===

impl State {
    fn into_grant(self) -> Option<Arc<Grant>> {
        match self {
            Self::Held(held) | Self::Renewing(held) => Some(held.grant),
            _ => None,
        }
    }

    fn failures(&self) -> u32 {
        match self {
            Self::Awaited { failures } | Self::Failed { failures, .. } => *failures,
            Self::Held(held) | Self::Renewing(held) => held.failures,
            Self::Empty => 0,
        }
    }
}

// === impl Held ===

impl Held {
    fn new(granted: Granted, number: u64, asked: Instant) -> Self {
        let times = granted.lifetime.map(|life| Times {
            renew: asked + life.saturating_sub(AHEAD.min(life / 4)),
            end: asked + life.saturating_sub(MARGIN.min(life / 10)),
        });
        let redactors = granted.material.redactors();
        let grant = Arc::new(Grant {
            number,
            material: granted.material,
            redactors,
        });
        Self {
            grant,
            times,
            failures: 0,
        }
    }

    fn is_good_at(&self, now: Instant) -> bool {
        self.times.is_none_or(|times| now < times.end)
    }

    fn is_due_at(&self, now: Instant) -> bool {
        self.times.is_some_and(|times| now >= times.renew)
    }
}

/// How long to wait after so many failures.
fn pause(failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
