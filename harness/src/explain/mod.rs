//! What an anomaly or a consistency model is: in words, with an example that the checker judges as
//! it says, and with its literature.

mod anomalies;
mod example;
mod levels;
mod logs;
mod models;
mod transactions;
mod workloads;

pub use anomalies::{ANOMALIES, Anomaly};
pub use levels::LEVELS;
pub use logs::OF_LOGS;
pub use models::{MODELS, Model};
pub use transactions::OF_TRANSACTIONS;
pub use workloads::OF_WORKLOADS;

/// What there is to say of a word; nothing if it is not known.
pub fn explain(word: &str) -> Option<String> {
    let plain = |name: &str| name.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let is =
        |name: &str, also: &[&str]| name == word || also.iter().any(|also| plain(also) == word);
    let anomaly = anomalies().find(|one| is(&plain(one.name), one.also));
    let model = || models().find(|one| is(one.name, one.also));
    anomaly.map(Anomaly::text).or_else(|| model().map(Model::text))
}

/// All anomalies that are explained.
pub fn anomalies() -> impl Iterator<Item = &'static Anomaly> {
    ANOMALIES.iter().chain(OF_TRANSACTIONS).chain(OF_WORKLOADS).chain(OF_LOGS)
}

/// All models that are explained.
pub fn models() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().chain(LEVELS)
}

/// All words that are explained.
pub fn words() -> Vec<&'static str> {
    anomalies().map(|one| one.name).chain(models().map(|one| one.name)).collect()
}

/// Other names, in a line.
fn also_called(also: &[&str]) -> String {
    if also.is_empty() { String::new() } else { format!(" (also: {})", also.join(", ")) }
}

#[cfg(test)]
mod tests;
