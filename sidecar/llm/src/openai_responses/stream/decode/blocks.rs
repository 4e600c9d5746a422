//! The blocks of an answer, numbered as they begin.

use crate::fold::unfold_part;
use crate::ir::{BlockStart, Delta, Event, OutputPart};

/// Numbers blocks.
#[derive(Default)]
pub(super) struct Blocks {
    next: u32,
}

// === impl Blocks ===

impl Blocks {
    pub(super) fn begin(&mut self, start: BlockStart, out: &mut Vec<Event>) -> u32 {
        let block = self.next;
        self.next += 1;
        out.push(Event::BlockStart {
            choice: 0,
            block,
            start,
        });
        block
    }

    /// A part that is there as a whole.
    pub(super) fn whole(&mut self, part: &OutputPart, out: &mut Vec<Event>) {
        unfold_part(part, 0, self.next, out);
        self.next += 1;
    }
}

pub(super) fn add(block: u32, delta: Delta, out: &mut Vec<Event>) {
    out.push(Event::Delta {
        choice: 0,
        block,
        delta,
    });
}

pub(super) fn stop(block: u32, out: &mut Vec<Event>) {
    out.push(Event::BlockStop { choice: 0, block });
}
