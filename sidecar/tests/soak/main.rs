//! A hundred clients of every surface at once, in front of providers that fail at random: everybody gets their own answer or an
//! error in their own format, and what the sidecar held is given back.
//!
//! `SOAK_SECONDS` says for how long (default 10), `FKM_SEED` repeats the chance of a run, `SOAK_CLIENTS` how many (100). Each
//! request has a token, and the provider answers with a text that repeats it in every piece: what comes back must be the whole
//! text, or the beginning of it and an error. The readers of the formats are written by hand here.
//!
//! *Bounds*: after the run nothing is in flight and no body is held; when the providers have closed their idle connections, the
//! process has the file descriptors that it began with; its memory is at most [`GROWTH_MIB`] above what it was when a third of
//! the run was over.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test ends where it fails, and shows what it counted"
)]

mod client;
mod config;
mod faults;
mod frames;
mod judge;
mod mutations;
mod process;
mod provider;
mod surface;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fkm_upstream::{Options, Upstream};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::{Client, Patience, Reply};
use crate::judge::{Outcome, judge};
use crate::process::{Held, Sidecar};
use crate::provider::{Seen, director};
use crate::surface::{Question, Surface};
use crate::token::{Token, chance};

/// More than the noise of the allocator, far less than a leak of what a run asks would be.
const GROWTH_MIB: usize = 24;

/// What few requests need besides the files of an idle process.
const SPARE_FILES: usize = 4;

/// Violations that are shown.
const SHOWN: usize = 5;

/// How many exchanges can show a share.
const ENOUGH: usize = 40;

const IN_FLIGHT: &str = "fkm_requests_in_flight ";

struct Plan {
    seed: u64,
    clients: usize,
    run: Duration,
}

/// What the clients got.
#[derive(Debug, Default)]
struct Tally {
    outcomes: BTreeMap<(Surface, bool), BTreeMap<Outcome, usize>>,
    violations: Vec<String>,
}

// === impl Plan ===

