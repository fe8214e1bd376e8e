//! The plan for each mistake in each mode: the faults that bring it out, in at most 15 s.
//!
//! A line is a mode with what it is told, a mistake, and a plan without target and seed. Those of
//! `lost-fsync` need a disk that can fail, that of `clock-overwrites-newer` a clock that can be wrong.

/// One mistake in one mode.
pub struct Case {
    /// The mode, and what it is told.
    pub mode: &'static str,
    /// The mistake.
    pub bug: &'static str,
    /// How to bring it out.
    pub plan: &'static str,
}

/// The primary is cut off, and comes back to another one.
const CUT_OFF: &str = r#"
    phases = { baseline = "500ms", main = "6s", after = "500ms" }
    faults = [{ name = "primaries", at = "500ms", for = "4s" }]
"#;

/// The same again and again, for no longer than it takes to be replaced.
const CUT_OFF_OFTEN: &str = r#"
    phases = { baseline = "1s", main = "11s", after = "500ms" }
    workload = { rate = 300.0 }
    faults = [{ name = "primaries", every = "2500ms", for = "1500ms" }]
"#;

/// All nodes are killed at once, and start again.
const ALL_KILLED: &str = r#"
    phases = { baseline = "1s", main = "9s", after = "500ms" }
    faults = [{ name = "kill", targets = "all", every = "2s", for = "200ms" }]
"#;

/// The same, with snapshots all the time and keys that are not written again soon.
const SNAPSHOTS_KILLED: &str = r#"
    phases = { baseline = "1s", main = "9s", after = "500ms" }
    workload = { keys = 40, rate = 400.0 }
    faults = [{ name = "kill", targets = "all", every = "1500ms", for = "200ms" }]
"#;

/// All nodes lose their power at once.
const POWER_LOST: &str = r#"
    phases = { baseline = "500ms", main = "5s", after = "500ms" }
    faults = [{ name = "lost-fsync", targets = "all", at = "2s", for = "300ms" }]
"#;

/// The primary stands still, but not for so long that it is replaced.
const SHORT_PAUSES: &str = r#"
    phases = { baseline = "1s", main = "8s", after = "500ms" }
    faults = [{ name = "pause", targets = "primaries", every = "1s", for = "400ms" }]
"#;

/// Messages take their time, and few keys are fought over.
const SLOW_LINKS: &str = r#"
    phases = { baseline = "500ms", main = "5s", after = "500ms" }
    workload = { keys = 2 }
    faults = [{ name = "delay", at = "500ms", for = "4s", args = { delay = "15ms" } }]
"#;

/// Some messages take long and others do not, and one key is written again and again.
const UNEVEN_LINKS: &str = r#"
    phases = { baseline = "1s", main = "7s", after = "500ms" }
    workload = { keys = 1 }
    faults = [{ name = "jitter", at = "500ms", for = "6s", args = { delay = "60ms", jitter = "40ms" } }]
"#;

/// No answer comes soon, but each comes.
const SLOW_ANSWERS: &str = r#"
    phases = { baseline = "500ms", main = "5s", after = "500ms" }
    faults = [{ name = "delay", at = "500ms", for = "4s", args = { delay = "110ms" } }]
"#;

/// One node is cut off, and comes back to what was written meanwhile.
const ONE_AWAY: &str = r#"
    phases = { baseline = "500ms", main = "6s", after = "500ms" }
    faults = [{ name = "isolate-one", every = "1500ms", for = "800ms" }]
"#;

/// Two nodes that stood still come back just after the primary has died: they miss it sooner than the others.
const LAGGARD: &str = r#"
    phases = { baseline = "1s", main = "13s", after = "500ms" }
    faults = [
        { name = "pause", targets = ["n1", "n2"], at = "500ms", for = "1500ms" },
        { name = "kill", targets = "primaries", at = "1900ms", for = "1500ms" },
        { name = "pause", targets = ["n2", "n3"], at = "4500ms", for = "1500ms" },
        { name = "kill", targets = "primaries", at = "5900ms", for = "1500ms" },
        { name = "pause", targets = ["n3", "n4"], at = "8500ms", for = "1500ms" },
        { name = "kill", targets = "primaries", at = "9900ms", for = "1500ms" },
    ]
"#;

