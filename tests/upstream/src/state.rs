//! The script and the record, shared by all connections.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::kept::Shelf;
use crate::{Director, Received, Step};

/// What the connections share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) director: Option<Director>,
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    script: VecDeque<Step>,
    default: Step,
    requests: Vec<Received>,
    shelf: Shelf,
    /// How many were forgotten by resets: numbers of requests go on, indices start again.
    forgotten: usize,
}

// === impl State ===

impl State {
    pub(crate) fn new(default: Step, director: Option<Director>) -> Self {
        Self {
            director,
            inner: Mutex::new(Inner {
                script: VecDeque::new(),
                default,
                requests: Vec::new(),
                shelf: Shelf::default(),
                forgotten: 0,
            }),
            changed: watch::Sender::new(()),
        }
    }

    pub(crate) fn set_script(&self, steps: Vec<Step>) {
        self.inner.lock().script = steps.into();
    }

    pub(crate) fn set_default(&self, step: Step) {
        self.inner.lock().default = step;
    }

    pub(crate) fn unused_steps(&self) -> usize {
        self.inner.lock().script.len()
    }

    /// Takes the next step; the default where the script is at its end.
    pub(crate) fn next_step(&self) -> Step {
        let mut inner = self.inner.lock();
        match inner.script.pop_front() {
            Some(step) => step,
            None => inner.default.clone(),
        }
    }

    /// Takes the next step where it is raw bytes: what is sent at paths whose format is not spoken.
    pub(crate) fn next_raw(&self) -> Option<Vec<u8>> {
        let script = &mut self.inner.lock().script;
        let Some(Step::Raw(bytes)) = script.front_mut() else {
            return None;
        };
        let bytes = std::mem::take(bytes);
        script.pop_front();
        Some(bytes)
    }

    /// What is kept behind ids.
    pub(crate) fn with_shelf<T>(&self, use_it: impl FnOnce(&mut Shelf) -> T) -> T {
        use_it(&mut self.inner.lock().shelf)
    }

    /// Forgets the script and the requests; the default and what is kept stay.
    pub(crate) fn reset(&self) {
        let mut inner = self.inner.lock();
        inner.script.clear();
        inner.forgotten += inner.requests.len();
        inner.requests.clear();
    }

    /// Takes a request down; its number counts on for as long as this upstream lives.
    pub(crate) fn record(&self, request: Received) -> usize {
        let mut inner = self.inner.lock();
        let number = inner.forgotten + inner.requests.len();
        inner.requests.push(request);
        drop(inner);
        self.changed.send_replace(());
        number
    }

    pub(crate) fn mark_answered(&self, number: usize) {
        self.mark(number, |request| {
            request.answered_at = Some(Instant::now());
        });
    }

    pub(crate) fn mark_cancelled(&self, number: usize) {
        self.mark(number, |request| {
            request.cancelled_at = Some(Instant::now());
        });
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.inner.lock().requests.clone()
    }

    /// Notified at each change of the record.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn mark(&self, number: usize, change: impl FnOnce(&mut Received)) {
        let mut inner = self.inner.lock();
        // One that a reset has forgotten has no record any more.
        if let Some(index) = number.checked_sub(inner.forgotten)
            && let Some(request) = inner.requests.get_mut(index)
        {
            change(request);
        }
        drop(inner);
        self.changed.send_replace(());
    }
}
