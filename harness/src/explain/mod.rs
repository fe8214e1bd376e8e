//! What an anomaly or a consistency model is: in words, with an example that the checker judges as
//! it says, and with its literature.

mod anomalies;
mod example;
mod models;

pub use anomalies::{ANOMALIES, Anomaly};
pub use models::{MODELS, Model};

/// What there is to say of a word; nothing if it is not known.
pub fn explain(word: &str) -> Option<String> {
    let plain = |name: &str| name.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let is =
        |name: &str, also: &[&str]| name == word || also.iter().any(|also| plain(also) == word);
    let anomaly = ANOMALIES.iter().find(|one| is(one.name, one.also));
    let model = || MODELS.iter().find(|one| is(one.name, one.also));
    anomaly.map(Anomaly::text).or_else(|| model().map(Model::text))
}

/// All words that are explained.
pub fn words() -> Vec<&'static str> {
    let anomalies = ANOMALIES.iter().map(|one| one.name);
    anomalies.chain(MODELS.iter().map(|one| one.name)).collect()
}

/// Other names, in a line.
fn also_called(also: &[&str]) -> String {
    if also.is_empty() { String::new() } else { format!(" (also: {})", also.join(", ")) }
}

#[cfg(test)]
mod tests;
