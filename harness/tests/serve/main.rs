//! What `serve` hands out and what it refuses, asked by hand: bytes on a socket.

mod store;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use store::{RUN, SECRET, Served};

/// Of what has to be answered, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of what may have no answer, because its end has not come.
const LITTLE_PATIENCE: Duration = Duration::from_millis(500);

/// Sends bytes and reads until the server closes, or says nothing more for a while.
fn exchange(served: &Served, bytes: &[u8], patience: Duration) -> String {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    // It may hang up before all of it is sent; that is an answer too.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..read]);
        if answer.len() > 1 << 20 {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(served: &Served, path: &str) -> String {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.address);
    exchange(served, request.as_bytes(), PATIENCE)
}

fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").or(answer.strip_prefix("HTTP/1.0 "));
    status.and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[test]
fn what_is_in_the_store_is_shown() {
    let served = Served::new();
    let index = get(&served, "/");
    assert_eq!(status(&index), 200);
    assert!(index.contains("script-src 'self'") && index.contains("nosniff"), "{index}");
    let list = get(&served, "/api/runs");
    let list: Value = serde_json::from_str(body(&list)).unwrap();
    let run = &list["runs"][0];
    assert_eq!(run["target"], "etcd");
    assert_eq!(run["verdict"], "invalid");
    assert_eq!(run["violations"][0], "stale-read");
    for file in ["history.jsonl", "plan.json", "verdict.json"] {
        let answer = get(&served, &format!("/runs/{RUN}/{file}"));
        assert_eq!(status(&answer), 200, "{file}: {answer}");
    }
    let report = get(&served, &format!("/runs/{RUN}/report"));
    assert_eq!(status(&report), 200);
    assert!(report.contains("sandbox allow-scripts"), "a report may not act for this server");
    assert!(report.contains("stale-read"));
}

#[test]
fn a_page_of_the_store_is_never_served_as_one() {
    let served = Served::new();
    let evil = "<script>alert(1)</script>";
    let run = served.store().join(RUN);
    for name in ["report.html", "index.html", "evil.html"] {
        std::fs::write(run.join(name), evil).unwrap();
        assert_eq!(status(&get(&served, &format!("/runs/{RUN}/{name}"))), 404, "{name}");
    }
    std::fs::write(run.join("report.txt"), evil).unwrap();
    let text = get(&served, &format!("/runs/{RUN}/report.txt"));
    assert!(text.contains("text/plain") && text.contains("nosniff"), "{text}");
    // The report is made anew from the history.
    assert!(!get(&served, &format!("/runs/{RUN}/report")).contains(evil));
}

#[test]
fn someone_elses_name_for_this_machine_is_refused() {
    let served = Served::new();
    let check = |host: &str, expect: u16| {
        let request = format!("GET /api/runs HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = exchange(&served, request.as_bytes(), PATIENCE);
        assert_eq!(status(&answer), expect, "{host:?}");
    };
    check("Host: localhost:7070\r\n", 200);
    check("Host: 127.0.0.1\r\n", 200);
    check("Host: [::1]:7070\r\n", 200);
    check("Host: evil.example\r\n", 421);
    check("Host: 127.0.0.1.evil.example:80\r\n", 421);
    check("", 421);
}

/// Everything that could be tried; each kind with variations.
fn hostile(host: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let mut ask = |path: &[u8]| {
        let rest = format!(" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        all.push([b"GET ", path, rest.as_bytes()].concat());
    };
    let ups = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..%00",
        "%2e%2e%2f..",
        "..%5c..",
        "..\\..",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "....//..",
        "..;",
        "~",
        "%ff%fe",
        "*",
    ];
    for up in ups {
        for path in [
            format!("/{up}/secret.txt"),
            format!("/runs/{up}/{up}/secret.txt"),
            format!("/runs/etcd-register/{up}/plan.json"),
            format!("/runs/{RUN}/{up}"),
            format!("/runs/{RUN}/{up}/{up}/{up}/secret.txt"),
            format!("/api/live/{up}/{up}"),
            format!("/runs/{up}/{up}/report"),
        ] {
            ask(path.as_bytes());
        }
    }
    for name in [
        "secret.txt",
        "inside.txt",
        "leak.txt",
        "report.html",
        "verdict.json%00.txt",
        "plan.json/",
        "n1%2fstore.log",
        "%2fetc%2fpasswd",
        "..%2f..%2fsecret.txt",
        "PLAN.JSON",
        ".journal",
    ] {
        ask(format!("/runs/{RUN}/{name}").as_bytes());
    }
    for length in [300, 5_000, 15_000, 70_000, 300_000] {
        ask(format!("/{}", "a".repeat(length)).as_bytes());
        ask(format!("/runs/{}/x/report", "a".repeat(length)).as_bytes());
        ask(format!("/{}secret.txt", "../".repeat(length / 3)).as_bytes());
        ask(format!("/api/runs?{}", "q=1&".repeat(length / 4)).as_bytes());
    }
    for raw in [
        &b"/\xff\xfe"[..],
        b"/\x00",
        b"/\x01\x02",
        b"/a b",
        b"",
        b"//",
        b"/%",
        b"/%zz",
        b"/%e",
        b"?",
        b"#",
        b"secret.txt",
        b"http://evil.example/secret.txt",
        b"file:///etc/passwd",
        b"/\xc3\x28",
        b"/runs//x/report",
    ] {
        ask(raw);
    }
    for method in
        ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "G\u{e9}T"]
    {
        for path in ["/", "/api/runs", "/runs/x/y/report"] {
            all.push(
                format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                    .into_bytes(),
            );
        }
    }
    let with = |headers: &str, rest: &[u8]| {
        [format!("GET / HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes(), rest].concat()
    };
    all.extend([
        with("Content-Length: -1\r\n", b""),
        with("Content-Length: 99999999999999999999\r\n", b"x"),
        with("Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"),
        with("Transfer-Encoding: chunked\r\n", b"ffffffffffffffffff\r\nx"),
        with(
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            b"0\r\n\r\nGET /secret.txt HTTP/1.1\r\n\r\n",
        ),
        with(&format!("X: {}\r\n", "y".repeat(200_000)), b""),
        with(&"X: y\r\n".repeat(5_000), b""),
        with("X\0: y\r\n", b""),
        with("Range: bytes=0-18446744073709551615\r\n", b""),
        with("Expect: 100-continue\r\nUpgrade: websocket\r\nConnection: upgrade\r\n", b""),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\r\n\r\n\r\n\r\n".to_vec(),
        vec![0; 4096],
        (0..=255u8).cycle().take(40_000).collect(),
        b"GET / HTTP/1.1\nHost: x\n\n".to_vec(),
    ]);
    all
}

#[test]
fn hostile_requests_are_refused_or_answered_safely() {
    let served = Served::new();
    let host = served.address.to_string();
    let requests = hostile(&host);
    assert!(requests.len() >= 200, "{}", requests.len());
    for request in &requests {
        let answer = exchange(&served, request, LITTLE_PATIENCE);
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        assert!(!answer.contains(SECRET), "{shown:?} has got what is not to be seen");
        assert!(!answer.contains("root:"), "{shown:?}");
        let status = status(&answer);
        assert!(status != 500, "{shown:?}: {answer}");
        // What is answered is a page of the program, or the list.
        let own = answer.contains("<title>splitbrain store") || body(&answer).contains("\"runs\"");
        assert!(status != 200 || own, "{shown:?}: {}", &answer[..answer.len().min(400)]);
    }
    assert_eq!(status(&get(&served, "/")), 200, "it still serves");
    served.assert_quiet();
}

#[test]
fn slow_clients_do_not_keep_others_waiting_for_ever() {
    let served = Served::new();
    // More than may be connected at once, none of which ever finishes its headers.
    let slow: Vec<TcpStream> = (0..200)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(served.address).ok()?;
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost:");
            Some(stream)
        })
        .collect();
    let mut stream = TcpStream::connect(served.address).unwrap();
    // As long as two rounds of them are given, and some.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "GET /api/runs HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        served.address
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    drop(slow);
    served.assert_quiet();
}

#[test]
fn a_run_is_followed_until_it_is_over() {
    let served = Served::new();
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /api/live/{RUN} HTTP/1.1\r\nHost: {}\r\n\r\n", served.address).unwrap();
    let mut told = String::new();
    let mut piece = [0; 4096];
    // The first news come while nothing says that it is over.
    while !told.contains("\"phase\"") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{told}");
        told += &String::from_utf8_lossy(&piece[..read]);
    }
    assert!(told.contains("text/event-stream") && !told.contains("\"over\":true"), "{told}");
    assert!(told.contains("\"violation\":{"), "the checker follows it too: {told}");
    served.append(
        r#"{"time":9000000000,"type":"info","process":"harness","f":"phase","value":"teardown"}"#,
    );
    while !told.contains("\"over\":true") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "{told}");
        told += &String::from_utf8_lossy(&piece[..read]);
    }
}
