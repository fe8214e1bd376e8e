//! The anomalies of transactions; [`super::ANOMALIES`] has those of single registers.

use super::Anomaly;

const ADYA: &str = "Adya, Weak consistency (1999).";
const ELLE: &str = "Kingsbury and Alvaro, Elle: inferring isolation anomalies from experimental observations (2020).";

/// All of them, the gravest first.
pub const OF_TRANSACTIONS: &[Anomaly] = &[
    Anomaly {
        name: "G0",
        also: &["dirty write", "write cycle"],
        about: "Two transactions wrote the same keys, and their writes came in opposite orders.",
        example: "0 at n1: txn - [[\"append\",1,1],[\"append\",2,1]] 1-4\n\
                  1 at n2: txn - [[\"append\",1,2],[\"append\",2,2]] 1-4\n\
                  2 at n3: txn - [[\"r\",1,[1,2]],[\"r\",2,[2,1]]] 5-6",
        rules_out: &["read-uncommitted"],
        cause: "writes that are applied key by key, at each node in the order in which they come.",
        literature: ADYA,
    },
    Anomaly {
        name: "G1a",
        also: &["aborted read of a transaction"],
        about: "A transaction read what another one wrote that certainly did not happen.",
        example: "0 at n1: txn - [[\"append\",1,1]] 1-2 fail\n1 at n2: txn - [[\"r\",1,[1]]] 3-4",
        rules_out: &["read-committed"],
        cause: "a value that is visible before it is decided, or an error answer for what went on.",
        literature: ADYA,
    },
    Anomaly {
        name: "G1b",
        also: &["intermediate read"],
        about: "A transaction read a value that its writer replaced in the same transaction.",
        example: "0 at n1: txn - [[\"append\",1,1],[\"append\",1,2]] 1-4\n1 at n2: txn - [[\"r\",1,[1]]] 2-3",
        rules_out: &["read-committed"],
        cause: "steps of a transaction that take effect one by one.",
        literature: ADYA,
    },
    Anomaly {
        name: "G1c",
        also: &["circular information flow"],
        about: "Transactions read or replace what each other wrote, in a circle.",
        example: "0 at n1: txn - [[\"append\",1,1],[\"r\",2,[1]]] 1-4\n1 at n2: txn - [[\"append\",2,1],[\"r\",1,[1]]] 1-4",
        rules_out: &["read-committed"],
        cause: "reads of what is not committed yet.",
        literature: ADYA,
    },
    Anomaly {
        name: "lost-update",
        also: &["P4"],
        about: "Two transactions read the same version of a key and both wrote the next one.",
        example: "0 at n1: txn - [[\"append\",1,1]] 1-2\n\
                  1 at n2: txn - [[\"r\",1,[1]],[\"append\",1,2]] 3-6\n\
                  2 at n3: txn - [[\"r\",1,[1]],[\"append\",1,3]] 3-6",
        rules_out: &[
            "snapshot-isolation",
            "parallel-snapshot-isolation",
            "repeatable-read",
            "update-serializable",
        ],
        cause: "a read and a write of one transaction that are not made under one lock or one check.",
        literature: "Berenson et al., A critique of ANSI SQL isolation levels (1995).",
    },
    Anomaly {
        name: "G-single",
        also: &["read skew", "single anti-dependency cycle"],
        about: "A circle with one read of what was replaced: a transaction saw one effect of another and missed an \
                earlier one.",
        example: "0 at n1: txn - [[\"append\",1,1],[\"append\",2,1]] 1-4\n\
                  1 at n2: txn - [[\"r\",1,[]],[\"r\",2,[1]]] 2-5",
        rules_out: &["read-atomic", "snapshot-isolation", "update-serializable", "repeatable-read"],
        cause: "reads of one transaction that are of different moments.",
        literature: "Adya, Weak consistency (1999); Berenson et al. call it read skew (1995).",
    },
    Anomaly {
        name: "G2-item",
        also: &["write skew"],
        about: "A circle with several reads of what was replaced: each of two transactions missed what the other wrote.",
        example: "0 at n1: txn - [[\"r\",1,[]],[\"append\",2,1]] 1-4\n\
                  1 at n2: txn - [[\"r\",2,[]],[\"append\",1,1]] 1-4",
        rules_out: &["repeatable-read", "update-serializable"],
        cause: "snapshot isolation: it is what it allows.",
        literature: "Berenson et al., A critique of ANSI SQL isolation levels (1995); Adya (1999), G2-item.",
    },
    Anomaly {
        name: "cyclic-versions",
        also: &[],
        about: "What was read of a register, and what came first, say of its versions that each came before the other.",
        example: "0 at n1: txn - [[\"w\",1,1]] 1-2\n\
                  1 at n2: txn - [[\"w\",1,2]] 3-4\n\
                  2 at n3: txn - [[\"r\",1,2],[\"w\",2,5]] 5-6\n\
                  3 at n1: txn - [[\"r\",2,5],[\"r\",1,1]] 7-8",
        rules_out: &["strong-snapshot-isolation"],
        cause: "a write that is applied again late, or two that replicas apply in different orders.",
        literature: ELLE,
    },
    Anomaly {
        name: "unserializable",
        also: &[],
        about: "No order of these transactions explains what they read, whichever order the versions of registers had, \
                and it takes more than one circle to see it: here either of two writes came first, and either of two \
                others, and all four ways are wrong.",
        example: "0 at n1: txn - [[\"w\",1,1],[\"w\",3,1]] 1-4\n\
                  1 at n2: txn - [[\"w\",1,2],[\"w\",4,1]] 1-4\n\
                  2 at n3: txn - [[\"w\",2,1],[\"w\",5,1]] 1-4\n\
                  3 at n4: txn - [[\"w\",2,2],[\"w\",6,1]] 1-4\n\
                  4 at n1: txn - [[\"r\",1,1],[\"r\",5,1],[\"r\",6,1]] 1-4\n\
                  5 at n2: txn - [[\"r\",1,2],[\"r\",5,1],[\"r\",6,1]] 1-4\n\
                  6 at n3: txn - [[\"r\",2,1],[\"r\",3,1],[\"r\",4,1]] 1-4\n\
                  7 at n4: txn - [[\"r\",2,2],[\"r\",3,1],[\"r\",4,1]] 1-4",
        rules_out: &["snapshot-isolation", "repeatable-read"],
        cause: "replicas that apply what is concurrent in different orders; parallel snapshot isolation allows this one.",
        literature: "Papadimitriou, The serializability of concurrent database updates (1979).",
    },
    Anomaly {
        name: "no-snapshots",
        also: &[],
        about: "No snapshots explain what these transactions read, whichever order the versions of registers had: each reads \
                what was committed when it began, and of two that write the same key one begins after the other has \
                ended. Here neither saw the other, and both wrote the same keys.",
        example: "0 at n1: txn - [[\"r\",1,null],[\"w\",1,1],[\"w\",2,1]] 1-4\n\
                  1 at n2: txn - [[\"r\",2,null],[\"w\",2,2],[\"w\",1,2]] 2-3",
        rules_out: &["snapshot-isolation", "repeatable-read", "update-serializable"],
        cause: "writes to the same key of transactions that are open at once, of which none is refused.",
        literature: "Berenson et al., A critique of ANSI SQL isolation levels (1995); Biswas and Enea, On the complexity of \
                     checking transactional consistency (2019).",
    },
    Anomaly {
        name: "internal",
        also: &[],
        about: "A transaction read something else than what it had read or written itself just before.",
        example: "1 at n2: txn - [[\"append\",1,2]] 1-2\n0 at n1: txn - [[\"append\",1,1],[\"r\",1,[2]]] 3-4",
        rules_out: &["read-committed"],
        cause: "reads that go to another copy than writes.",
        literature: "Cerone, Bernardi and Gotsman, A framework for transactional consistency models (2015).",
    },
    Anomaly {
        name: "incompatible-order",
        also: &[],
        about: "Two reads of a list of which neither is the beginning of the other, although it only grows.",
        example: "0 at n1: txn - [[\"append\",1,1]] 1-2\n1 at n2: txn - [[\"append\",1,2]] 1-2\n\
                  2 at n3: txn - [[\"r\",1,[1,2]]] 3-4\n0 at n1: txn - [[\"r\",1,[2]]] 3-4",
        rules_out: &["read-uncommitted"],
        cause: "an append that was lost, or copies that were written to apart.",
        literature: ELLE,
    },
    Anomaly {
        name: "duplicate-elements",
        also: &[],
        about: "An element that was appended once is in a list twice.",
        example: "0 at n1: txn - [[\"append\",1,1]] 1-2\n2 at n3: txn - [[\"r\",1,[1,1]]] 3-4",
        rules_out: &["read-uncommitted"],
        cause: "a request that was sent again though the first had been carried out.",
        literature: ELLE,
    },
];
