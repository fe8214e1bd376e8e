//! A client of one queue, and what the answers mean.

use std::time::Duration;

use serde_json::Value;
use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::total_queue::{Call, Ret, TotalQueue};
use splitbrain_workloads::{BoxFuture, Client, OpError, Outcome};
use tokio::time::{sleep, timeout};

use super::amqp::{self, Error, Published};
use crate::databases::wire::{self, Stream, Wire};

/// How long anything may take that has no effect before it is completed. Then it is given up for good:
/// what was got and not acknowledged goes back into the queue when the connection ends.
const WITHIN: Duration = Duration::from_secs(4);
/// What others got and did not acknowledge is back after so long, once they are gone. So a queue is
/// empty when it is so again after it.
const BACK_AFTER: Duration = Duration::from_secs(1);

/// A connection to one node.
pub struct RabbitClient {
    pub(super) wire: Wire,
    pub(super) queue: String,
    /// Its `x-queue-type`.
    pub(super) kind: &'static str,
}

impl RabbitClient {
    /// A connection on which the queue is known to be there.
    async fn connect(&mut self) -> Result<Stream, OpError> {
        let (mut stream, new) = self.wire.take().await?;
        if new {
            amqp::open(&mut stream).await.map_err(|error| refused(&error))?;
            amqp::declare(&mut stream, &self.queue, self.kind)
                .await
                .map_err(|error| refused(&error))?;
        }
        Ok(stream)
    }

    async fn enqueue(&mut self, value: i64) -> Result<Ret, OpError> {
        let mut stream = without_effect(self.connect()).await?;
        match amqp::publish(&mut stream, &self.queue, value.to_string().as_bytes()).await {
            Ok(Published::Confirmed) => {
                self.wire.give_back(stream);
                Ok(Ret::Done)
            }
            Ok(Published::Returned(why)) => Err(OpError::fail(ErrorKind::Refused, why)),
            Ok(Published::Unconfirmed) => {
                Err(OpError::info(ErrorKind::Other, "the server does not confirm it (basic.nack)"))
            }
            Err(Error::Io(error)) => Err(wire::broken(&error)),
            Err(closed) => Err(OpError::info(ErrorKind::Other, closed.to_string())),
        }
    }

    async fn dequeue(&mut self) -> Result<Ret, OpError> {
        let getting = async {
            let mut stream = self.connect().await?;
            let got = amqp::get(&mut stream, &self.queue).await.map_err(|error| refused(&error))?;
            Ok((stream, got))
        };
        let (mut stream, got) = without_effect(getting).await?;
        if let Some(message) = &got {
            let acked = amqp::ack(&mut stream, message.tag, false).await;
            acked.map_err(|error| wire::broken(&error))?;
        }
        self.wire.give_back(stream);
        Ok(Ret::One(got.map(|message| understood(&message.body))))
    }

    /// Gets everything, and acknowledges all of it at once: until then nothing was taken.
    async fn drain(&mut self) -> Result<Ret, OpError> {
        let mut stream = without_effect(self.connect()).await?;
        let (mut values, mut last, mut was_empty) = (Vec::new(), None, false);
        loop {
            let getting = async {
                amqp::get(&mut stream, &self.queue).await.map_err(|error| refused(&error))
            };
            match without_effect(getting).await? {
                Some(message) => {
                    values.push(understood(&message.body));
                    last = Some(message.tag);
                    was_empty = false;
                }
                None if was_empty => break,
                None => {
                    was_empty = true;
                    sleep(BACK_AFTER).await;
                }
            }
        }
        if let Some(tag) = last {
            let acked = amqp::ack(&mut stream, tag, true).await;
            acked.map_err(|error| wire::broken(&error))?;
        }
        self.wire.give_back(stream);
        Ok(Ret::All(values))
    }
}

/// Gives up in time what has no effect unless it is completed.
async fn without_effect<T>(doing: impl Future<Output = Result<T, OpError>>) -> Result<T, OpError> {
    let late = || OpError::fail(ErrorKind::Timeout, format!("not within {WITHIN:?}"));
    timeout(WITHIN, doing).await.unwrap_or_else(|_| Err(late()))
}

/// What an error means where nothing was published or acknowledged.
fn refused(error: &Error) -> OpError {
    let kind = match error {
        Error::Io(_) => ErrorKind::Connection,
        Error::Closed(..) => ErrorKind::Refused,
    };
    OpError::fail(kind, error.to_string())
}

/// A number that was put in, or something that somebody else did.
fn understood(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body);
    text.parse::<i64>().map_or_else(|_| text.as_ref().into(), Value::from)
}

impl Client<TotalQueue> for RabbitClient {
    fn invoke<'a>(&'a mut self, call: &'a Call) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let ret = match call {
                Call::Enqueue(value) => self.enqueue(*value).await?,
                Call::Dequeue => self.dequeue().await?,
                Call::Drain => self.drain().await?,
            };
            Ok(ret.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::amqp::tests::{closed, got, returned, serve, short_answers};
    use super::*;

    fn client(listener: &TcpListener) -> RabbitClient {
        let wire = Wire::new(listener.local_addr().unwrap().to_string());
        RabbitClient { wire, queue: "q".to_owned(), kind: "quorum" }
    }

    fn meaning(ended: &Result<Outcome<Ret>, OpError>) -> String {
        match ended {
            Ok(outcome) => format!("ok {:?}", outcome.ret),
            Err(OpError::Fail(error)) => format!("fail {:?}", error.kind),
            Err(OpError::Info(error)) => format!("info {:?}", error.kind),
        }
    }

    /// What a call comes to if a server says so and hangs up.
    async fn check(call: Call, answer: &[u8], expect: &str) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = client(&listener);
        // It hangs up when it is done.
        let calling = async move { client.invoke(&call).await };
        let (ended, (_, messages)) = tokio::join!(calling, serve(&listener, answer));
        assert_eq!(meaning(&ended), expect, "{call:?}");
        assert_eq!(messages.len(), usize::from(matches!(call, Call::Enqueue(_))), "{call:?}");
    }

    #[tokio::test]
    async fn only_what_is_confirmed_is_in_and_only_what_is_acknowledged_is_out() {
        let [acked, nacked, empty] = short_answers();
        let put = Call::Enqueue(42);
        check(put, &acked, "ok Done").await;
        check(put, &nacked, "info Other").await;
        check(put, &[returned(b"42"), acked].concat(), "fail Refused").await;
        check(put, &closed(541, "INTERNAL_ERROR"), "info Other").await;
        check(put, b"", "info Connection").await;
        check(Call::Dequeue, &got(&[b"42"]), "ok One(Some(Number(42)))").await;
        check(Call::Dequeue, &got(&[b"x"]), "ok One(Some(String(\"x\")))").await;
        check(Call::Dequeue, &empty, "ok One(None)").await;
        check(Call::Dequeue, &closed(404, "NOT_FOUND"), "fail Refused").await;
        // It was not acknowledged, so it goes back.
        check(Call::Dequeue, b"", "fail Connection").await;
        check(Call::Drain, &empty, "ok All([])").await;
        check(Call::Drain, b"", "fail Connection").await;
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_has_happened() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = client(&listener);
        drop(listener);
        for call in [Call::Enqueue(1), Call::Dequeue, Call::Drain] {
            assert_eq!(meaning(&client.invoke(&call).await), "fail Connection");
        }
    }
}
