//! A server of one connection, and what a client makes of what it says.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::databases::rabbitmq::frames::{BODY, END, HEADER, HEARTBEAT, METHOD, frame, method};
use crate::databases::wire;

/// What a server says to what it is asked in the end.
pub fn says(name: Name, args: Args) -> Vec<u8> {
    method(CHANNEL, name, args)
}

/// `basic.ack` and `basic.nack` of the first message, and `basic.get-empty`.
pub fn short_answers() -> [Vec<u8>; 3] {
    let first = || Args::default().long_long(1).octet(0);
    let empty = Args::default().short_text("");
    [says(BASIC_ACK, first()), says(BASIC_NACK, first()), says(BASIC_GET_EMPTY, empty)]
}

/// `basic.return` of a message with a body.
pub fn returned(body: &[u8]) -> Vec<u8> {
    let why = Args::default().short(312).short_text("NO_ROUTE").short_text("").short_text("q");
    [says(BASIC_RETURN, why), carried(&[body])].concat()
}

/// `basic.get-ok` with the number 7 and a body that comes in parts.
pub fn got(parts: &[&[u8]]) -> Vec<u8> {
    let args = Args::default().long_long(7).octet(0).short_text("").short_text("q");
    [says(BASIC_GET_OK, args.short(0).short(0)), carried(parts)].concat()
}

/// `channel.close` with a code and words.
pub fn closed(code: u16, text: &str) -> Vec<u8> {
    says(CHANNEL_CLOSE, Args::default().short(code).short_text(text).short(0).short(0))
}

fn carried(parts: &[&[u8]]) -> Vec<u8> {
    let size = parts.iter().map(|part| part.len() as u64).sum();
    let header = Args::default().short(60).short(0).long_long(size).short(0);
    let mut frames = frame(HEADER, CHANNEL, &header.0);
    for part in parts {
        // A server may show at any time that it is there.
        frames.extend(frame(HEARTBEAT, 0, &[]));
        frames.extend(frame(BODY, CHANNEL, part));
    }
    frames
}

/// A server that opens one connection, hears the declaration of a queue, the next method and, if it
/// is to be published, the message, says `answer`, hears what comes until nothing more does and
/// hangs up. The methods after the opening, and the messages.
pub async fn serve(listener: &TcpListener, answer: &[u8]) -> (Vec<Name>, Vec<Vec<u8>>) {
    let mut stream = wire::stream(listener.accept().await.unwrap().0);
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"AMQP\0\0\x09\x01");
    let version = Args::default().octet(0).octet(9).table(&[("product", "test")]);
    ask(&mut stream, 0, CONNECTION_START, version, CONNECTION_START_OK).await.unwrap();
    let limits = Args::default().short(2047).short(2).short(0).short(60);
    let taken = ask(&mut stream, 0, CONNECTION_TUNE, limits, CONNECTION_TUNE_OK).await.unwrap();
    assert_eq!(taken, Args::default().short(2047).short(2).short(0).short(0).0);
    let questions = [
        (CONNECTION_OPEN, CONNECTION_OPEN_OK),
        (CHANNEL_OPEN, CHANNEL_OPEN_OK),
        (CONFIRM_SELECT, CONFIRM_SELECT_OK),
    ];
    for (question, answer) in questions {
        expect(&mut stream, question).await.unwrap();
        say(&mut stream, 0, answer, Args::default()).await.unwrap();
    }
    let (mut heard, mut messages) = (Vec::new(), Vec::new());
    while let Ok((name, _)) = hear(&mut stream).await {
        heard.push(name);
        if name == BASIC_PUBLISH {
            messages.push(content(&mut stream).await.unwrap());
        }
        match name {
            QUEUE_DECLARE => {
                say(&mut stream, CHANNEL, QUEUE_DECLARE_OK, Args::default()).await.unwrap();
            }
            BASIC_ACK => break,
            _ => stream.write_all(answer).await.unwrap(),
        }
        if answer.is_empty() && name != QUEUE_DECLARE {
            break;
        }
    }
    (heard, messages)
}

async fn converse<T>(
    answer: &[u8],
    exchange: impl AsyncFnOnce(&mut Stream) -> Result<T, Error>,
) -> (Result<T, Error>, Vec<Name>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = async {
        let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await;
        let mut stream = wire::stream(stream.unwrap());
        open(&mut stream).await.unwrap();
        exchange(&mut stream).await
    };
    let (ended, (heard, _)) = tokio::join!(client, serve(&listener, answer));
    (ended, heard)
}

#[tokio::test]
async fn a_message_is_found_in_the_frames_that_it_comes_in() {
    let (message, heard) =
        converse(&got(&[b"4", b"2"]), async |stream| get(stream, "q").await).await;
    assert_eq!(message.unwrap(), Some(Message { tag: 7, body: b"42".to_vec() }));
    assert_eq!(heard, [BASIC_GET]);
    let [_, _, empty] = short_answers();
    let (message, _) = converse(&empty, async |stream| get(stream, "q").await).await;
    assert_eq!(message.unwrap(), None);
}

#[tokio::test]
async fn what_a_server_says_to_a_message_is_told() {
    let check = async |answer: &[u8], expect: &str| {
        let (said, heard) =
            converse(answer, async |stream| publish(stream, "q", b"42").await).await;
        assert_eq!(format!("{said:?}"), expect);
        assert_eq!(heard, [BASIC_PUBLISH]);
    };
    let [acked, nacked, empty] = short_answers();
    check(&acked, "Ok(Confirmed)").await;
    check(&nacked, "Ok(Unconfirmed)").await;
    let back = [returned(b"42"), acked].concat();
    check(&back, "Ok(Returned(\"312 NO_ROUTE\"))").await;
    check(&closed(404, "no queue"), "Err(Closed(404, \"no queue\"))").await;
    let odd = "Err(Io(Custom { kind: Other, error: \"the server sent method 60.72 where \
               another one was due\" }))";
    check(&empty, odd).await;
}

#[tokio::test]
async fn what_is_not_amqp_is_an_error_and_no_panic() {
    let head = |kind: u8, size: u32| {
        Args::default().octet(kind).short(CHANNEL).short((size >> 16) as u16).short(size as u16)
    };
    let broken: [(Vec<u8>, &str); 5] = [
        (head(METHOD, u32::MAX).0, "too long"),
        (head(METHOD, 1).octet(0).octet(7).0, "does not end"),
        (head(METHOD, 1).octet(0).octet(END).0, "without a name"),
        (head(BODY, 0).octet(END).0, "a frame of type 3, not 1"),
        (says(BASIC_GET_OK, Args::default()), "without a number"),
    ];
    for (answer, why) in broken {
        let (said, _) = converse(&answer, async |stream| get(stream, "q").await).await;
        let error = said.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
