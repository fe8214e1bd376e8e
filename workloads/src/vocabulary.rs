//! The alphabet of an abstract object: its calls, and what they return.

use std::fmt::Debug;

use serde_json::Value;

/// Calls and returns of one kind of object, and how they are written in a history.
///
/// Client authors see the typed calls; the interpreter, the recorder and the files see `f`, `key`
/// and `value`. A decoding error can happen at this one door only.
pub trait Vocabulary: 'static {
    /// Name in kebab case, as in a history's header.
    const NAME: &'static str;
    /// A typed call.
    type Call: Clone + Debug + Send + Sync;
    /// What a successful call returns.
    type Ret: Debug + Send;

    /// Reads a call from what stands in an invocation.
    fn decode(f: &str, key: Option<&str>, value: &Value) -> Result<Self::Call, Malformed>;

    /// The value that the completion of `call` carries.
    fn encode(call: &Self::Call, ret: Self::Ret) -> Value;
}

/// An invocation that is not of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What was found.
    pub found: String,
    /// What would have been right.
    pub expected: &'static str,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for Malformed {}