impl Plan {
    #[expect(clippy::disallowed_methods, reason = "a test has no other settings")]
    fn read() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
        };
        Self {
            seed: number("FKM_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32)),
            clients: usize::try_from(number("SOAK_CLIENTS").unwrap_or(100)).unwrap(),
            run: Duration::from_secs(number("SOAK_SECONDS").unwrap_or(10)),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_their_own_answer_or_an_error_that_they_can_read() {
    let plan = Plan::read();
    eprintln!("FKM_SEED={} repeats this", plan.seed);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut upstreams = Vec::new();
    for _ in 0..3 {
        let options = Options {
            director: Some(director(plan.seed, seen.clone())),
            ..Options::default()
        };
        upstreams.push(Upstream::start_with(options).await.unwrap());
    }
    let addresses: Vec<_> = upstreams.iter().map(Upstream::address).collect();
    let folder = tempfile::tempdir().unwrap();
    let sidecar = Sidecar::start(folder.path(), &config::snapshot(&addresses));
    let fresh = sidecar.held();

    let (tally, warm) = soak(&plan, &sidecar).await;
    show(&tally, &seen.lock());
    assert!(tally.violations.is_empty(), "see above");
    assert!(seen.lock().violations.is_empty(), "see above");
    check_variety(&tally, plan.run);
    check_answered(&tally);

    given_back(&sidecar, &upstreams, fresh, warm).await;
    drained(sidecar).await;
}

/// All clients for the time of the run; what they got, and what the process held after a third of it.
async fn soak(plan: &Plan, sidecar: &Sidecar) -> (Tally, Held) {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let end = Instant::now() + plan.run;
    let mut clients = JoinSet::new();
    for number in 0..plan.clients {
        let client = Client::new(sidecar.llm);
        let rng = chance(plan.seed, &["client", &number.to_string()]);
        clients.spawn(one_client(number, client, rng, end, tally.clone()));
    }
    sleep(plan.run / 3).await;
    let warm = sidecar.held();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let tally = Arc::into_inner(tally).expect("every client has ended");
    (tally.into_inner(), warm)
}

async fn one_client(
    number: usize,
    mut client: Client,
    mut rng: fastrand::Rng,
    end: Instant,
    tally: Arc<Mutex<Tally>>,
) {
    for request in 0.. {
        if Instant::now() >= end {
            return;
        }
        let token = Token::new(&mut rng, number, request);
        let question = Question::draw(&mut rng, token);
        let patience = match rng.u8(..12) {
            0 => Patience::Bytes(rng.usize(1..4000)),
            1 => Patience::Time(Duration::from_millis(rng.u64(..300))),
            _ => Patience::Endless,
        };
        let reply = client
            .post(&question.path(), &question.body(), patience)
            .await;
        tally.lock().take(&question, reply);
    }
}

/// Every end is met on every surface that can have it: a run that shows less would show nothing.
fn check_variety(tally: &Tally, run: Duration) {
    if run < Duration::from_secs(8) {
        return;
    }
    for surface in Surface::ALL {
        for stream in [false, true] {
            if stream && !surface.converses() {
                continue;
            }
            let met = tally.outcomes.get(&(surface, stream));
            let mut wanted = vec![Outcome::Complete, Outcome::FailedOver];
            if stream {
                wanted.extend([Outcome::FailedInside, Outcome::GivenUp]);
            }
            for outcome in wanted {
                let count = met.and_then(|met| met.get(&outcome));
                assert!(
                    count.is_some(),
                    "{surface:?} {stream} never met {outcome:?}"
                );
            }
        }
    }
}

/// Of those who waited for the end, most have an answer: half of all, a third on each surface. Faults would leave two thirds.
fn check_answered(tally: &Tally) {
    let (mut every, mut answered) = (0, 0);
    for (kind, met) in &tally.outcomes {
        let count = |outcome| met.get(&outcome).copied().unwrap_or_default();
        let right = count(Outcome::Complete) + count(Outcome::FailedOver);
        let all = right + count(Outcome::Refused) + count(Outcome::FailedInside);
        assert!(
            all < ENOUGH || 3 * right >= all,
            "{kind:?}: {right} of {all} have an answer"
        );
        every += all;
        answered += right;
    }
    assert!(
        every < ENOUGH || 2 * answered >= every,
        "{answered} of {every} have an answer"
    );
}

/// What the run took is given back.
async fn given_back(sidecar: &Sidecar, upstreams: &[Upstream], fresh: Held, warm: Held) {
    for gauge in [
        IN_FLIGHT,
        "fkm_request_bodies_bytes ",
        "fkm_client_connections ",
    ] {
        sidecar.until(gauge, |value| value == 0.0).await;
    }
    // Idle connections are kept as long as the providers keep them.
    for upstream in upstreams {
        upstream.refuse().await;
        upstream.reopen().unwrap();
    }
    sidecar.until_files(fresh.files + SPARE_FILES).await;
    let settled = sidecar.held();
    eprintln!("held: fresh {fresh:?}, warm {warm:?}, at the end {settled:?}");
    assert!(
        settled.memory_mib <= warm.memory_mib + GROWTH_MIB,
        "from {warm:?} to {settled:?}"
    );
}

/// What runs when the process is told to end comes to its end.
async fn drained(sidecar: Sidecar) {
    let mut clients = JoinSet::new();
    let mut rng = fastrand::Rng::with_seed(0);
    let streams = Surface::ALL.into_iter().filter(|one| one.converses());
    let expected = streams.clone().count();
    for (number, surface) in streams.enumerate() {
        let question = Question {
            surface,
            stream: true,
            ..Question::draw(&mut rng, Token::calm(number))
        };
        let question = Question {
            model: "m-openai",
            ..question
        };
        let mut client = Client::new(sidecar.llm);
        clients.spawn(async move {
            let (path, body) = (question.path(), question.body());
            let reply = client.post(&path, &body, Patience::Endless).await;
            (judge(&question, reply.as_ref().unwrap()), reply)
        });
    }
    #[expect(clippy::cast_precision_loss, reason = "a few streams")]
    sidecar
        .until(IN_FLIGHT, |value| value >= expected as f64)
        .await;
    sidecar.terminate();
    while let Some(ended) = clients.join_next().await {
        let (outcome, reply) = ended.unwrap();
        assert_eq!(outcome, Ok(Outcome::Complete), "{reply:?}");
    }
    let (code, bad_lines) = sidecar.ended().await;
    assert_eq!((code, bad_lines), (Some(0), Vec::new()));
}

/// The table of what was counted.
fn show(tally: &Tally, seen: &Seen) {
    use Outcome::{Complete, FailedInside, FailedOver, GivenUp, Refused};
    let columns = [Complete, FailedOver, Refused, FailedInside, GivenUp];
    eprint!("{:22}", "");
    for outcome in columns {
        eprint!("{:>13}", format!("{outcome:?}"));
    }
    let mut sums = [0; 5];
    for ((surface, stream), met) in &tally.outcomes {
        let kind = if *stream { "stream" } else { "whole" };
        eprint!("\n{:22}", format!("{surface:?} {kind}"));
        for (outcome, sum) in columns.iter().zip(&mut sums) {
            let count = met.get(outcome).copied().unwrap_or_default();
            *sum += count;
            eprint!("{count:>13}");
        }
    }
    eprint!("\n{:22}", "all");
    for sum in sums {
        eprint!("{sum:>13}");
    }
    eprintln!("\n{} exchanges", sums.iter().sum::<usize>());
    eprintln!("what providers did: {:?}", seen.faults);
    let violations = tally.violations.iter().chain(&seen.violations);
    eprintln!("{} violations", violations.clone().count());
    for violation in violations.take(SHOWN) {
        eprintln!("VIOLATION {violation}");
    }
}

// === impl Tally ===

impl Tally {
    fn take(&mut self, question: &Question, reply: Result<Reply, String>) {
        let judged = match &reply {
            Ok(reply) => judge(question, reply),
            Err(error) => Err(error.clone()),
        };
        match judged {
            Ok(outcome) => {
                let key = (question.surface, question.stream);
                let met = self.outcomes.entry(key).or_default();
                *met.entry(outcome).or_default() += 1;
            }
            Err(problem) => {
                let reply = reply.map(|reply| {
                    let body = String::from_utf8_lossy(&reply.body).into_owned();
                    (reply.status, reply.headers, body, reply.ended)
                });
                let violation = format!("{problem}\n  {question:?}\n  {reply:?}");
                self.violations.push(violation);
            }
        }
    }
}
