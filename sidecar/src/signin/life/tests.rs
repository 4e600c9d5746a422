//! The life of a token, moment by moment.

use http::HeaderValue;

use super::*;

fn granted(token: &'static str, seconds: u64) -> Granted {
    Granted {
        material: Material::Bearer(HeaderValue::from_static(token)),
        lifetime: Some(Duration::from_secs(seconds)),
    }
}

/// What is done, with the number of the token.
fn done(ask: &Ask) -> String {
    match ask {
        Ask::Use(grant) => format!("use {}", grant.number),
        Ask::UseAndFetch(grant) => format!("use {} and fetch", grant.number),
        Ask::Fetch => "fetch".to_owned(),
        Ask::Wait => "wait".to_owned(),
        Ask::Fail(error) => format!("fail: {error}"),
    }
}

/// A life and a clock that begins at 0.
struct Timed {
    life: Life,
    zero: Instant,
}

impl Timed {
    fn new() -> Self {
        Self {
            life: Life::default(),
            zero: Instant::now(),
        }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.zero + Duration::from_secs_f64(seconds)
    }

    fn ask(&mut self, seconds: f64) -> String {
        let at = self.at(seconds);
        done(&self.life.ask_at(at))
    }

    fn fetched(&mut self, seconds: f64, granted: Granted) {
        let at = self.at(seconds);
        self.life.fetched_at(at, at, Ok(granted));
    }

    fn failed(&mut self, seconds: f64) {
        let at = self.at(seconds);
        let error = Err(SignInError::Unset("X"));
        self.life.fetched_at(at, at, error);
    }

    fn current(&mut self, seconds: f64) -> Arc<Grant> {
        let at = self.at(seconds);
        match self.life.ask_at(at) {
            Ask::Use(grant) | Ask::UseAndFetch(grant) => grant,
            other => unreachable!("{other:?}"),
        }
    }

    fn refused(&mut self, grant: &Grant, seconds: f64) -> bool {
        let at = self.at(seconds);
        self.life.refused_at(grant, at)
    }
}

#[test]
fn one_request_fetches_and_the_others_wait() {
    let mut timed = Timed::new();
    assert_eq!(timed.ask(0.0), "fetch");
    for _ in 0..1000 {
        assert_eq!(timed.ask(0.1), "wait");
    }
    timed.fetched(0.2, granted("a", 3600));
    assert_eq!(timed.ask(0.3), "use 1");
}

#[test]
fn a_token_is_renewed_ahead_of_its_end_by_one_request() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    timed.fetched(0.0, granted("a", 3600));
    assert_eq!(timed.ask(3299.0), "use 1");
    assert_eq!(timed.ask(3300.0), "use 1 and fetch");
    assert_eq!(timed.ask(3301.0), "use 1");
    timed.fetched(3302.0, granted("b", 3600));
    assert_eq!(timed.ask(3303.0), "use 2");
    let recent: Vec<u64> = timed.life.recent().map(|grant| grant.number).collect();
    assert_eq!(recent, [2, 1]);
}

#[test]
fn short_lives_have_short_margins() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    timed.fetched(0.0, granted("a", 8));
    assert_eq!(timed.ask(5.9), "use 1");
    assert_eq!(timed.ask(6.0), "use 1 and fetch");
    assert_eq!(timed.ask(7.1), "use 1");
    assert_eq!(timed.ask(7.2), "wait");
    timed.fetched(7.3, granted("b", 8));
    assert_eq!(timed.ask(7.4), "use 2");
    // nobody asked in its last quarter
    assert_eq!(timed.ask(100.0), "fetch");
}

#[test]
fn a_failed_renewal_is_tried_again_and_the_old_token_used_to_its_end() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    timed.fetched(0.0, granted("a", 3600));
    assert_eq!(timed.ask(3300.0), "use 1 and fetch");
    timed.failed(3301.0);
    assert_eq!(timed.ask(3301.5), "use 1");
    assert_eq!(timed.ask(3302.0), "use 1 and fetch");
    timed.failed(3302.0);
    assert_eq!(timed.ask(3303.9), "use 1");
    assert_eq!(timed.ask(3304.0), "use 1 and fetch");
    assert_eq!(timed.ask(3570.0), "wait");
    timed.failed(3571.0);
    assert!(timed.ask(3571.1).starts_with("fail: X is neither"));
}

#[test]
fn failures_are_answered_at_once_and_tried_again_after_growing_pauses() {
    let mut timed = Timed::new();
    let mut now = 0.0;
    for pause in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
        assert_eq!(timed.ask(now), "fetch");
        timed.failed(now);
        assert!(timed.ask(now + pause - 0.1).starts_with("fail"), "{pause}");
        now += pause;
    }
    assert_eq!(timed.ask(now), "fetch");
    timed.fetched(now, granted("a", 60));
    assert_eq!(timed.ask(now + 1.0), "use 1");
}

#[test]
fn a_refused_token_is_replaced_once() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    timed.fetched(0.0, granted("a", 3600));
    let first = timed.current(1.0);
    assert!(timed.refused(&first, 2.0));
    assert_eq!(timed.ask(2.0), "fetch");
    assert!(timed.refused(&first, 2.1), "the new one is awaited");
    assert_eq!(timed.ask(2.1), "wait");
    timed.fetched(2.2, granted("b", 3600));
    assert!(timed.refused(&first, 2.3), "the new one is at hand");
    assert_eq!(timed.ask(2.3), "use 2");
    let second = timed.current(2.4);
    assert!(!timed.refused(&second, 2.5), "another would be refused too");
    assert_eq!(timed.ask(2.5), "use 2");
    assert!(timed.refused(&second, 12.0));
    assert_eq!(timed.ask(12.0), "fetch");
}

#[test]
fn a_token_that_is_refused_while_it_is_renewed_is_not_asked_for_twice() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    timed.fetched(0.0, granted("a", 3600));
    let first = timed.current(1.0);
    assert_eq!(timed.ask(3300.0), "use 1 and fetch");
    assert!(timed.refused(&first, 3300.1));
    assert_eq!(timed.ask(3300.2), "wait");
    timed.fetched(3300.3, granted("b", 3600));
    assert_eq!(timed.ask(3300.4), "use 2");
}

#[test]
fn keys_without_an_end_stay() {
    let mut timed = Timed::new();
    timed.ask(0.0);
    let granted = Granted {
        lifetime: None,
        ..granted("a", 1)
    };
    timed.fetched(0.0, granted);
    assert_eq!(timed.ask(1e9), "use 1");
    let only = timed.current(1e9);
    assert!(!timed.refused(&only, 1e9), "there is no other");
}
