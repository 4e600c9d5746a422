//! Waits for a burst of changes to be over, but not for ever.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// When a burst counts as over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Debounce {
    /// No change for so long.
    pub(crate) quiet: Duration,
    /// Or so long after the first change, even when they go on.
    pub(crate) most: Duration,
}

/// The share of the 1 s within which a change is to be live that may go into waiting for more.
pub(crate) const DEBOUNCE: Debounce = Debounce {
    quiet: Duration::from_millis(50),
    most: Duration::from_millis(250),
};

// === impl Debounce ===

impl Debounce {
    /// Returns after the next burst. `false`: nobody is left who could change anything.
    pub(crate) async fn next<T>(self, changes: &mut watch::Receiver<T>) -> bool {
        if changes.changed().await.is_err() {
            return false;
        }
        let deadline = Instant::now() + self.most;
        loop {
            let quiet = (Instant::now() + self.quiet).min(deadline);
            match timeout_at(quiet, changes.changed()).await {
                Ok(Ok(())) if Instant::now() < deadline => {}
                Ok(Err(_)) => return false,
                Ok(Ok(())) | Err(_) => return true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    async fn elapsed(pauses: &[u64]) -> u128 {
        let changes = watch::Sender::new(());
        let mut receiver = changes.subscribe();
        let start = Instant::now();
        let burst = async {
            for pause in pauses {
                sleep(Duration::from_millis(*pause)).await;
                changes.send_replace(());
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            more = DEBOUNCE.next(&mut receiver) => assert!(more),
            () = burst => {}
        }
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn one_change_waits_for_quiet() {
        assert_eq!(elapsed(&[0]).await, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one() {
        assert_eq!(elapsed(&[0, 40, 40, 400]).await, 130);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_without_end_do_not_starve() {
        assert_eq!(
            elapsed(&[0, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30]).await,
            250
        );
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_the_last_sender() {
        let mut receiver = watch::Sender::new(()).subscribe();
        assert!(!DEBOUNCE.next(&mut receiver).await);
    }
}
