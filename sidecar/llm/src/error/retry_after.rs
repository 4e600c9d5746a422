//! When a provider wants to be asked again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// A provider's wish, as it said it: the clock comes in with [`RetryAfter::delay_at`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so long.
    In(Duration),
    /// Not before.
    At(SystemTime),
}

/// No provider is believed beyond a day.
const MAX: Duration = Duration::from_hours(24);

// === impl RetryAfter ===

impl RetryAfter {
    /// From `retry-after-ms`, then `retry-after` (seconds, fractions allowed, or an HTTP date).
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(delay) = value("retry-after-ms").and_then(|text| number(text, 0.001)) {
            return Some(Self::In(delay));
        }
        let text = value("retry-after")?;
        match number(text, 1.0) {
            Some(delay) => Some(Self::In(delay)),
            None => httpdate::parse_http_date(text.trim()).ok().map(Self::At),
        }
    }

    /// How long to wait, seen from `now`; at most a day, and nothing for a moment that has passed.
    pub fn delay_at(self, now: SystemTime) -> Duration {
        match self {
            Self::In(delay) => delay.min(MAX),
            Self::At(moment) => moment.duration_since(now).unwrap_or_default().min(MAX),
        }
    }
}

fn number(text: &str, unit: f64) -> Option<Duration> {
    let value: f64 = text.trim().parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    Duration::try_from_secs_f64((value * unit).max(0.0))
        .ok()
        .map(|delay| delay.min(MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn milliseconds_win_over_seconds() {
        let found = RetryAfter::from_headers(&headers(&[
            ("retry-after", "9"),
            ("retry-after-ms", "1500"),
        ]));
        assert_eq!(found, Some(RetryAfter::In(Duration::from_millis(1500))));
    }

    #[test]
    fn a_date_is_seen_from_now() {
        let found = RetryAfter::from_headers(&headers(&[(
            "retry-after",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        )]))
        .unwrap();
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(found, RetryAfter::At(moment));
        assert_eq!(
            found.delay_at(moment - Duration::from_secs(7)),
            Duration::from_secs(7)
        );
        assert_eq!(
            found.delay_at(moment + Duration::from_secs(7)),
            Duration::ZERO
        );
    }

    #[test]
    fn nonsense_is_no_wish_and_nobody_waits_for_ever() {
        for text in ["", "soon", "NaN", "inf"] {
            assert_eq!(
                RetryAfter::from_headers(&headers(&[("retry-after", text)])),
                None,
                "{text}"
            );
        }
        let forever = RetryAfter::from_headers(&headers(&[("retry-after", "1e18")])).unwrap();
        assert_eq!(forever.delay_at(SystemTime::UNIX_EPOCH), MAX);
        let negative = RetryAfter::from_headers(&headers(&[("retry-after", "-3")])).unwrap();
        assert_eq!(negative.delay_at(SystemTime::UNIX_EPOCH), Duration::ZERO);
    }
}
