//! What answers of Redis mean.

use super::*;

#[test]
fn every_error_of_redis_has_its_meaning() {
    let check = |text: &str, expect: &str| {
        let meaning = match refusal(text) {
            OpError::Fail(error) => format!("fail {:?}", error.kind),
            OpError::Info(error) => format!("info {:?}", error.kind),
        };
        assert_eq!(meaning, expect, "{text}");
    };
    check("READONLY You can't write against a read only replica.", "fail Refused");
    check("NOREPLICAS Not enough good replicas to write.", "fail Refused");
    check("MASTERDOWN Link with MASTER is down", "fail Refused");
    check("LOADING Redis is loading the dataset in memory", "fail Refused");
    check("MISCONF Errors writing to the AOF file: No space left on device", "fail Refused");
    check("CLUSTERDOWN The cluster is down", "fail Refused");
    check("ASK 3999 127.0.0.1:6381", "fail Refused");
    check("NOAUTH Authentication required.", "fail Other");
    check("WRONGTYPE Operation against a key", "fail Other");
    check("ERR something that nobody has thought of", "info Other");
    check("", "info Other");
}

/// Answers as they are told to, whatever they are asked, and notes that.
struct Script {
    replies: Vec<Reply>,
    asked: Vec<String>,
}

impl Route for Script {
    fn ask<'a>(
        &'a mut self,
        _writes: bool,
        commands: &'a [&'a [String]],
    ) -> BoxFuture<'a, Result<Vec<Reply>, OpError>> {
        self.asked = commands.iter().map(|command| command.join(" ")).collect();
        let replies = std::mem::take(&mut self.replies);
        Box::pin(async { Ok(replies) })
    }
}

fn client(wait: u32, replies: Vec<Reply>) -> RedisClient<Script> {
    RedisClient { route: Script { replies, asked: Vec::new() }, prefix: "p-".to_owned(), wait }
}

#[tokio::test]
async fn a_write_that_too_few_replicas_have_may_have_happened() {
    let write = register::Call { key: "k".to_owned(), action: register::Action::Write(3.into()) };
    let done = |have| vec![Reply::Text("OK".to_owned()), Reply::Integer(have)];
    let mut enough = client(1, done(1));
    let outcome = Client::<Register>::invoke(&mut enough, &write).await.unwrap();
    assert_eq!(outcome.ret, register::Ret::Done);
    assert_eq!(enough.route.asked, ["SET p-k 3", "WAIT 1 1000"]);
    let few = Client::<Register>::invoke(&mut client(1, done(0)), &write).await.unwrap_err();
    assert!(matches!(few, OpError::Info(_)), "{few:?}");
    let mut alone = client(0, vec![Reply::Text("OK".to_owned())]);
    Client::<Register>::invoke(&mut alone, &write).await.unwrap();
    assert_eq!(alone.route.asked, ["SET p-k 3"]);
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let steps = serde_json::json!([["append", 1, 7], ["r", 1, null]]);
    let steps = transaction::decode("txn", &steps, &["txn"]).unwrap();
    let text = |text: &str| Reply::Text(text.to_owned());
    let read = Reply::Array(vec![text("6"), text("7")]);
    let queued = || vec![text("OK"), text("QUEUED"), text("QUEUED")];
    let done = Reply::Array(vec![Reply::Integer(2), read]);
    let mut good = client(0, [queued(), vec![done]].concat());
    let outcome = Client::<ListAppend>::invoke(&mut good, &steps).await.unwrap();
    assert_eq!(
        transaction::encode(&outcome.ret),
        serde_json::json!([["append", 1, 7], ["r", 1, [6, 7]]])
    );
    assert_eq!(good.route.asked, ["MULTI", "RPUSH p-1 7", "LRANGE p-1 0 -1", "EXEC"]);
    let refused = Reply::Error("READONLY no".to_owned());
    let aborted = Reply::Error("EXECABORT discarded".to_owned());
    let mut bad = client(0, vec![text("OK"), refused, text("QUEUED"), aborted]);
    let error = Client::<ListAppend>::invoke(&mut bad, &steps).await.unwrap_err();
    assert_eq!(error, OpError::fail(ErrorKind::Refused, "READONLY no"));
}
