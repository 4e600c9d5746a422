//! Time as servers have it: signatures and assertions carry a moment, and a server whose clock is far from ours refuses
//! them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};

/// Clocks that are nearer than this are the same: servers allow some minutes.
const SAME: u64 = 60;

/// Our clock, set right by what servers that refused us say the time is.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// How many seconds the server is ahead of us.
    ahead: AtomicI64,
}

// === impl Clock ===

impl Clock {
    /// The server's time, as far as it is known.
    pub(crate) fn now(&self) -> SystemTime {
        shifted(SystemTime::now(), self.ahead.load(Ordering::Relaxed))
    }

    /// Takes the `Date` of an answer that refused us. `true`: the time is another now, and another try is worth it.
    pub(crate) fn learn(&self, headers: &HeaderMap) -> bool {
        let known = self.ahead.load(Ordering::Relaxed);
        let Some(ahead) = date(headers).and_then(|date| correction(SystemTime::now(), date, known))
        else {
            return false;
        };
        self.ahead.store(ahead, Ordering::Relaxed);
        true
    }
}

/// The moment at which an answer was made, as its server has it.
pub(crate) fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

/// How far the server is ahead, where that is another distance than the known one.
fn correction(ours: SystemTime, theirs: SystemTime, known: i64) -> Option<i64> {
    let ahead = seconds(theirs).checked_sub(seconds(ours))?;
    (ahead.abs_diff(known) > SAME).then_some(ahead)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let by = Duration::from_secs(seconds.unsigned_abs());
    let shifted = match seconds < 0 {
        true => time.checked_sub(by),
        false => time.checked_add(by),
    };
    shifted.unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_corrected_once_and_only_when_it_is_far_off() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(correction(at(1000), at(1060), 0), None);
        assert_eq!(correction(at(1000), at(4600), 0), Some(3600));
        assert_eq!(correction(at(4600), at(1000), 0), Some(-3600));
        assert_eq!(correction(at(1000), at(4600), 3590), None);
        assert_eq!(shifted(at(1000), 3600), at(4600));
        assert_eq!(shifted(at(4600), -3600), at(1000));
    }

    #[test]
    fn the_date_of_a_refusal_is_taken() {
        let clock = Clock::default();
        let mut headers = HeaderMap::new();
        assert!(!clock.learn(&headers));
        let theirs = SystemTime::now() + Duration::from_hours(2);
        let text = httpdate::fmt_http_date(theirs);
        headers.insert(header::DATE, text.parse().unwrap());
        assert!(clock.learn(&headers));
        assert!(!clock.learn(&headers), "it is known by now");
        let off = clock.now().duration_since(theirs);
        assert!(off.unwrap_or_else(|error| error.duration()) < Duration::from_secs(5));
    }
}
