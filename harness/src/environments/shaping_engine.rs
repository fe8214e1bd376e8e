//! What makes links of bad quality on this machine: netem, the shaper of our own, or both.

use std::io;

use splitbrain_nemesis::shaping::rules::{Rules, hook_text, rules_text};
use splitbrain_nemesis::shaping::{Quality, netem};

/// What `tc -batch` does where the kernel has netem and what it needs; it leaves nothing.
pub(super) const NETEM_TRIAL: &str = "qdisc add dev lo root handle 5b: htb default 0\n\
    class add dev lo parent 5b: classid 5b:1 htb rate 10gbit quantum 60000\n\
    qdisc add dev lo parent 5b:1 netem limit 10 delay 1us\n\
    filter add dev lo parent 5b: protocol ip prio 1 u32 match ip dst 192.0.2.1/32 flowid 5b:1\n\
    qdisc del dev lo root handle 5b:\n";

/// What `iptables-restore --noflush` does where packets can be handed to the shaper, and
/// connections be reset: our chains are there then, and empty.
pub(super) fn queue_trial() -> String {
    let nobody = [192, 0, 2, 1].into();
    let some = splitbrain_nemesis::shaping::Share::percent(50.0);
    let rules = Rules { queued: vec![(nobody, 0)], reset: vec![(nobody, some)] };
    hook_text() + &rules_text(&rules, "eth0") + &rules_text(&Rules::default(), "eth0")
}

/// Which of the two can be had; if not, why.
#[derive(Clone, Debug)]
pub(super) struct Engines {
    netem: Result<(), String>,
    queue: Result<(), String>,
}

impl Engines {
    /// What came of trying them; none for netem if there is no `tc`.
    pub(super) fn of(netem: Option<io::Result<()>>, queue: io::Result<()>) -> Engines {
        let netem = netem.unwrap_or_else(|| Err(io::Error::other("the program tc is missing")));
        let first_line = |error: io::Error| {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        };
        Engines { netem: netem.map_err(first_line), queue: queue.map_err(first_line) }
    }

    /// Whether links can be shaped at all. Without the queue not every quality can be had, and
    /// which of them can is not known before they are asked for; so it is needed in any case.
    pub(super) fn any(&self) -> Result<(), String> {
        self.queue.clone().map_err(|why| format!("no packet queue (NFQUEUE): {why}"))
    }

    /// Whether netem is what makes links of this quality.
    pub(super) fn uses_netem(&self, quality: &Quality) -> bool {
        self.netem.is_ok() && netem::can(quality)
    }

    /// Which one is used and why, for a person.
    pub(super) fn describe(&self) -> String {
        match &self.netem {
            Ok(()) => "netem; duplicates and damage by the shaper on NFQUEUE".to_owned(),
            Err(why) => format!("the shaper on NFQUEUE, since there is no netem: {why}"),
        }
    }
}
