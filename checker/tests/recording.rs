//! Recordings that ended before their run did, and final reads that were not all asked for.

use splitbrain_checker::history::History;
use splitbrain_checker::{Class, Judgement, Options, judge};

/// A recording of three nodes in which 1 was written and then read as `finals` says, in order:
/// `n1=1` is an answer, `n1=?` none.
struct Recording<'a> {
    finals: &'a str,
    /// The phases after the final reads, and what else the harness noted.
    ending: &'a [&'a str],
}

fn judged(recording: &Recording<'_>) -> Judgement {
    let mut lines = vec![r#"{"splitbrain":1,"run":"r","nodes":["n1","n2","n3"]}"#.to_owned()];
    let mut time = 0;
    let mut add = |rest: String| {
        time += 10;
        lines.push(format!(r#"{{"time":{time},{rest}}}"#));
    };
    let phase =
        |name: &str| format!(r#""type":"info","process":"harness","f":"phase","value":"{name}""#);
    add(phase("provision"));
    add(phase("main"));
    let write = r#""process":0,"f":"write","key":"x","value":1"#;
    add(format!(r#""type":"invoke",{write},"node":"n1""#));
    add(format!(r#""type":"ok",{write}"#));
    // Not linearizable, so that the class rests on the final reads.
    let read = r#""process":1,"f":"read","key":"x","value":null"#;
    add(format!(r#""type":"invoke",{read},"node":"n2""#));
    add(format!(r#""type":"ok",{read}"#));
    add(phase("final"));
    for (process, read) in (2..).zip(recording.finals.split_whitespace()) {
        let (node, answer) = read.split_once('=').unwrap();
        let read = format!(r#""process":{process},"f":"read","key":"x""#);
        add(format!(r#""type":"invoke",{read},"value":null,"node":"{node}""#));
        match answer {
            "?" => add(format!(r#""type":"info",{read},"value":null"#)),
            value => add(format!(r#""type":"ok",{read},"value":{value}"#)),
        }
    }
    for name in recording.ending {
        match name.split_once(':') {
            Some((f, value)) => {
                let note = format!(r#""f":"{f}","value":"{value}""#);
                add(format!(r#""type":"info","process":"harness",{note}"#));
            }
            None => add(phase(name)),
        }
    }
    judge(&History::read(lines.join("\n").as_bytes()).unwrap(), &Options::default())
}

const WHOLE: &[&str] = &["after", "collect", "teardown"];

#[track_caller]
fn check(finals: &str, ending: &[&str], class: Option<Class>) -> Judgement {
    let judgement = judged(&Recording { finals, ending });
    assert_eq!(judgement.class, class, "{judgement:?}");
    judgement
}

#[test]
fn final_reads_that_were_cut_short_say_nothing() {
    check("n1=1 n2=1 n3=1", WHOLE, Some(Class::Eventual));
    check("n1=1 n2=null n3=1", WHOLE, Some(Class::Weak));
    // The same answers, but nobody knows what the next round would have shown.
    check("n1=1 n2=null n3=1", &[], None);
    check("n1=1 n2=null", &["stopped:interrupted", "collect", "teardown"], None);
}

#[test]
fn a_round_in_which_a_node_was_not_asked_is_no_round_less_for_the_others() {
    // n3 was silent at first, and differs in the last round.
    check("n1=1 n2=1 n1=1 n2=1 n3=null", WHOLE, Some(Class::Weak));
    check("n1=1 n2=1 n1=1 n2=1 n3=1", WHOLE, Some(Class::Eventual));
    // n1 and n2 differ, but never in one and the same round.
    check("n1=null n3=1 n1=1 n3=1 n2=1", WHOLE, Some(Class::Eventual));
    check("n1=null n2=? n3=1 n1=1 n2=1 n3=1", WHOLE, Some(Class::Eventual));
}

#[test]
fn a_recording_that_ends_early_is_not_valid() {
    let options = Options { expect: Class::Weak.into(), ..Options::default() };
    let verdict = |ending: &[&str]| {
        let mut lines = vec![
            r#"{"time":0,"type":"info","process":"harness","f":"phase","value":"provision"}"#,
            r#"{"time":1,"type":"invoke","process":0,"f":"write","value":1}"#,
            r#"{"time":2,"type":"ok","process":0,"f":"write","value":1}"#,
        ];
        lines.extend(ending);
        judge(&History::read(lines.join("\n").as_bytes()).unwrap(), &options).verdict
    };
    let collect = r#"{"time":9,"type":"info","process":"harness","f":"phase","value":"collect"}"#;
    let stopped =
        r#"{"time":8,"type":"info","process":"harness","f":"stopped","value":"interrupted"}"#;
    assert!(verdict(&[collect]).is_valid());
    assert_eq!(verdict(&[]).reason(), Some("the recording ends before the run did"));
    assert_eq!(verdict(&[stopped, collect]).reason(), Some("interrupted"));
    // What was found stands.
    let found = judged(&Recording { finals: "", ending: &["stopped:interrupted", "collect"] });
    assert!(found.verdict.is_invalid());
}
