//! What the check of logs looks for (Jepsen's kafka).

use super::Anomaly;

const REDPANDA: &str = "Kingsbury, analyses of Redpanda (2022) and Bufstream (2024).";

/// All that has a name of its own, by what it is about: positions, messages, offsets.
pub const OF_LOGS: &[Anomaly] = &[
    Anomaly {
        name: "nonmonotonic-poll",
        also: &[],
        about: "A client that polls a log was given an older message after a newer one.",
        example: "of log\n0 at n1: send - [[\"send\",1,[0,5]]] 1-2\n0 at n1: send - [[\"send\",1,[1,6]]] 3-4\n\
                  1 at n2: poll - [[\"poll\",{\"1\":[[0,5],[1,6]]}]] 5-6\n1 at n2: poll - [[\"poll\",{\"1\":[[0,5]]}]] 7-8",
        rules_out: &[],
        cause: "a position of the client that is not kept when a leader or a connection changes.",
        literature: REDPANDA,
    },
    Anomaly {
        name: "poll-skip",
        also: &["lost poll"],
        about: "A client that polls a log was given a message and then one further on, and never one that lies between them.",
        example: "of log\n0 at n1: send - [[\"send\",1,[0,5]]] 1-2\n0 at n1: send - [[\"send\",1,[1,6]]] 3-4\n\
                  0 at n1: send - [[\"send\",1,[2,7]]] 5-6\n2 at n3: poll - [[\"poll\",{\"1\":[[0,5],[1,6],[2,7]]}]] 7-8\n\
                  1 at n2: poll - [[\"poll\",{\"1\":[[0,5]]}]] 9-10\n1 at n2: poll - [[\"poll\",{\"1\":[[2,7]]}]] 11-12",
        rules_out: &[],
        cause: "a position that is set forward without the messages having been handed out.",
        literature: REDPANDA,
    },
    Anomaly {
        name: "unseen",
        also: &["lost message of a log"],
        about: "A message was acknowledged before somebody asked for all that is left and was given nothing, and nobody was ever given it.",
        example: "of log\n0 at n1: send - [[\"send\",1,[0,5]]] 1-2\n1 at n2: poll - [[\"poll\",{\"1\":[]}]] 3-4",
        rules_out: &[],
        cause: "an acknowledgement by a leader that lost its log, or by fewer replicas than take over.",
        literature: REDPANDA,
    },
    Anomaly {
        name: "inconsistent-offsets",
        also: &[],
        about: "A log has two different messages at one offset.",
        example: "of log\n0 at n1: send - [[\"send\",1,[0,5]]] 1-2\n1 at n2: send - [[\"send\",1,[0,6]]] 3-4",
        rules_out: &[],
        cause: "two leaders at once, or a log whose end was cut off after it had been read.",
        literature: REDPANDA,
    },
    Anomaly {
        name: "duplicate",
        also: &["duplicate message of a log"],
        about: "A message that was sent once is at two offsets of its log.",
        example: "of log\n0 at n1: send - [[\"send\",1,[0,5]]] 1-2\n1 at n2: poll - [[\"poll\",{\"1\":[[0,5],[1,5]]}]] 3-4",
        rules_out: &[],
        cause: "a send that a client's library tries again without an identity by which the log would know it.",
        literature: REDPANDA,
    },
    Anomaly {
        name: "precommitted-read",
        also: &["read of what is not committed"],
        about: "A transaction was given a message that it sends itself, before it was over.",
        example: "of log\n0 at n1: txn - [[\"send\",1,[0,5]],[\"poll\",{\"1\":[[0,5]]}]] 1-2",
        rules_out: &[],
        cause: "polls that do not wait for the end of the transaction which a message belongs to.",
        literature: REDPANDA,
    },
];
