//! Forms and what they become.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Forms;

/// All forms of a text, or the error.
fn read(text: &[u8]) -> Result<Vec<Value>, String> {
    let mut forms = Forms::new(text, 1);
    let mut all = Vec::new();
    while let Some(form) = forms.next_form().map_err(|error| error.to_string())? {
        all.push(form);
    }
    Ok(all)
}

#[track_caller]
fn check(text: &str, expected: &Value) {
    assert_eq!(read(text.as_bytes()).map(Value::Array), Ok(expected.clone()), "{text}");
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(read(text.as_bytes()), Err(expected.to_owned()), "{text}");
}

#[test]
fn atoms() {
    check("nil true false", &json!([null, true, false]));
    check("0 -1 +1 9223372036854775808 12N", &json!([0, -1, 1, 9_223_372_036_854_775_808_u64, 12]));
    check("1.5 -2.5e3 3.25M", &json!([1.5, -2500.0, 3.25]));
    check("1/2 ##Inf ##-Inf ##NaN", &json!(["~r1/2", "~zInf", "~z-Inf", "~zNaN"]));
    check(":ok :timed-out :a/b", &json!(["~:ok", "~:timed-out", "~:a/b"]));
    check("sym -sym ns/sym", &json!(["~$sym", "~$-sym", "~$ns/sym"]));
    check(r"\a \newline \( [\)]", &json!(["~ca", "~cnewline", "~c(", ["~c)"]]));
    check(r#""a\"b\\c\nd" "é\u00e9" "" "#, &json!(["a\"b\\c\nd", "éé", ""]));
    check(r#""\ud83d\ude00" "\ud83d\ude01""#, &json!(["\u{1f600}", "\u{1f601}"]));
}

#[test]
fn collections() {
    check("[1 2] (3) #{4} []", &json!([[1, 2], [3], [4], []]));
    check("#{10 9 :b \"a\" nil 1.5}", &json!([[null, 9, 10, 1.5, "a", "~:b"]]));
    check("{:a 1, \"b\" [2] 3 4}", &json!([{"a": 1, "~'b": [2], "3": 4}]));
    check("[[:r 1 nil][:w 2 3]]", &json!([[["~:r", 1, null], ["~:w", 2, 3]]]));
}

#[test]
fn what_is_passed_over() {
    check("; nothing\n 1 ;here\n,,2", &json!([1, 2]));
    check("#_ [1 2] 3 [#_4]", &json!([3, []]));
    check(
        "#jepsen.history.Op{:index 0} #tag [1] #inst \"x\"",
        &json!([{"index": 0}, [1], "~#inst x"]),
    );
    check("#object[Foo 0x1a \"x\"] #\"re\"", &json!([["~$Foo", "~$0x1a", "x"], "~# re"]));
    check("^:meta {:a 1} ^{:b 2} [3]", &json!([{"a": 1}, [3]]));
}

#[test]
fn errors_name_the_line() {
    check_error("{:a 1}\n[1 2", "line 2: expected ], found the end of the file");
    check_error("\n\n]", "line 3: expected a form, found ]");
    check_error("[1\n)", "line 2: expected a form, found )");
    check_error("{:a}", "line 1: expected a value for each key of a map, found none");
    check_error("\"abc", "line 1: expected \", found the end of the file");
    check_error("#tag", "line 1: expected a form, found the end of the file");
    check_error("[#_ ]", "line 1: expected a form, found ]");
    let half = "line 1: expected the other half of a surrogate pair, found none";
    check_error(r#""\ud83d\n""#, half);
    let other = "line 1: expected a character or a surrogate pair, found half of one";
    check_error(r#""\ude00""#, other);
    check_error(r#""\ud83d\u0041""#, other);
    check_error(r#""\x""#, r"line 1: expected an escape such as \n or \u00e9, found \x");
    check_error("\"\\u12x4\"", "line 1: expected four hexadecimal digits, found others");
    check_error(&"[".repeat(1_000), "line 1: expected a history, found forms nested too deep");
    assert_eq!(read(b"\"\xff\""), Err("line 1: expected UTF-8, found other bytes".to_owned()));
}

/// Writes a value in EDN.
fn write(value: &Value) -> String {
    let all = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "nil".to_owned(),
        Value::Array(items) => format!("[{}]", all(&mut items.iter().map(write))),
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| format!(":{key} {}", write(value));
            format!("{{{}}}", all(&mut map.iter().map(entry)))
        }
        other => other.to_string(),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        "[a-z \n\"\\\\é]{0,6}".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(value in value()) {
        prop_assert_eq!(read(write(&value).as_bytes()), Ok(vec![value]));
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_text_of_its_own_signs_breaks_the_reader(text in r#"[\[\](){}#_^:;"\\ a1/.N\n]{0,40}"#) {
        let _ = read(text.as_bytes());
    }
}
