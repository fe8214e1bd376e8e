//! What went wrong with a statement, and what that means, by SQLSTATE (ISO 9075; PostgreSQL's manual,
//! appendix A, "PostgreSQL Error Codes", has those of its own).
//!
//! Until a commit was asked for nothing has happened, whatever went wrong: a transaction whose
//! connection ends is rolled back. After that only a server that says it rolled back is believed.

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::OpError;

/// A statement that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The server's SQLSTATE, or nothing if it did not answer. Where a server has only a general one
    /// for something, its driver says the one that is meant.
    pub state: Option<String>,
    /// In words.
    pub text: String,
}

impl Problem {
    /// A connection that is of no use any more.
    pub fn broken(text: &impl ToString) -> Problem {
        Problem { state: None, text: text.to_string() }
    }

    /// What it means while nothing has been committed.
    pub fn before_commit(self) -> OpError {
        OpError::fail(self.kind(), self.in_words())
    }

    /// What it means as the answer to a commit.
    pub fn at_commit(self) -> OpError {
        let state = self.state.as_deref().unwrap_or_default();
        // Class 40 is that of roll-backs, but for one whose outcome is not known; class 23 that of
        // broken rules.
        if (state.starts_with("40") && state != "40003") || state.starts_with("23") {
            return self.before_commit();
        }
        OpError::info(self.kind(), self.in_words())
    }

    /// It missed a table.
    pub fn is_missing_table(&self) -> bool {
        matches!(self.state.as_deref(), Some("42P01" | "42S02"))
    }

    /// It was to make something that there is, or that somebody else is making.
    pub fn is_there_already(&self) -> bool {
        matches!(self.state.as_deref(), Some("42P07" | "42S01" | "23505" | "23000"))
    }

    fn kind(&self) -> ErrorKind {
        let Some(state) = self.state.as_deref() else { return ErrorKind::Connection };
        match state {
            // Somebody else was faster.
            "23505" | "23000" => ErrorKind::Mismatch,
            // Only reads here; it lost to another transaction, or waited for too long for one; too many
            // connections, and other resources that are used up.
            "25006" | "55P03" => ErrorKind::Refused,
            // An operator or a crash ended the connection, or the server is starting or ending.
            "57P01" | "57P02" | "57P03" => ErrorKind::Refused,
            _ if ["40", "53"].iter().any(|class| state.starts_with(class)) => ErrorKind::Refused,
            _ if state.starts_with("08") => ErrorKind::Connection,
            _ => ErrorKind::Other,
        }
    }

    fn in_words(&self) -> String {
        match &self.state {
            Some(state) => format!("{state}: {}", self.text),
            None => self.text.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_meaning_before_a_commit_and_at_it() {
        let word = |error: OpError| match error {
            OpError::Fail(error) => format!("fail {:?}", error.kind),
            OpError::Info(error) => format!("info {:?}", error.kind),
        };
        let check = |state: &str, before: &str, at: &str| {
            let state = (!state.is_empty()).then(|| state.to_owned());
            let problem = Problem { state, text: "why".to_owned() };
            assert_eq!(word(problem.clone().before_commit()), before, "{problem:?}");
            assert_eq!(word(problem.clone().at_commit()), at, "{problem:?}");
        };
        check("40001", "fail Refused", "fail Refused");
        check("40P01", "fail Refused", "fail Refused");
        // The server says that it does not know.
        check("40003", "fail Refused", "info Refused");
        check("23505", "fail Mismatch", "fail Mismatch");
        check("25006", "fail Refused", "info Refused");
        check("53300", "fail Refused", "info Refused");
        // Ended while it waited for a standby: what it had written is there.
        check("57P01", "fail Refused", "info Refused");
        check("42501", "fail Other", "info Other");
        check("08006", "fail Connection", "info Connection");
        check("", "fail Connection", "info Connection");
    }
}
