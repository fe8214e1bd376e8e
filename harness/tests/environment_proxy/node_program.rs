//! The program under test: it tells others what it is told to, and who told it something.
//!
//! One line for each connection: `say ROUND`, `heard ROUND` and `life` come from the harness and
//! are answered, `hello ROUND NUMBER` comes from other nodes. `stream NODE PACKETS BYTES GAP_US`,
//! `report` and `connect NODE` are about [streams](crate::stream), whose `packet`s come from nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::stream::{self, Received};

/// How long to stay on the line after a hello: a node of which the owner of a connection is looked
/// up must still be there when that is done.
const STAY: Duration = Duration::from_secs(1);

type Heard = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

pub fn run(number: &str, listens: &str, others: &[&str]) -> ExitCode {
    let listener = TcpListener::bind(listens).expect("the port is free");
    let others: Vec<SocketAddr> =
        others.iter().map(|other| other.parse().expect("an address")).collect();
    let (heard, received) = (Heard::default(), Received::default());
    for stream in listener.incoming().flatten() {
        let (number, others) = (number.to_owned(), others.clone());
        let (heard, received) = (heard.clone(), received.clone());
        // Whoever does not say what it wants, or does not wait for the answer, is not served.
        thread::spawn(move || drop(serve(stream, &number, &others, &heard, &received)));
    }
    unreachable!("connections never end to come")
}

fn serve(
    mut stream: TcpStream,
    number: &str,
    others: &[SocketAddr],
    heard: &Heard,
    received: &Received,
) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let answer = match words[..] {
        ["say", round] => {
            for other in others.iter().copied() {
                let hello = format!("hello {round} {number}\n");
                thread::spawn(move || -> io::Result<()> {
                    let mut to = TcpStream::connect(other)?;
                    to.write_all(hello.as_bytes())?;
                    thread::sleep(STAY);
                    Ok(())
                });
            }
            format!("said {round}")
        }
        ["hello", round, who] => {
            let mut heard = heard.lock().expect("no one panics here");
            heard.entry(round.to_owned()).or_default().insert(who.to_owned());
            return Ok(());
        }
        ["heard", round] => {
            let heard = heard.lock().expect("no one panics here");
            let who: Vec<String> = heard.get(round).into_iter().flatten().cloned().collect();
            format!("{round} {}", who.join(" "))
        }
        ["packet", number, sent, _] => return received.note(number, sent, &mut stream),
        ["stream", node, packets, bytes, gap_us] => {
            let figure = |text: &str| text.parse::<u32>().expect("a number");
            let gap = Duration::from_micros(figure(gap_us).into());
            stream::send(others[figure(node) as usize], figure(packets), figure(bytes), gap);
            "sending".to_owned()
        }
        ["report"] => received.report(),
        ["connect", node] => {
            stream::connect(others[node.parse::<usize>().expect("a number")]).to_owned()
        }
        ["knock"] => "in".to_owned(),
        // No two processes have the same number within one test.
        ["life"] => format!("life {}", std::process::id()),
        _ => return Ok(()),
    };
    stream.write_all(format!("{answer}\n").as_bytes())
}
