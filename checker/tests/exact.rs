//! Values and keys that differ stay different, and those that are the same stay the same, in every
//! notation: a reader that makes one of two hides violations, one that makes two of one invents them.

use splitbrain_checker::history::{Format, History, Notation, ReadOptions, parse_value};
use splitbrain_checker::{Options, judge};

/// A write and a read of what may be the same, as JSON lines and in EDN.
fn json(written: &str, read: &str) -> String {
    format!(
        r#"{{"type":"invoke","process":0,"f":"write","value":{written}}}
{{"type":"ok","process":0,"f":"write","value":{written}}}
{{"type":"invoke","process":1,"f":"read","value":null}}
{{"type":"ok","process":1,"f":"read","value":{read}}}
"#
    )
}

fn edn(written: &str, read: &str) -> String {
    format!(
        "{{:type :invoke, :process 0, :f :write, :value {written}}}
{{:type :ok, :process 0, :f :write, :value {written}}}
{{:type :invoke, :process 1, :f :read, :value nil}}
{{:type :ok, :process 1, :f :read, :value {read}}}
"
    )
}

fn verdict(text: &str) -> String {
    match History::read(text.as_bytes()) {
        Ok(history) => judge(&history, &Options::default()).verdict.name().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The same verdict also after the history was written in each notation.
#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(verdict(text), expected, "{text}");
    let history = History::read(text.as_bytes()).expect("a history");
    for notation in Notation::ALL.into_iter().filter(|notation| notation.has_real_time()) {
        let mut written = Vec::new();
        history.write(notation, &mut written).expect("a Vec takes everything");
        let written = String::from_utf8(written).expect("UTF-8");
        assert_eq!(verdict(&written), expected, "{text}\nas\n{written}");
    }
}

#[test]
fn values_that_differ_in_edn() {
    for (one, other) in [
        ("36893488147419103232", "36893488147419103233"),
        ("36893488147419103232", "\"36893488147419103232\""),
        ("-36893488147419103232N", "-36893488147419103231N"),
        ("1.00000000000000000001M", "1.00000000000000000002M"),
        (":a", "\"a\""),
        (":a", "a"),
        ("a", "\"a\""),
        ("\\a", "\"a\""),
        ("1/2", "\"1/2\""),
        ("##Inf", "\"##Inf\""),
        ("#inst \"2020\"", "\"2020\""),
        ("nil", "\"nil\""),
        ("true", "\"true\""),
        ("5", "\"5\""),
        ("5", "5.0"),
        (":a", "\"~:a\""),
        ("\"~:a\"", "\"~~:a\""),
        ("[:a]", "[\"a\"]"),
        ("{:a 1}", "{\"a\" 1}"),
        ("{5 1}", "{\"5\" 1}"),
        ("{:null 1}", "{nil 1}"),
        ("{:null 1}", "{\"null\" 1}"),
        ("{\"~'a\" 1}", "{\"a\" 1}"),
        ("{a 1}", "{:a 1}"),
        ("{[1 2] 1}", "{\"[1,2]\" 1}"),
        ("#{1 2}", "#{1 3}"),
    ] {
        check(&edn(one, other), "invalid");
        check(&edn(other, one), "invalid");
        check(&edn(one, one), "valid");
        check(&edn(other, other), "valid");
    }
}

#[test]
fn values_that_are_the_same_in_edn() {
    for (one, other) in [
        ("#{1 2}", "#{2 1}"),
        ("#{#{1 2} #{3}}", "#{#{3} #{2 1}}"),
        ("#{:b \"a\" nil 10 9 -1.5}", "#{9 10 -1.5 nil \"a\" :b}"),
        ("{:a 1, :b 2}", "{:b 2 :a 1}"),
        ("[1 2]", "(1 2)"),
        ("12N", "+12"),
        ("36893488147419103232N", "036893488147419103232"),
        ("1.50M", "1.5M"),
    ] {
        check(&edn(one, other), "valid");
    }
}

/// What looks like a transaction but is none is kept, whatever its names are.
#[test]
fn names_of_steps_come_back() {
    for value in [r#"[["nil",1],["~:x"]]"#, r#"[":k",["nil"]]"#, r#"[["r",1,null]]"#] {
        let txn = json(value, value).replace("\"write\"", "\"txn\"");
        let history = History::read(txn.as_bytes()).expect("a history");
        let mut edn = Vec::new();
        history.write(Notation::Edn, &mut edn).expect("a Vec takes everything");
        let again = History::read(&*edn).expect("a history");
        assert!(history.events().eq(again.events()), "{}", String::from_utf8_lossy(&edn));
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    let map = "line 2: expected a map without repetition, found a";
    let history = edn("{:a 1}", "nil").replacen(
        ":ok, :process 0, :f :write, :value {:a 1}",
        ":ok, :process 0, :f :write, :value {:a 1 :a 2}",
        1,
    );
    assert_eq!(verdict(&history), map);
    assert_eq!(
        verdict(&edn("#{1 2 1}", "nil")),
        "line 1: expected a set without repetition, found 1"
    );
    let twice = r#"{"a":1,"a":2}"#;
    let error = verdict(&json(twice, "null"));
    assert!(error.starts_with("line 1: expected a JSON event (duplicate field `a`)"), "{error}");
    let error = verdict(&format!("[{}]", json(twice, "null")));
    assert_eq!(error, "line 1: expected a JSON object, found duplicate field `a`");
}

#[test]
fn numbers_that_json_would_round_are_refused() {
    let expected = "whole numbers of at most 64 bits (longer ones can be given as texts)";
    for number in
        ["18446744073709551616", "-9223372036854775809", "[1,{\"a\":18446744073709551617}]"]
    {
        let digits: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
        let digits = digits.trim_start_matches("11844").to_owned();
        let error = verdict(&json("1", number));
        assert!(error.starts_with(&format!("line 4: expected {expected}, found ")), "{error}");
        assert!(error.ends_with(&digits), "{error} {digits}");
        let error = verdict(&format!("[{}]", json("1", number)));
        assert!(error.starts_with(&format!("line 4: expected {expected}, found ")), "{error}");
        assert!(parse_value(number).is_err());
    }
    let key = json("1", "1").replace("\"f\"", "\"key\":18446744073709551616,\"f\"");
    assert!(verdict(&key).contains("a key has to consist of whole numbers"), "{}", verdict(&key));
    let header =
        format!("{{\"splitbrain\":1,\"initial\":18446744073709551616}}\n{}", json("1", "1"));
    assert!(verdict(&header).starts_with("line 1: expected whole numbers"), "{}", verdict(&header));
    // The twins: numbers that fit, floats, digits in texts, and what nobody looks at.
    for fits in ["18446744073709551615", "-9223372036854775808", "1e30", "\"18446744073709551616\""]
    {
        check(&json(fits, fits), "valid");
        assert!(parse_value(fits).is_ok());
    }
    let ignored = json("1", "1").replace("\"f\"", "\"trace\":18446744073709551616,\"f\"");
    check(&ignored, "valid");
}

#[test]
fn keys_of_different_kinds_are_different_objects() {
    // Each key's own value is read there, or the other's.
    let keyed = |one: &str, other: &str, read_from: &str| {
        let event = |process: u8, kind: &str, f: &str, key: &str, value: &str| {
            format!(
                r#"{{"type":"{kind}","process":{process},"f":"{f}","key":{key},"value":{value}}}"#
            )
        };
        [
            event(0, "invoke", "write", one, "1"),
            event(0, "ok", "write", one, "1"),
            event(1, "invoke", "write", other, "2"),
            event(1, "ok", "write", other, "2"),
            event(2, "invoke", "read", read_from, "null"),
            event(2, "ok", "read", read_from, "1"),
        ]
        .join("\n")
    };
    for (one, other) in [
        ("5", "\"5\""),
        ("\"5\"", "\"\\\"5\\\"\""),
        ("true", "\"true\""),
        ("-5", "\"-5\""),
        ("[1]", "\"[1]\""),
        ("5", "5.0"),
        ("12345678901234567", "\"12345678901234567\""),
        ("0", "\"0\""),
    ] {
        check(&keyed(one, other, one), "valid");
        check(&keyed(one, other, other), "invalid");
        check(&keyed(other, one, other), "valid");
        // Blanks make no other reader of it, and no other key.
        let spaced = keyed(one, other, other).replace("\"key\":", "\"key\" : ");
        check(&spaced, "invalid");
    }
    // Where nothing is mistaken, names are plain.
    for (key, name) in [("5", "5"), ("\"5\"", "5"), ("\"\\\"x\\\"\"", "\"x\""), ("\"k7\"", "k7")] {
        let history = History::read(keyed(key, key, key).as_bytes()).expect("a history");
        assert_eq!(history.keys(), [Some(name.to_owned())]);
    }
    let both = History::read(keyed("5", "\"5\"", "5").as_bytes()).expect("a history");
    assert_eq!(both.keys(), [Some("5".to_owned()), Some("\"5\"".to_owned())]);
}

#[test]
fn independent_keys_of_different_kinds_are_different_objects() {
    let tuples = |one: &str, other: &str, read_from: &str| {
        format!(
            "{{:type :invoke, :process 0, :f :write, :value [{one} 1]}}
             {{:type :ok, :process 0, :f :write, :value [{one} 1]}}
             {{:type :invoke, :process 1, :f :write, :value [{other} 2]}}
             {{:type :ok, :process 1, :f :write, :value [{other} 2]}}
             {{:type :invoke, :process 2, :f :read, :value [{read_from} nil]}}
             {{:type :ok, :process 2, :f :read, :value [{read_from} 1]}}"
        )
    };
    for (one, other) in
        [(":a", "\"a\""), ("5", "\"5\""), ("#inst \"x\"", "\"x\""), ("1/2", "\"1/2\"")]
    {
        check(&tuples(one, other, one), "valid");
        check(&tuples(one, other, other), "invalid");
        let options = ReadOptions { independent: true, format: Some(Format::Edn) };
        let history = History::read_with(tuples(one, other, other).as_bytes(), &options);
        assert_eq!(history.expect("a history").keys().len(), 2, "{one} {other}");
    }
}
