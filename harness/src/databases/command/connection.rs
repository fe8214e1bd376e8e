//! A client in another language at work: a program that is started when it is first needed, asked one
//! thing at a time, and ended if it gives no answer.

use std::collections::VecDeque;
use std::io;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::{BoxFuture, Completion, ErasedClient, Invocation, OpError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use super::answer::{request, understand};
use super::client_words;
use crate::environments::Companion;

/// No line is longer: what prints without end is no client.
const LINE_MOST_BYTES: u64 = 16 << 20;
/// So many of the last lines of what a client said are told when it ends.
const LAST_LINES: usize = 4;
/// How much of a line is told.
const TOLD_MOST_CHARS: usize = 200;
/// How long the last words of a program that has ended may take to arrive.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(200);

/// A client of one worker at one node.
pub(super) struct CommandClient {
    client: Arc<[String]>,
    url: String,
    prefix: String,
    /// What the objects hold before the first operation.
    initial: Value,
    /// The number of the last question.
    asked: u64,
    /// Whether that has not been answered: whoever waited has given up, and the answer would come
    /// when something else has been asked.
    open: bool,
    running: Option<Running>,
}

/// Its program.
pub(super) struct Running {
    companion: Arc<Companion>,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The last lines of its standard error.
    said: Arc<Mutex<VecDeque<String>>>,
    listening: JoinHandle<()>,
}

impl CommandClient {
    pub(super) fn new(client: Arc<[String]>, url: String, prefix: String) -> CommandClient {
        let initial = Value::Null;
        CommandClient { client, url, prefix, initial, asked: 0, open: false, running: None }
    }

    /// The same for objects that hold this before the first operation.
    pub(super) fn filled(self, initial: &Value) -> CommandClient {
        CommandClient { initial: initial.clone(), ..self }
    }

    /// Asks, and returns what the answer means; if there is none, why not.
    async fn ask(&mut self, invocation: &Invocation) -> Result<Completion, OpError> {
        if std::mem::replace(&mut self.open, true) {
            self.running = None;
        }
        if self.running.is_none() {
            let running =
                Running::start(&self.client, &self.url, &self.initial).map_err(|error| {
                    // Nobody was asked.
                    let why = format!("the client cannot be started: {error}");
                    OpError::fail(ErrorKind::Other, why)
                })?;
            self.running = Some(running);
        }
        let running = self.running.as_mut().expect("it was started");
        self.asked += 1;
        let question = request(self.asked, invocation, &self.prefix);
        let why = match running.exchange(&question).await {
            Ok(Some(line)) => match understand(self.asked, invocation, &line) {
                Ok(completion) => {
                    self.open = false;
                    return Ok(completion);
                }
                Err(why) => format!("the client answered {:?}: {why}", shortened(&line)),
            },
            Ok(None) => running.last_words("ended").await,
            Err(error) => running.last_words(&format!("is not heard ({error}) and ended")).await,
        };
        Err(OpError::info(ErrorKind::Other, why))
    }
}

impl ErasedClient for CommandClient {
    fn invoke<'a>(&'a mut self, invocation: &'a Invocation) -> BoxFuture<'a, Completion> {
        Box::pin(async move {
            let answer = self.ask(invocation).await;
            answer.unwrap_or_else(|error| Completion::error(error, invocation.value.clone()))
        })
    }
}

impl Running {
    /// Starts a client's program for the node at this URL, and objects that hold `initial` at first.
    ///
    /// # Errors
    /// It cannot be executed.
    pub(super) fn start(client: &[String], url: &str, initial: &Value) -> io::Result<Running> {
        let words = client_words(client, url).map_err(io::Error::other)?;
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("SPLITBRAIN_URL", url)
            .env("SPLITBRAIN_ADDRESS", url.split_once("://").map_or(url, |(_, address)| address))
            .env("SPLITBRAIN_INITIAL", initial.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let companion = Companion::start(command)?;
        let gone = || io::Error::other("it has no streams");
        let mut child = companion.child();
        let questions = ChildStdin::from_std(child.stdin.take().ok_or_else(gone)?)?;
        let answers = ChildStdout::from_std(child.stdout.take().ok_or_else(gone)?)?;
        let errors = ChildStderr::from_std(child.stderr.take().ok_or_else(gone)?)?;
        drop(child);
        let said = Arc::default();
        let listening = tokio::spawn(listen(errors, Arc::clone(&said)));
        Ok(Running { companion, questions, answers: BufReader::new(answers), said, listening })
    }

    /// Says a line and returns the next one; none if the program has closed its output.
    ///
    /// # Errors
    /// It reads no more, or what it prints is no text.
    pub(super) async fn exchange(&mut self, question: &str) -> io::Result<Option<String>> {
        self.questions.write_all(format!("{question}\n").as_bytes()).await?;
        let mut line = String::new();
        let most = &mut (&mut self.answers).take(LINE_MOST_BYTES);
        most.read_line(&mut line).await?;
        Ok(line.strip_suffix('\n').map(str::to_owned))
    }

    /// Says that nothing comes any more, and waits until the program has ended by itself.
    pub(super) async fn hang_up(self) -> io::Result<std::process::ExitStatus> {
        let Running { companion, questions, .. } = self;
        drop(questions);
        loop {
            if let Some(status) = companion.child().try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it: in what way, and what it said last.
    pub(super) async fn last_words(&mut self, how: &str) -> String {
        // Its own end comes a moment after that of its output.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let status = self.companion.end().map_or_else(|e| e.to_string(), |s| s.to_string());
        let _ = tokio::time::timeout(LAST_WORDS_WITHIN, &mut self.listening).await;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        match said[..] {
            [] => format!("the client {how} ({status}) and said nothing"),
            _ => format!("the client {how} ({status}); its last lines: {}", said.join(" | ")),
        }
    }
}

/// Keeps the last lines of what a program says.
async fn listen(errors: ChildStderr, said: Arc<Mutex<VecDeque<String>>>) {
    let mut errors = BufReader::new(errors);
    loop {
        let mut line = Vec::new();
        let most = &mut (&mut errors).take(LINE_MOST_BYTES);
        if !most.read_until(b'\n', &mut line).await.is_ok_and(|bytes| bytes > 0) {
            return;
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_back(shortened(&line).to_owned());
        if said.len() > LAST_LINES {
            said.pop_front();
        }
    }
}

/// The beginning of a line.
fn shortened(line: &str) -> &str {
    line.char_indices().nth(TOLD_MOST_CHARS).map_or(line, |(end, _)| &line[..end])
}
