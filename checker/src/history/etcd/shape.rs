//! The fields of the files, as far as they mean something here. Absent and null are the same.

use serde::{Deserialize, Deserializer};

/// A request with its answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recorded {
    #[serde(alias = "ClientID")]
    pub client_id: u64,
    pub input: Request,
    /// In nanoseconds of one clock.
    pub call: i64,
    pub output: Response,
    /// The same; far in the future, or nothing at all, where the fate is not known.
    #[serde(rename = "Return")]
    pub ends: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    #[serde(rename = "Type")]
    pub kind: String,
    pub range: Option<Range>,
    pub txn: Option<Txn>,
}

/// Reads a key, or those from `start` on before `end`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Range {
    pub start: String,
    #[serde(default)]
    pub end: String,
    /// Of the past, if not 0.
    #[serde(default)]
    pub revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Txn {
    #[serde(default, deserialize_with = "or_none")]
    pub conditions: Vec<Condition>,
    #[serde(default, deserialize_with = "or_none")]
    pub operations_on_success: Vec<Operation>,
    #[serde(default, deserialize_with = "or_none")]
    pub operations_on_failure: Vec<Operation>,
}

/// That a key was last changed at this revision (0: is not there), or changed so often, if not 0.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Condition {
    pub key: String,
    #[serde(default)]
    pub expected_revision: i64,
    #[serde(default)]
    pub expected_version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Operation {
    #[serde(rename = "Type")]
    pub kind: String,
    pub range: Option<Range>,
    pub put: Option<Put>,
    pub delete: Option<Delete>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Put {
    pub key: String,
    #[serde(default)]
    pub value: Value,
    #[serde(default, rename = "LeaseID")]
    pub lease_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Delete {
    pub key: String,
}

/// A text, or the hash of a long one.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Value {
    pub value: String,
    pub hash: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    pub txn: Option<TxnResponse>,
    pub range: Option<Found>,
    /// Why it was certainly not done; empty if it was.
    #[serde(default)]
    pub client_error: String,
    /// Why it is not known whether it was done; empty if it is.
    #[serde(default)]
    pub error: String,
    /// It was done, but the client was not answered.
    #[serde(default)]
    pub persisted: bool,
    /// That of the store when it was done.
    #[serde(default)]
    pub revision: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TxnResponse {
    #[serde(default)]
    pub failure: bool,
    #[serde(default, deserialize_with = "or_none")]
    pub results: Vec<Found>,
}

/// What a range has, or how many keys a deletion took away.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Found {
    #[serde(default, rename = "KVs", deserialize_with = "or_none")]
    pub pairs: Vec<Pair>,
    /// How many there are, shown or not.
    #[serde(default)]
    pub count: u64,
    #[serde(default)]
    pub deleted: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Pair {
    pub key: String,
    /// Empty where only keys were asked for.
    #[serde(default)]
    pub value: Value,
    #[serde(default)]
    pub mod_revision: i64,
}

fn or_none<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
