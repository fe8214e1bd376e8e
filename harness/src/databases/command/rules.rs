//! The rules for a client in another language, each tried on the program itself: against a system that
//! runs, and against servers of our own that are not there or hang up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use splitbrain_checker::history::{ErrorKind, Kind};
use splitbrain_workloads::generator::{Context, Generator, Next};
use splitbrain_workloads::objects::Settings;
use splitbrain_workloads::{Completion, ErasedClient, Invocation, Load, Workload};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::connection::{CommandClient, Running};
use crate::cli::Exit;
use crate::report::{Question, judge_file};

/// How long an operation may take, and the end of a client.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server of ours listens after it has last heard something, before it hangs up.
const SILENCE: Duration = Duration::from_millis(300);
/// So many operations of a workload are made one after another.
const OPERATIONS: usize = 60;

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Kept,
    /// It does not, and why.
    Broken(String),
    /// It could not be tried, and why.
    Open(String),
}

/// A rule in words, and what became of it.
pub type Finding = (&'static str, Outcome);

/// The client under test.
struct Trial<'a> {
    client: Arc<[String]>,
    url: &'a str,
    prefix: String,
}

/// Tries every rule on the program of `client`, with the system that runs at `url`, in an object of
/// the workload. To be called inside of a runtime, and where companions can be started.
///
/// # Errors
/// There is no such program.
pub async fn try_all(client: &str, url: &str, workload: &Workload) -> Result<Vec<Finding>, String> {
    let prefix = format!("splitbrain-client-test-{}-", std::process::id());
    let trial = Trial { client: super::client(client)?, url, prefix };
    let settings = Settings { keys: Some(3), ops_per_key: Some(20), ..Settings::default() };
    let mut load = (workload.load)(&settings);
    let operations = drawn(&mut *load);
    let write = operations.iter().find(|operation| !operation.value.is_null());
    let write = write.or(operations.first()).ok_or("the workload has no operations")?;
    let (hung_up, once) = trial.hung_up(write).await;
    Ok(vec![
        ("every operation is answered, in a line of JSON with its id", trial.answers(write).await),
        (
            "what it does alone is what the system says it did",
            trial.alone(&*load, &operations).await,
        ),
        ("an operation that it does not know is fail", trial.unknown().await),
        ("where nobody listens, nothing is ok", trial.nobody_there(write).await),
        ("what was sent and not answered is info, since it may have happened", hung_up),
        ("what was sent and not answered is not sent again", once),
        ("it ends when its input does", trial.ends().await),
    ])
}

/// The first operations of a workload.
pub fn drawn(load: &mut dyn Load) -> Vec<Invocation> {
    let (mut generator, mut ctx) = (load.main(), Context::new(1, 0, 1));
    let next = || match generator.next(&mut ctx) {
        Next::Invoke(invocation) => Some(invocation),
        Next::Pending(_) | Next::Done => None,
    };
    std::iter::from_fn(next).take(OPERATIONS).collect()
}

impl Trial<'_> {
    fn client_of(&self, url: &str) -> CommandClient {
        CommandClient::new(self.client.clone(), url.to_owned(), self.prefix.clone())
    }

    async fn answers(&self, write: &Invocation) -> Outcome {
        match ask(&mut self.client_of(self.url), write).await {
            Some(Completion { kind: Kind::Ok, .. }) => Outcome::Kept,
            Some(other) => Outcome::Broken(told(&other)),
            None => Outcome::Broken(format!("no answer within {PATIENCE:?}")),
        }
    }

    async fn alone(&self, load: &dyn Load, operations: &[Invocation]) -> Outcome {
        // Other keys than those that the rules before have written to.
        let prefix = format!("{}alone-", self.prefix);
        let client = CommandClient::new(self.client.clone(), self.url.to_owned(), prefix);
        let mut client = client.filled(&load.initial());
        alone(&mut client, load, operations).await
    }

    async fn unknown(&self) -> Outcome {
        let strange = Invocation::new("splitbrain-no-such-operation", "k", 1);
        match ask(&mut self.client_of(self.url), &strange).await {
            Some(Completion { kind: Kind::Fail, .. }) => Outcome::Kept,
            Some(other) => Outcome::Broken(told(&other)),
            None => Outcome::Broken(format!("no answer within {PATIENCE:?}")),
        }
    }

    async fn nobody_there(&self, write: &Invocation) -> Outcome {
        let Ok(url) = TcpListener::bind("127.0.0.1:0").await.and_then(|l| at(&l)) else {
            return Outcome::Open("there is no port".to_owned());
        };
        // The listener is closed by now.
        match ask(&mut self.client_of(&url), write).await {
            Some(Completion { kind: Kind::Ok, .. }) => Outcome::Broken("it said ok".to_owned()),
            _ => Outcome::Kept,
        }
    }

    /// A server that hears the operation and says nothing to it.
    async fn hung_up(&self, write: &Invocation) -> (Outcome, Outcome) {
        let open = |why: &str| (Outcome::Open(why.to_owned()), Outcome::Open(why.to_owned()));
        let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else {
            return open("there is no port");
        };
        let Ok(url) = at(&listener) else { return open("there is no port") };
        let heard = Arc::new(AtomicUsize::new(0));
        let server = tokio::spawn(hang_up(listener, self.prefix.clone(), heard.clone()));
        let answer = ask(&mut self.client_of(&url), write).await;
        tokio::time::sleep(2 * SILENCE).await;
        server.abort();
        let heard = heard.load(Ordering::SeqCst);
        if heard == 0 {
            return open(
                "it sent nothing in which its key could be seen, so it did not get that far",
            );
        }
        let meaning = match &answer {
            Some(Completion { kind: Kind::Info, .. }) | None => Outcome::Kept,
            Some(other) => Outcome::Broken(format!("it said {}", told(other))),
        };
        let once = match heard {
            1 => Outcome::Kept,
            times => Outcome::Broken(format!("it sent it {times} times")),
        };
        (meaning, once)
    }

    async fn ends(&self) -> Outcome {
        match Running::start(&self.client, self.url, &Value::Null) {
            Err(error) => Outcome::Broken(error.to_string()),
            Ok(running) => match tokio::time::timeout(PATIENCE, running.hang_up()).await {
                Ok(Ok(_)) => Outcome::Kept,
                Ok(Err(error)) => Outcome::Open(error.to_string()),
                Err(_) => Outcome::Broken(format!("it goes on for more than {PATIENCE:?}")),
            },
        }
    }
}

