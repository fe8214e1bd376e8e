//! What is scanned is what the general reader makes of it.

use super::*;
use crate::history::{Event, Process};
use proptest::prelude::*;

/// Whether the line is scanned; what comes of it must be what the general reader makes of it.
#[track_caller]
fn scanned(text: &str) -> bool {
    let followed = format!("{text}\r\nx");
    let Some((line, next)) = Line::scan(&followed) else {
        assert!(Line::scan(text).is_none());
        return false;
    };
    assert_eq!(next, "x");
    let event: Event = serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("{text} is scanned, but the general reader says {error}"));
    let same = Event {
        key: line.key.map(Cow::into_owned),
        value: (&line.value).into(),
        version: line.version,
        client: line.client,
        node: line.node.map(|node| node.to_owned().into()),
        due: line.due,
        probe: line.probe,
        ..Event::new(
            line.index,
            line.time,
            line.kind,
            Process::Client(line.process),
            line.f.to_owned(),
        )
    };
    assert_eq!(same, event, "{text}");
    true
}

#[test]
fn ordinary_lines_are_scanned() {
    let own = r#"{"index":17,"time":12,"type":"invoke","process":3,"f":"write","key":"k7","value":41,"client":3,"node":"n2","due":11}"#;
    assert!(scanned(own));
    for truth in ["true", "false", " true "] {
        let probe =
            format!(r#"{{"process":0,"type":"invoke","f":"read","probe":{truth},"due":1}}"#);
        assert!(scanned(&probe), "{probe}");
    }
    for value in ["null", "0", "9999999999999999999", "\"x\"", "[]", "[1, null]", "[\"a\"]"] {
        let line = format!(r#"{{"process":0, "type": "ok", "f":"read", "value":{value}}}"#);
        assert!(scanned(&line), "{line}");
    }
    for steps in [
        r#"[["append","x",1],["r", 3 ,[]],["w","y",null]]"#,
        r#"[["r","x",[1, 500,"a",null]] , ["r",null,null]]"#,
    ] {
        let line = format!(r#"{{"process":0,"type":"ok","f":"txn","value":{steps}}}"#);
        assert!(scanned(&line), "{line}");
    }
    assert!(scanned(r#"{ "process":0,"type":"ok","f":"cas","key":71,"version":4,"time":1 }"#));
}

#[test]
fn all_others_are_left_to_the_general_reader() {
    for value in [
        "01",
        "1.5",
        "1e3",
        "-1",
        "true",
        "[[1]]",
        "[[\"r\",1]]",
        "[[\"r\",1,[[]]]]",
        "[[\"q\",1,2]]",
        "{}",
        "18446744073709551615",
    ] {
        let line = format!(r#"{{"process":0,"type":"ok","f":"read","value":{value}}}"#);
        assert!(!scanned(&line), "{line}");
    }
    for line in [
        "",
        "{}",
        "{",
        r#"{"process":0,"type":"ok","f":"read"} x"#,
        r#"{"process" :0,"type":"ok","f":"read"}"#,
        r#"{"process":0,"type":"ok","f":"read",}"#,
        r#"{"process":0,"type":"ok","f":"read","f":"read"}"#,
        r#"{"process":0,"type":"done","f":"read"}"#,
        r#"{"process":0,"type":"ok"}"#,
        r#"{"process":"nemesis","type":"info","f":"start"}"#,
        r#"{"process":0,"type":"ok","f":"r\u0065ad"}"#,
        r#"{"process":0,"type":"invoke","f":"read","probe":tru}"#,
        r#"{"process":0,"type":"invoke","f":"read","probe":1}"#,
        r#"{"process":0,"type":"ok","f":"lëse"}"#,
        r#"{"process":0,"type":"ok","f":"read","client":4294967296}"#,
        r#"{"process":0,"type":"info","f":"read","error":{"kind":"timeout"}}"#,
    ] {
        assert!(!scanned(line), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A line with a few bytes changed, put in or left out.
    #[test]
    fn damaged_lines_are_read_alike(
        changes in prop::collection::vec((0..145_usize, 0..3_u8, 0..20_usize), 0..4),
    ) {
        let mut line = br#"{"index":17,"time":12,"type":"invoke","process":3,"f":"cas","key":"k7","value":[41,42],"client":3,"node":"n2","due":11,"probe":true}"#.to_vec();
        for (at, how, byte) in changes {
            let at = at % line.len();
            let byte = b"\"\\{}[],: 0123-.enx\t"[byte % 19];
            match how {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => {
                    line.remove(at);
                }
            }
        }
        scanned(std::str::from_utf8(&line).expect("ASCII"));
    }
}