/// Some elections, then two nodes are cut off. Meanwhile the others start again and go on; when the two are
/// back, all start again, and whoever has the log of the latest term may lead.
const VOTERS_KILLED: &str = r#"
    phases = { baseline = "500ms", main = "10s", after = "500ms" }
    faults = [
        { name = "primaries", at = "200ms", for = "1s" },
        { name = "primaries", at = "1700ms", for = "1s" },
        { name = "primaries", at = "3200ms", for = "1s" },
        { name = "isolate-one", targets = ["n1"], at = "4500ms", for = "3500ms" },
        { name = "isolate-one", targets = ["n2"], at = "4500ms", for = "3500ms" },
        { name = "kill", targets = "all", at = "5s", for = "200ms" },
        { name = "kill", targets = "all", at = "7900ms", for = "300ms" },
    ]
"#;

/// One node's clock is a minute behind.
const CLOCK_BEHIND: &str = r#"
    phases = { baseline = "500ms", main = "4s", after = "500ms" }
    faults = [{ name = "skew", targets = ["n1"], at = "500ms", args = { by = "-60s" } }]
"#;

/// Elements of sets are added and removed while one node after another is cut off.
const REMOVED_MEANWHILE: &str = r#"
    phases = { baseline = "1s", main = "7s", after = "500ms" }
    workload = { name = "set-remove" }
    faults = [{ name = "isolate-one", every = "1500ms", for = "800ms" }]
"#;

/// Transactions on lists, while one node is cut off for a while.
const TRANSACTIONS: &str = r#"
    phases = { baseline = "1s", main = "6s", after = "500ms" }
    workload = { name = "append" }
    faults = [{ name = "isolate-one", at = "2s", for = "1500ms" }]
"#;

/// Transactions that read what others write once, while one node is cut off for a while.
const FORKS: &str = r#"
    phases = { baseline = "1s", main = "6s", after = "500ms" }
    workload = { name = "long-fork" }
    faults = [{ name = "isolate-one", at = "2s", for = "1500ms" }]
"#;

/// Who holds a lock stands still for a while, and then goes on.
const HOLDERS_PAUSED: &str = r#"
    phases = { baseline = "1s", main = "6s", after = "500ms" }
    workload = { name = "lock-set" }
    faults = [{ name = "pause", targets = "one", every = "1200ms", for = "800ms" }]
"#;

const SYNC: &str = "primary-backup@replication=sync";

const fn case(mode: &'static str, bug: &'static str, plan: &'static str) -> Case {
    Case { mode, bug, plan }
}

/// Every mistake in every mode that can make it.
pub const CASES: &[Case] = &[
    case("raft", "ack-before-quorum", CUT_OFF),
    case(SYNC, "ack-before-quorum", CUT_OFF),
    case("quorum", "ack-before-quorum", UNEVEN_LINKS),
    case("quorum", "clock-overwrites-newer", CLOCK_BEHIND),
    case(SYNC, "dirty-read", CUT_OFF_OFTEN),
    case("raft", "double-apply-on-retry", SHORT_PAUSES),
    case("single", "double-apply-on-retry", SLOW_ANSWERS),
    case(SYNC, "double-apply-on-retry", SHORT_PAUSES),
    case("quorum", "element-resurrected", REMOVED_MEANWHILE),
    case(SYNC, "lagging-failover-read", LAGGARD),
    case("raft", "lock-lease", HOLDERS_PAUSED),
    case("raft", "log-truncated-at-restart", ALL_KILLED),
    case("single", "log-truncated-at-restart", ALL_KILLED),
    case(SYNC, "log-truncated-at-restart", ALL_KILLED),
    case("raft", "long-fork", FORKS),
    case("raft", "lost-fsync", POWER_LOST),
    case("single", "lost-fsync", POWER_LOST),
    case("gossip", "lost-fsync", POWER_LOST),
    case("raft", "lost-update", TRANSACTIONS),
    case(SYNC, "no-fencing", CUT_OFF),
    case("raft", "non-atomic-cas", SLOW_LINKS),
    case("single", "non-atomic-cas", SLOW_LINKS),
    case(SYNC, "non-atomic-cas", SLOW_LINKS),
    case("raft", "read-committed", TRANSACTIONS),
    case("raft", "read-uncommitted", TRANSACTIONS),
    case("raft@snapshot-entries=20", "snapshot-drops-tail", SNAPSHOTS_KILLED),
    case("raft", "snapshot-isolation", TRANSACTIONS),
    case("quorum", "stale-hint-replay", ONE_AWAY),
    case("raft", "stale-leader-read", CUT_OFF),
    case(SYNC, "vote-not-persisted", VOTERS_KILLED),
];
