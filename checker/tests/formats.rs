//! Histories in other tools' formats.

use serde_json::json;
use splitbrain_checker::history::{Completion, Format, History, Operation, ReadOptions};
use splitbrain_checker::{Options, Rung, judge};

/// One line for each operation, or the error.
#[track_caller]
fn check(text: &str, options: &ReadOptions, expected: &str) {
    let found = match History::read_with(text.as_bytes(), options) {
        Err(error) => error.to_string(),
        Ok(history) => {
            let show = |operation: &Operation| {
                format!(
                    "p{} {} {} {} {:?} {}",
                    operation.process,
                    operation.f(),
                    history[operation.key].as_deref().unwrap_or("-"),
                    operation.argument(),
                    operation.completion(),
                    operation.error().map_or(operation.result().to_string(), |e| e.text.clone())
                )
            };
            history.operations().iter().map(show).collect::<Vec<_>>().join("\n")
        }
    };
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(found, expected.join("\n"));
}

fn auto() -> ReadOptions {
    ReadOptions::default()
}

const OPERATIONS: &str = "p0 write - 3 Ok 3
    p1 read - null Ok 3
    p2 cas - [3,4] Info timed-out";

#[test]
fn maps_one_after_another() {
    check(
        "{:process 0, :type :invoke, :f :write, :value 3, :time 5, :index 0}
         {:process 1 :type :invoke :f :read :value nil :time 7}
         {:process 0, :type :ok, :f :write, :value 3, :time 6, :clock-offsets {\"n1\" 0.5}}
         #jepsen.history.Op{:process :nemesis, :type :info, :f [:start :partition], :value \"cut\"}
         {:process 1, :type :ok, :f :read, :value 3, :time -1}
         {:process 2, :type :invoke, :f :cas, :value [3 4]}
         {:process 2, :type :info, :f :cas, :value [3 4], :error :timed-out}",
        &auto(),
        OPERATIONS,
    );
}

#[test]
fn all_maps_in_one_vector_or_list() {
    for (open, close) in [("[", "]"), ("(", ")")] {
        check(
            &format!(
                "; a comment first
                 {open}{{:process 0, :type :invoke, :f :write, :value 3}}
                 {{:process 0, :type :ok, :f :write, :value 3}}
                 {{:process 1, :type :invoke, :f :read, :value nil}} ; and one here
                 {{:process 1, :type :ok, :f :read, :value 3}}
                 {{:process 2, :type :invoke, :f :cas, :value [3 4]}}
                 {{:process 2, :type :info, :f :cas, :value [3 4], :error :timed-out}}{close}"
            ),
            &auto(),
            OPERATIONS,
        );
    }
}

#[test]
fn lines_of_a_log() {
    check(
        "INFO  jepsen.core - starting\n\
         INFO  jepsen.util - 0\t:invoke\t:write\t3\n\
         INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\
         INFO  jepsen.util - 0\t:ok\t:write\t3\n\
         INFO  jepsen.util - 1   :invoke :read   nil\n\
         INFO  jepsen.util - 1   :ok     :read   3\n\
         INFO  jepsen.util - 2\t:invoke\t:cas\t[3 4]\n\
         INFO  jepsen.util - 2\t:info\t:cas\t:timed-out\n",
        &auto(),
        OPERATIONS,
    );
}

#[test]
fn independent_keys() {
    let edn = "{:process 0, :type :invoke, :f :write, :value [7 3]}
               {:process 1, :type :invoke, :f :read, :value [\"x\" nil]}
               {:process 0, :type :ok, :f :write, :value [7 3]}
               {:process 1, :type :ok, :f :read, :value [\"x\" 5]}
               {:process 2, :type :invoke, :f :cas, :value [7 [3 4]]}
               {:process :nemesis, :type :info, :f :start, :value nil}";
    let independent = ReadOptions { independent: true, ..auto() };
    check(
        edn,
        &independent,
        "p0 write 7 3 Ok 3
         p1 read x null Ok 5
         p2 cas 7 [3,4] Info null",
    );
    check(
        "{:process 0, :type :invoke, :f :write, :value 3}",
        &independent,
        "line 1: expected [key, value] as the value of an operation on independent keys, found 3",
    );
}

/// Where no event has a process there is one.
#[test]
fn processes_without_names() {
    for text in [
        "{:type :invoke, :f :read}\n{:type :ok, :f :read, :value 1}\n{:type :invoke, :f :read}\n",
        r#"[{"type":"invoke","f":"read"},{"type":"ok","f":"read","value":1},{"type":"invoke","f":"read"}]"#,
    ] {
        let history = History::read(text.as_bytes()).expect("a history");
        let ends: Vec<bool> = history.operations().iter().map(Operation::is_ok).collect();
        assert_eq!(ends, [true, false]);
    }
    check(
        "{:type :invoke, :f :read}\n{:type :invoke, :f :read}\n",
        &auto(),
        "line 2: expected the completion of process 0's read (event 0) before its next invocation, found \
         the invocation of a read",
    );
}

#[test]
fn errors_name_the_line() {
    check("{:process 0\n:f :read\n", &auto(), "line 3: expected }, found the end of the file");
    check(
        "[{:process 0, :type :invoke, :f :read, :value nil}\n {:process 0, :f :read}]",
        &auto(),
        "line 2: expected :type :invoke, :ok, :fail or :info, found {\"f\":\"~:read\",\"process\":0}",
    );
    // Where others have one.
    check(
        "{:process 0, :type :invoke, :f :read}\n{:type :ok, :f :read}",
        &auto(),
        "line 2: expected :process with a number or :nemesis, which tells whose completion an event \
         is, found {\"f\":\"~:read\",\"type\":\"~:ok\"}",
    );
    check("[1]", &auto(), "line 1: expected a map for each event, found 1");
    check(
        "{:process 0, :type :ok, :f :read}\n",
        &auto(),
        "line 1: expected an invocation of process 0 before its completion, found the completion \
         of a read",
    );
    check(
        "INFO  jepsen.util - 0\t:invoke\t:write\t3\nINFO  jepsen.util - 0\t:ok\t:read\t3\n",
        &auto(),
        "line 2: expected the completion of process 0's write, found the completion of a read",
    );
    check(
        "INFO  jepsen.util - 0\t:invoke\t7\n",
        &auto(),
        "line 1: expected the name of a function, found 7",
    );
}

#[test]
fn a_format_that_is_named_is_not_guessed() {
    let named = |format| ReadOptions { format: Some(format), ..auto() };
    check(
        "{:process 0}",
        &named(Format::Jsonl),
        "line 1: expected a JSON event (key must be a string), found {:process 0}",
    );
    let nothing = "line 1: expected an event, found none in the whole file";
    check("{:process 0}", &named(Format::Porcupine), nothing);
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(
        names,
        ["jsonl", "edn", "json", "porcupine", "plume", "awdit", "dbcop", "cobra", "etcd"]
    );
}

#[test]
fn times_of_other_tools_may_turn_back_but_the_order_holds() {
    // The read of nil comes after the acknowledgement, though it carries an earlier time.
    let edn = "{:process 0, :type :invoke, :f :write, :value 1, :time 50}
               {:process 0, :type :ok, :f :write, :value 1, :time 60}
               {:process 1, :type :invoke, :f :read, :value nil, :time 40}
               {:process 1, :type :ok, :f :read, :value nil, :time 70}";
    let history = History::read(edn.as_bytes()).expect("a history");
    let judgement = judge(&history, &Options::default());
    assert_eq!(judgement.violations[0].name, "stale-read");
    let initial = Options { nil_reads_any: true, initial: Some(json!(0)), ..Options::default() };
    assert!(judge(&history, &initial).verdict.is_valid());
}

#[test]
fn insertions_of_rows_are_pairs_of_key_and_row() {
    let edn = "{:process 0, :type :invoke, :f :insert, :value [1 [1 nil]]}
               {:process 0, :type :ok, :f :insert, :value [1 [1 nil]]}
               {:process 1, :type :invoke, :f :insert, :value [2 [nil 2]]}
               {:process 1, :type :ok, :f :insert, :value [2 [nil 2]]}";
    check(edn, &auto(), "p0 insert 1 [1,null] Ok [1,null]\np1 insert 2 [null,2] Ok [null,2]");
    // Their twin: what is inserted here is a pair itself.
    let pairs = edn.replace("[1 [1 nil]]", "[1 2]").replace("[2 [nil 2]]", "[2 3]");
    check(&pairs, &auto(), "p0 insert - [1,2] Ok [1,2]\np1 insert - [2,3] Ok [2,3]");
}

#[test]
fn pairs_of_key_and_value_are_seen_where_a_read_asks_for_one() {
    let edn = "{:process 0, :type :invoke, :f :write, :value [7 3]}
               {:process 1, :type :invoke, :f :read, :value [\"x\" nil]}
               {:process 0, :type :ok, :f :write, :value [7 3]}
               {:process 1, :type :ok, :f :read, :value [\"x\" 5]}
               {:process 2, :type :invoke, :f :cas, :value [7 [3 4]]}
               {:process 2, :type :info, :f :cas, :value nil}";
    let keyed = "p0 write 7 3 Ok 3
                 p1 read x null Ok 5
                 p2 cas 7 [3,4] Info null";
    check(edn, &auto(), keyed);
    // What did not happen, and a write, may be answered with nothing.
    let silent = edn.replace(":ok, :f :write, :value [7 3]", ":ok, :f :write, :value nil");
    let without = keyed.replace("7 3 Ok 3", "7 3 Ok null");
    check(&silent, &auto(), &without);
    let independent = ReadOptions { independent: true, ..auto() };
    check(&silent, &independent, &without);
    // But a read of a key that it does not name has no answer.
    check(
        &edn.replace("[\"x\" 5]", "nil"),
        &independent,
        "line 4: expected [key, value] as the value of an operation on independent keys, found null",
    );
    // Nothing but compare-and-set: [3 4] may be a pair of an old and a new value.
    check(
        "{:process 0, :type :invoke, :f :cas, :value [3 4]}
         {:process 0, :type :ok, :f :cas, :value [3 4]}",
        &auto(),
        "p0 cas - [3,4] Ok [3,4]",
    );
    // A register that holds lists: the answer does not repeat the key.
    let lists = edn.replace("[\"x\" 5]", "[1 2]");
    check(
        &lists,
        &auto(),
        "p0 write - [7,3] Ok [7,3]
         p1 read - [\"x\",null] Ok [1,2]
         p2 cas - [7,[3,4]] Info null",
    );
}

#[test]
fn objects_in_one_array() {
    let json = "[{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":3,\n\"time\":1},
         {\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":3}
         ,{\"process\":1, \"type\":\"invoke\", \"f\":\"read\"},
         {\"process\":1,\"type\":\"ok\",\"f\":\"read\",\"value\":3},
         {\"process\":\"nemesis\",\"type\":\"info\",\"f\":[\"start\",\"}\"],\"value\":\"\\\"}{\"},
         {\"process\":2,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[3,4]},
         {\"process\":2,\"type\":\"info\",\"f\":\"cas\",\"value\":[3,4],\"error\":\"timed-out\"}]";
    check(json, &auto(), OPERATIONS);
    let error = json.replace("\"f\":\"read\"}", "\"f\":\"read\",}");
    check(&error, &auto(), "line 4: expected a JSON object, found trailing comma");
}

const TRANSACTIONS: &str = "p1 txn - [[\"w\",0,1],[\"w\",0,2]] Ok [[\"w\",0,1],[\"w\",0,2]]
    p1 txn - [[\"r\",0,null],[\"w\",5,9]] Ok [[\"r\",0,2],[\"w\",5,9]]
    p2 txn - [[\"w\",0,3]] Fail [[\"w\",0,3]]";

#[test]
fn transactions_in_plumes_notation() {
    let text = "w(0,1,1,1)\nw(0,2,1,1)\nr(0,2,1,2)\nw( 5, 9, 1, 2)\n\nw(0,3,2,-1)\n";
    check(text, &auto(), TRANSACTIONS);
    let history = History::read(text.as_bytes()).expect("a history");
    assert!(!history.has_real_time());
    let judgement = judge(&history, &Options::default());
    // There is no time to be strict about.
    assert_eq!(judgement.strongest, [Rung::StrongSessionSerializable]);
    for (wrong, what) in [
        ("w(0,1,1)", "r(key,value,session,transaction) or w(...), all of them numbers"),
        ("w(-1,1,1,1)", "a natural key"),
        ("x", "r(key,value,session,transaction) or w(...), all of them numbers"),
    ] {
        check(
            &format!("w(0,1,1,1)\n\n{wrong}\n"),
            &auto(),
            &format!("line 3: expected {what}, found {wrong}"),
        );
    }
}

#[test]
fn transactions_in_awdits_notation() {
    check(
        "# a comment\nw 0 1 # another\nw 0 2\n----\nr 0 2\nw 5 9\n====\n----\nw 0 3\n",
        &auto(),
        "p0 txn - [[\"w\",0,1],[\"w\",0,2]] Ok [[\"w\",0,1],[\"w\",0,2]]
         p0 txn - [[\"r\",0,null],[\"w\",5,9]] Ok [[\"r\",0,2],[\"w\",5,9]]
         p1 txn - [[\"w\",0,3]] Ok [[\"w\",0,3]]",
    );
    check("w 1 1\nw 1\n", &auto(), "line 2: expected r KEY VALUE or w KEY VALUE, found w 1");
    check("w 1 -1\n", &auto(), "line 1: expected natural numbers, found w 1 -1");
}

/// Events (writes, variable, value) of a transaction, and whether it was committed.
type Transaction<'a> = (&'a [(bool, u64, u64)], bool);

/// A file of dbcop: transactions of each session.
fn dbcop(sessions: &[&[Transaction<'_>]]) -> Vec<u8> {
    let mut bytes = [3_u64, 1, 1, 1, 1, 1].map(u64::to_le_bytes).concat();
    bytes.push(b'x');
    for number in [0, 0, sessions.len() as u64] {
        bytes.extend(u64::to_le_bytes(number));
    }
    for transactions in sessions {
        bytes.extend((transactions.len() as u64).to_le_bytes());
        for (events, committed) in *transactions {
            bytes.extend((events.len() as u64).to_le_bytes());
            for (writes, variable, value) in *events {
                bytes.push(u8::from(*writes));
                bytes.extend(variable.to_le_bytes());
                bytes.extend(value.to_le_bytes());
                bytes.push(1);
            }
            bytes.push(u8::from(*committed));
        }
    }
    bytes
}

#[test]
fn transactions_in_dbcops_notation() {
    let bytes = dbcop(&[
        &[],
        &[(&[(true, 0, 1), (true, 0, 2)], true), (&[(false, 0, 2), (true, 5, 9)], true)],
        &[(&[(true, 0, 3)], false)],
    ]);
    let history = History::read(&*bytes).expect("a history");
    let text = "w(0,1,1,1)\nw(0,2,1,1)\nr(0,2,1,2)\nw(5,9,1,2)\nw(0,3,2,-1)\n";
    let same = History::read(text.as_bytes()).expect("a history");
    assert!(history.events().eq(same.events()));
    for end in 8..bytes.len() {
        let error = History::read(&bytes[..end]).expect_err("it breaks off").to_string();
        assert!(error.ends_with("found the end of the file"), "{error}");
    }
    let error = History::read(&*[bytes, vec![0]].concat()).expect_err("it goes on");
    assert!(error.to_string().ends_with("found more bytes"), "{error}");
}

/// A log of Cobra: letters, each with its numbers.
fn cobra(records: &[(u8, &[u64])]) -> Vec<u8> {
    let record = |(letter, numbers): &(u8, &[u64])| {
        let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
        std::iter::once(*letter).chain(numbers).collect::<Vec<u8>>()
    };
    records.iter().flat_map(record).collect()
}

/// A key's hash, which is more than JSON's readers keep if they are not careful.
const KEY: u64 = u64::MAX - 1;

const COBRA: [(u8, &[u64]); 9] = [
    (b'S', &[1]),
    (b'W', &[101, KEY, 7]),
    (b'R', &[0xbebe_ebee, 0xbebe_ebee, 5, 0]),
    (b'R', &[0xbebe_ebee, 0x2333_2333, 6, 0]),
    (b'C', &[1]),
    (b'S', &[2]),
    (b'R', &[1, 101, KEY, 7]),
    (b'C', &[2]),
    (b'S', &[3]),
];

#[test]
fn transactions_in_cobras_notation() {
    let bytes = cobra(&COBRA);
    let history = History::read(&*bytes).expect("a history");
    assert!(!history.has_real_time());
    let values: Vec<String> = history.operations().iter().map(|o| o.result().to_string()).collect();
    let written = format!("[[\"w\",{KEY},101],[\"r\",5,null]]");
    // The last transaction was not committed.
    assert_eq!(values, [written, format!("[[\"r\",{KEY},101]]"), "[]".to_owned()]);
    let ends: Vec<_> = history.operations().iter().map(Operation::completion).collect();
    assert_eq!(ends, [Completion::Ok, Completion::Ok, Completion::Info]);
    let whole = cobra(&COBRA[..8]);
    let error = read_as(Format::Cobra, &[whole.as_slice(), b"W"].concat());
    assert_eq!(error, format!("line 1: expected S at byte {}, found W", whole.len() + 1));
    let error = read_as(Format::Cobra, &cobra(&[COBRA[0], COBRA[0]]));
    assert_eq!(error, "line 1: expected W, R or C at byte 10, found S");
    let error = read_as(Format::Cobra, &cobra(&[(b'S', &[1]), (b'C', &[2])]));
    assert_eq!(error, "line 1: expected the end of transaction 1 at byte 18, found that of 2");
    let error = read_as(Format::Cobra, &cobra(&[(b'S', &[1]), (b'R', &[0xdead_beef, 9, 9, 9])]));
    assert!(error.ends_with("found write 9 of none"), "{error}");
    for end in [5, 12, 30] {
        let error = read_as(Format::Cobra, &whole[..end]);
        assert!(error.ends_with("found the end of the file"), "{error}");
    }
}

#[test]
fn a_folder_of_cobras_logs_is_a_session_for_each() {
    let folder = std::env::temp_dir().join(format!("splitbrain-cobra-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let error = History::open(&folder).expect_err("it is empty").to_string();
    assert!(error.contains("or */operations.json of etcd, found none in "), "{error}");
    for (name, records) in
        [("T2.log", &COBRA[5..8]), ("T1.log", &COBRA[..5]), ("other", &COBRA[..1])]
    {
        std::fs::write(folder.join(name), cobra(records)).expect("written");
    }
    let history = History::open(&folder);
    std::fs::remove_dir_all(&folder).expect("removed");
    let history = history.expect("a history");
    let processes: Vec<u64> = history.operations().iter().map(|o| o.process).collect();
    assert_eq!(processes, [0, 1]);
}

fn read_as(format: Format, bytes: &[u8]) -> String {
    let options = ReadOptions { format: Some(format), ..auto() };
    History::read_with(bytes, &options).expect_err("a refusal").to_string()
}
