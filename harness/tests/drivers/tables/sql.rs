//! What servers of SQL refuse.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use splitbrain_workloads::objects::append::ListAppend;
use splitbrain_workloads::objects::register::Register;
use splitbrain_workloads::{Invocation, Vocabulary};

use super::{at_once, read, until_said, without, write};
use crate::running::{Running, told};

/// How long somebody else holds what a client wants: longer than clients wait.
const HELD_S: u32 = 6;

/// A node in a minority takes nothing.
pub fn galera(running: &Running) {
    let refused = "fail refused: 57P03: ERROR 1047 (08S01)";
    without(running, &[1, 2], || {
        until_said(running, 0, &write(), refused);
        until_said(running, 0, &read(), refused);
    });
}

/// Somebody who is not of the run and says something to a server.
fn somebody(mut program: Command, statement: &str) -> Child {
    let flag = if program.get_program() == "mariadb" { "-Nse" } else { "-XAtqc" };
    let begun = program.args([flag, statement]).stdin(Stdio::null()).stdout(Stdio::piped());
    begun.spawn().unwrap()
}

fn answer(program: Command, statement: &str) -> String {
    let answer = somebody(program, statement).wait_with_output().unwrap();
    assert!(answer.status.success(), "{statement}: {answer:?}");
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

/// What a client is told whose write waits for what somebody else holds, when `meanwhile` was done.
fn of_who_waits(running: &Running, waits: &dyn Fn() -> bool, meanwhile: &dyn Fn()) -> String {
    let mut client = running.client(Register::NAME, 0, "table-").unwrap();
    running.runtime.block_on(async {
        let asking = tokio::spawn(async move { told(&mut *client, &write()).await });
        while !asking.is_finished() && !waits() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        meanwhile();
        asking.await.unwrap()
    })
}

/// It waits for a lock for too long, its connection is ended, and there are too many of them.
pub fn mariadb(running: &Running) {
    let client = || {
        let mut client = Command::new("mariadb");
        let at = running.at(0);
        client.args(["--no-defaults", "-usplitbrain", "splitbrain"]);
        client.args([format!("-h{}", at.ip()), format!("-P{}", at.port())]);
        client
    };
    until_said(running, 0, &write(), "ok ");
    let table = answer(client(), "SHOW TABLES LIKE 'table-%'");
    let table = table.lines().next().expect("the write has made it").to_owned();
    let hold = format!("BEGIN; SELECT * FROM `{table}` FOR UPDATE; SELECT SLEEP({HELD_S})");
    let waiting = "SELECT MIN(id) FROM information_schema.processlist WHERE info LIKE 'insert%'";
    let waits = || answer(client(), waiting) != "NULL";
    let sleeps = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP";
    let is_held = || answer(client(), &format!("{sleeps}({HELD_S})'")) == "1";
    for (ends, expect) in [(false, "fail refused: 55P03: "), (true, "fail connection: ")] {
        let mut holder = somebody(client(), &hold);
        while !is_held() {}
        let end = || {
            if ends {
                answer(client(), &format!("KILL CONNECTION {}", answer(client(), waiting)));
            }
        };
        let said = of_who_waits(running, &waits, &end);
        assert!(said.starts_with(expect), "{said}, not {expect}");
        let _ = holder.kill();
        holder.wait().unwrap();
        while is_held() {}
    }
    answer(client(), "SET GLOBAL max_connections = 10");
    // Whoever has come in does not have to say who it is.
    let crowd: Vec<_> = (0..12).map(|_| TcpStream::connect(running.at(0)).unwrap()).collect();
    until_said(running, 0, &write(), "fail refused: 53300: ERROR 1040 ");
    drop(crowd);
    until_said(running, 0, &write(), "ok ");
    answer(client(), "SET GLOBAL max_connections = 151");
}

/// Two wait for each other, a connection is ended, and there are too many of them.
pub fn postgres(running: &Running) {
    let program = running.database.find().unwrap().path;
    let psql: PathBuf = program.with_file_name("psql");
    let client = || {
        let (mut client, at) = (Command::new(&psql), running.at(0));
        client.args(["-U", "postgres", "-d", "postgres", "-h", &at.ip().to_string()]);
        client.args(["-p", &at.port().to_string()]);
        client
    };
    let swapped = |first: i64, second: i64| {
        let steps: Vec<Value> = (0..20)
            .flat_map(|_| [json!(["append", first, 1]), json!(["append", second, 1])])
            .collect();
        Invocation::keyless("txn", Value::from(steps))
    };
    let met = (0..200).any(|_| {
        let said = running.runtime.block_on(async {
            let mut tasks = Vec::new();
            for operation in [swapped(1, 2), swapped(2, 1)] {
                let mut client = running.client(ListAppend::NAME, 0, "table-").unwrap();
                tasks.push(tokio::spawn(async move { told(&mut *client, &operation).await }));
            }
            let (first, second) = (tasks.remove(0).await.unwrap(), tasks.remove(0).await.unwrap());
            [first, second]
        });
        said.iter().any(|said| said.starts_with("fail refused: 40P01: "))
    });
    assert!(met, "two transactions never wait for each other");

    until_said(running, 0, &write(), "ok ");
    let find = "select string_agg(format('%I', tablename), ',') from pg_tables \
                where tablename like 'table-%'";
    let tables = answer(client(), find);
    let hold = format!("begin; lock table {tables}; select pg_sleep({HELD_S})");
    let waiting = "from pg_stat_activity where wait_event_type = 'Lock'";
    let mut holder = somebody(client(), &hold);
    let locks = "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock'";
    while answer(client(), locks) == "0" {}
    let waits = || answer(client(), &format!("select count(*) {waiting}")) != "0";
    let end = || drop(answer(client(), &format!("select pg_terminate_backend(pid) {waiting}")));
    let said = of_who_waits(running, &waits, &end);
    assert!(said.starts_with("fail refused: 57P01: "), "{said}");
    let _ = holder.kill();
    holder.wait().unwrap();

    let crowd = fill(running);
    for said in at_once(running, 0, vec![write()]) {
        assert!(said.starts_with("fail refused: 53300: "), "{said}");
    }
    drop(crowd);
    until_said(running, 0, &write(), "ok ");
}

/// Connections to a server of PostgreSQL until it takes no more.
fn fill(running: &Running) -> Vec<TcpStream> {
    let mut hello = 196_608_u32.to_be_bytes().to_vec();
    hello.extend(b"user\0postgres\0database\0postgres\0\0");
    let mut crowd = Vec::new();
    loop {
        let mut stream = TcpStream::connect(running.at(0)).unwrap();
        stream.write_all(&(hello.len() as u32 + 4).to_be_bytes()).unwrap();
        stream.write_all(&hello).unwrap();
        let mut kind = [0];
        stream.read_exact(&mut kind).unwrap();
        if kind == *b"E" {
            return crowd;
        }
        crowd.push(stream);
    }
}
