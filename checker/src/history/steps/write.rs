//! Writes steps as their parts come.

use serde_json::Value;

use super::{Action, LIST, Steps, atom};

/// A row of steps that is being written: for each its action, its key and its value.
#[derive(Default)]
pub(in crate::history) struct Writer {
    bytes: Vec<u8>,
    /// For the head of a list, whose length is known at its end.
    head: Vec<u8>,
}

impl Writer {
    pub fn step(&mut self, action: Action) {
        self.bytes.push(action as u8);
    }

    pub fn natural(&mut self, number: u64) {
        atom::push_natural(number, &mut self.bytes);
    }

    pub fn null(&mut self) {
        atom::push_null(&mut self.bytes);
    }

    pub fn text(&mut self, text: &str) {
        atom::push_text(text, &mut self.bytes);
    }

    pub fn atom(&mut self, value: &Value) {
        atom::push(value, &mut self.bytes);
    }

    /// Begins a list and returns where, for its end.
    #[must_use]
    pub fn begin_list(&mut self) -> usize {
        self.bytes.len()
    }

    /// Ends a list of so many atoms.
    pub fn end_list(&mut self, begun: usize, count: u32) {
        self.head.clear();
        self.head.push(LIST);
        atom::push_natural(u64::from(count), &mut self.head);
        atom::push_natural((self.bytes.len() - begun) as u64, &mut self.head);
        self.bytes.extend_from_slice(&self.head);
        self.bytes[begun..].rotate_right(self.head.len());
    }

    /// Whether there is no step yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The steps; `None` if there are none.
    pub fn finish(&mut self) -> Option<Steps> {
        let steps = (!self.bytes.is_empty()).then(|| Steps(self.bytes.as_slice().into()));
        self.bytes.clear();
        steps
    }
}
