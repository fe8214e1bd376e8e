//! Histories in other tools' formats.

use serde_json::json;
use splitbrain_checker::history::{Format, History, ReadOptions};
use splitbrain_checker::{Options, judge};

/// One line for each operation, or the error.
#[track_caller]
fn check(text: &str, options: &ReadOptions, expected: &str) {
    let found = match History::read_with(text.as_bytes(), options) {
        Err(error) => error.to_string(),
        Ok(history) => {
            let show = |operation: &splitbrain_checker::history::Operation| {
                format!(
                    "p{} {} {} {} {:?} {}",
                    operation.process,
                    operation.f,
                    history[operation.key].as_deref().unwrap_or("-"),
                    operation.argument,
                    operation.completion,
                    operation
                        .error
                        .as_ref()
                        .map_or(operation.result.to_string(), |e| e.text.clone())
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

#[test]
fn errors_name_the_line() {
    check("{:process 0\n:f :read\n", &auto(), "line 3: expected }, found the end of the file");
    check(
        "[{:process 0, :type :invoke, :f :read, :value nil}\n {:process 0, :f :read}]",
        &auto(),
        "line 2: expected :type :invoke, :ok, :fail or :info, found {\"f\":\"read\",\"process\":0}",
    );
    check(
        "{:type :invoke, :f :read}",
        &auto(),
        "line 1: expected :process with a number or :nemesis, found {\"f\":\"read\",\"type\":\"invoke\"}",
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
    check("{:process 0}", &named(Format::Porcupine), "");
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(names, ["jsonl", "edn", "porcupine"]);
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
