//! Whether a run was recorded to its end.

use crate::history::{History, Phase, Process};

/// Whether the harness itself recorded the history: then it says in which phase it was, from the
/// first to the last.
pub(crate) fn is_recording(history: &History) -> bool {
    history.start_of(Phase::Provision).is_some()
}

/// Why the recording ended before its plan did, if it did: what it does not show says nothing.
pub(crate) fn cut_short(history: &History) -> Option<String> {
    let mut notes = history.notes().iter();
    if let Some(note) = notes.find(|note| note.process == Process::Harness && note.f == "stopped") {
        return Some(note.value.as_str().unwrap_or("stopped").to_owned());
    }
    (is_recording(history) && history.start_of(Phase::Collect).is_none())
        .then(|| "the recording ends before the run did".to_owned())
}
