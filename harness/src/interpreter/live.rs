//! The world of a real run: workers are tasks, the nemesis is a thread, the clock is the machine's.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::{Completion, ErasedClient, Invocation, OpError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Command, Port, StopCause, Wake};

/// What arrives, and when its sender let go of it.
pub struct Parcel {
    wake: Wake,
    sent: Instant,
}

/// Where workers, nemesis, observers and signal handlers leave what the loop must know.
#[derive(Clone)]
pub struct Inbox(Sender<Parcel>);

impl Inbox {
    /// An inbox and the end that the loop reads.
    pub fn new() -> (Inbox, Receiver<Parcel>) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Inbox(sender), receiver)
    }

    /// Leaves something. After the loop has ended it is dropped.
    pub fn post(&self, wake: Wake) {
        let _ = self.0.send(Parcel { wake, sent: Instant::now() });
    }
}

/// The real world.
pub struct Live {
    zero: Instant,
    inbox: Receiver<Parcel>,
    workers: Vec<UnboundedSender<Invocation>>,
    commands: Sender<Command>,
    lag_us: Histogram<u64>,
    failure: Option<Wake>,
}

impl Live {
    /// Spawns a task for each client on the current tokio runtime.
    pub fn new(
        zero: Instant,
        (inbox, receiver): (&Inbox, Receiver<Parcel>),
        clients: Vec<Box<dyn ErasedClient>>,
        op_timeout: Duration,
        commands: Sender<Command>,
    ) -> Live {
        let workers = clients
            .into_iter()
            .enumerate()
            .map(|(worker, client)| {
                let (sender, receiver) = unbounded_channel();
                tokio::spawn(work(worker, client, receiver, inbox.clone(), op_timeout));
                sender
            })
            .collect();
        let lag_us = Histogram::new(3).expect("three significant digits are allowed");
        Live { zero, inbox: receiver, workers, commands, lag_us, failure: None }
    }

    /// Microseconds between a client's return and its stamp.
    pub fn lag_us(&self) -> &Histogram<u64> {
        &self.lag_us
    }

    fn receive(&mut self, parcel: Parcel, arrived: &mut Vec<Wake>) {
        if matches!(parcel.wake, Wake::Completed { .. }) {
            self.lag_us.saturating_record(parcel.sent.elapsed().as_micros() as u64);
        }
        arrived.push(parcel.wake);
    }
}

impl Port for Live {
    fn now(&mut self) -> u64 {
        self.zero.elapsed().as_nanos() as u64
    }

    fn start(&mut self, worker: usize, invocation: &Invocation) {
        // A worker ends only when the runtime does; then its operation stays open, which is true.
        let _ = self.workers[worker].send(invocation.clone());
    }

    fn command(&mut self, command: Command) {
        if self.commands.send(command).is_err() {
            let cause = StopCause::Failure("the nemesis has ended".to_owned());
            self.failure = Some(Wake::Stop(cause));
        }
    }

    fn wait(&mut self, until: u64, arrived: &mut Vec<Wake>) {
        if let Some(failure) = self.failure.take() {
            arrived.push(failure);
        }
        let patience = Duration::from_nanos(until.saturating_sub(self.now()));
        match self.inbox.recv_timeout(patience) {
            Ok(first) => {
                self.receive(first, arrived);
                while let Ok(parcel) = self.inbox.try_recv() {
                    self.receive(parcel, arrived);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// One worker: one operation at a time, each with a time limit, after which it may have happened.
async fn work(
    worker: usize,
    mut client: Box<dyn ErasedClient>,
    mut orders: UnboundedReceiver<Invocation>,
    inbox: Inbox,
    op_timeout: Duration,
) {
    while let Some(invocation) = orders.recv().await {
        let answer = tokio::time::timeout(op_timeout, client.invoke(&invocation)).await;
        let completion = answer.unwrap_or_else(|_| {
            let error = OpError::info(ErrorKind::Timeout, "no answer within the time limit");
            Completion::error(error, invocation.value.clone())
        });
        inbox.post(Wake::Completed { worker, completion });
    }
}