/// Carries out the first operations of a workload one after another. Nobody else works on its objects, so
/// every answer must be that of the object alone.
pub async fn alone(
    client: &mut dyn ErasedClient,
    load: &dyn Load,
    operations: &[Invocation],
) -> Outcome {
    let mut lines = vec![json!({
        "splitbrain": 1, "vocabulary": load.model(), "initial": load.initial(),
        "unique_writes": load.unique_writes(), "nodes": ["n1"]
    })];
    for operation in operations {
        let line = |word: &str, value: &Value| {
            json!({ "process": 0, "type": word, "f": operation.f.to_string(),
                "key": operation.key, "value": value, "time": lines.len() * 1_000 })
        };
        let invoked = line("invoke", &operation.value);
        let Some(answer) = ask(client, operation).await else {
            return Outcome::Broken(format!("no answer within {PATIENCE:?}"));
        };
        let mismatch = answer.error.as_ref().is_some_and(|e| e.kind == ErrorKind::Mismatch);
        let completed = match answer.kind {
            Kind::Ok => line("ok", &answer.value),
            Kind::Fail if mismatch => {
                let mut completed = line("fail", &answer.value);
                completed["error"] = json!({ "kind": "mismatch" });
                completed
            }
            _ => {
                let asked = super::answer::request(0, operation, "");
                return Outcome::Broken(format!("{asked}: {}", told(&answer)));
            }
        };
        lines.extend([invoked, completed]);
    }
    judged(&lines).unwrap_or_else(|error| Outcome::Open(error.to_string()))
}

/// An answer, unless it takes too long.
async fn ask(client: &mut dyn ErasedClient, invocation: &Invocation) -> Option<Completion> {
    tokio::time::timeout(PATIENCE, client.invoke(invocation)).await.ok()
}

fn told(answer: &Completion) -> String {
    // Only our own words are made small: the text is the client's.
    let small = |word: &dyn std::fmt::Debug| format!("{word:?}").to_lowercase();
    let error =
        answer.error.as_ref().map(|error| format!(" ({}: {})", small(&error.kind), error.text));
    format!("{}{}", small(&answer.kind), error.unwrap_or_default())
}

fn at(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

/// Lets everybody in, hears what they say, and hangs up; counts connections on which a key of ours was
/// heard.
async fn hang_up(listener: TcpListener, prefix: String, heard: Arc<AtomicUsize>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let (prefix, heard) = (prefix.clone(), heard.clone());
        tokio::spawn(async move {
            let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(Ok(bytes @ 1..)) =
                tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await
            {
                said.extend_from_slice(&buffer[..bytes]);
            }
            let ours = said.windows(prefix.len()).any(|window| window == prefix.as_bytes());
            heard.fetch_add(usize::from(ours), Ordering::SeqCst);
        });
    }
}

fn judged(lines: &[Value]) -> anyhow::Result<Outcome> {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile()?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(file.path(), text)?;
    let (_, judged) = judge_file(file.path(), &Question::default())?;
    let verdict: Value = serde_json::from_str(&judged.json())?;
    Ok(match judged.exit() {
        Exit::Valid => Outcome::Kept,
        Exit::Invalid => {
            let violation = &verdict["violations"][0];
            Outcome::Broken(format!("{}: {}", violation["name"], violation["because"][0]))
        }
        _ => Outcome::Open(verdict["reason"].to_string()),
    })
}

#[cfg(test)]
mod tests {
    use splitbrain_workloads::OpError;

    use super::*;

    #[test]
    fn what_the_client_said_is_told_letter_by_letter() {
        let error = OpError::info(ErrorKind::Other, "KeyError: 'Value'");
        let answer = Completion::error(error, Value::Null);
        assert_eq!(told(&answer), "info (other: KeyError: 'Value')");
    }
}
