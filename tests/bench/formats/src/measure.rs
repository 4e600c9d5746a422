//! How long a piece of work takes, and how often it allocates.

use std::hint::black_box;
use std::time::Duration;

use serde::Serialize;

/// What one run of a piece of work costs.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    /// The best of several samples.
    pub(crate) nanoseconds: f64,
    pub(crate) allocations: f64,
}

/// Each sample runs for about so long.
const SAMPLE: Duration = Duration::from_millis(20);

/// Runs `work` for `samples` samples; it is divided by `per` (for example the number of its events).
#[expect(
    clippy::cast_precision_loss,
    reason = "times and counts of a bench are small"
)]
pub(crate) fn measure<T>(samples: usize, per: usize, mut work: impl FnMut() -> T) -> Cost {
    let started = Stopwatch::start();
    black_box(work());
    let once = started.elapsed().max(Duration::from_nanos(50));
    let rounds = (SAMPLE.as_nanos() / once.as_nanos()).clamp(1, 1_000_000);
    let best = (0..samples)
        .map(|_| {
            let started = Stopwatch::start();
            for _ in 0..rounds {
                black_box(work());
            }
            started.elapsed().as_nanos() as f64 / rounds as f64
        })
        .fold(f64::INFINITY, f64::min);
    let counted = allocation_counter::measure(|| {
        black_box(work());
    });
    Cost {
        nanoseconds: best / per as f64,
        allocations: counted.count_total as f64 / per as f64,
    }
}

/// Real time: there is no runtime here that could pause it.
#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
struct Stopwatch(std::time::Instant);

// === impl Stopwatch ===

#[expect(clippy::disallowed_types, reason = "a bench measures real time")]
impl Stopwatch {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
