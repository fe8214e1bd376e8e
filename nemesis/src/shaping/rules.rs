//! The firewall text that hands a node's incoming packets to its shaper or resets connections:
//! pure rendering and parsing.
//!
//! At the receiver, where the kernel no longer holds a sender's socket to account for a packet
//! that is on its way; at the sender, a TCP would stop after a few packets that are held back.
//! Both chains are our own, apart from the one that cuts (see [`iptables`](crate::iptables)).

use std::fmt::Write;
use std::net::IpAddr;

use super::Share;
use super::shaper::Queue;

/// Our chain in the table `mangle`, which comes before the one that cuts.
const QUEUES: &str = "SPLITBRAIN";
/// Our chain in the table `filter` that resets; the one that cuts is not touched with it.
const RESETS: &str = "SPLITBRAIN-RESET";

/// What a node does to packets that come from others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Whose packets go to which queue.
    pub queued: Vec<(IpAddr, Queue)>,
    /// Whose TCP segments are answered by a reset, and how many of them.
    pub reset: Vec<(IpAddr, Share)>,
}

/// Rules that were found, each with the number of packets that it was applied to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundRules {
    /// Those that hand packets to a queue.
    pub queued: Vec<(IpAddr, Queue, u64)>,
    /// Those that reset.
    pub reset: Vec<(IpAddr, u64)>,
}

/// Input of `iptables-restore --noflush` that makes our chains, for a node that has neither.
/// Resets come before cuts, so that a cut silences them as well.
pub fn hook_text() -> String {
    format!(
        "*mangle\n:{QUEUES} - [0:0]\n-I INPUT -j {QUEUES}\nCOMMIT\n\
         *filter\n:{RESETS} - [0:0]\n-A INPUT -j {RESETS}\nCOMMIT\n"
    )
}

/// Input of `iptables-restore --noflush` that makes `rules` the whole content of our chains.
/// Packets that come from `interface` only: a second copy of a packet comes from elsewhere.
pub fn rules_text(rules: &Rules, interface: &str) -> String {
    let mut text = format!("*mangle\n:{QUEUES} - [0:0]\n");
    for (sender, queue) in &rules.queued {
        let _ = writeln!(
            text,
            "-A {QUEUES} -s {sender} -i {interface} -j NFQUEUE --queue-num {queue} --queue-bypass"
        );
    }
    let _ = write!(text, "COMMIT\n*filter\n:{RESETS} - [0:0]\n");
    for (sender, share) in &rules.reset {
        let chance = match *share {
            Share::ALL => String::new(),
            some => format!("-m statistic --mode random --probability {:.6} ", some.probability()),
        };
        let _ = writeln!(
            text,
            "-A {RESETS} -s {sender} -p tcp {chance}-j REJECT --reject-with tcp-reset"
        );
    }
    text + "COMMIT\n"
}

/// Our rules in the output of `iptables-save -c`.
///
/// # Errors
/// A rule of our chains that is not one of those that [`rules_text`] makes, in the tool's words.
pub fn parse(saved: &str) -> Result<FoundRules, String> {
    let mut found = FoundRules::default();
    let mut table = "";
    for line in saved.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        }
        let Some((counters, rule)) = line.strip_prefix('[').and_then(|l| l.split_once("] -A "))
        else {
            continue;
        };
        let unexpected = || format!("unexpected rule {line:?}");
        let Some((chain, rule)) = rule.split_once(' ') else { continue };
        let words: Vec<&str> = rule.split(' ').collect();
        let after = |option: &str| {
            words.iter().position(|word| *word == option).and_then(|at| words.get(at + 1))
        };
        if (table, chain) != ("mangle", QUEUES) && (table, chain) != ("filter", RESETS) {
            continue;
        }
        let sender = after("-s").and_then(|s| s.split('/').next()?.parse().ok());
        let packets = counters.split(':').next().and_then(|packets| packets.parse().ok());
        let queue = after("--queue-num").and_then(|number| number.parse().ok());
        match (sender, packets, queue, after("-j")) {
            (Some(sender), Some(packets), Some(queue), Some(&"NFQUEUE")) => {
                found.queued.push((sender, queue, packets));
            }
            (Some(sender), Some(packets), None, Some(&"REJECT")) => {
                found.reset.push((sender, packets));
            }
            _ => return Err(unexpected()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [10, 77, 0, last].into()
    }

    #[test]
    fn every_link_has_a_rule_of_its_own() {
        let rules = Rules {
            queued: vec![(address(1), 0)],
            reset: vec![(address(3), Share::ALL), (address(2), Share::percent(1.5))],
        };
        assert_eq!(
            rules_text(&rules, "eth0"),
            "*mangle\n:SPLITBRAIN - [0:0]\n\
             -A SPLITBRAIN -s 10.77.0.1 -i eth0 -j NFQUEUE --queue-num 0 --queue-bypass\nCOMMIT\n\
             *filter\n:SPLITBRAIN-RESET - [0:0]\n\
             -A SPLITBRAIN-RESET -s 10.77.0.3 -p tcp -j REJECT --reject-with tcp-reset\n\
             -A SPLITBRAIN-RESET -s 10.77.0.2 -p tcp -m statistic --mode random --probability \
             0.015000 -j REJECT --reject-with tcp-reset\nCOMMIT\n"
        );
        assert_eq!(
            rules_text(&Rules::default(), "eth0"),
            "*mangle\n:SPLITBRAIN - [0:0]\nCOMMIT\n*filter\n:SPLITBRAIN-RESET - [0:0]\nCOMMIT\n"
        );
    }

    #[test]
    fn rules_are_read_from_our_chains_only() {
        let saved = "*mangle\n:SPLITBRAIN - [0:0]\n[9:9] -A INPUT -j SPLITBRAIN\n\
            [7:420] -A SPLITBRAIN -s 10.77.0.1/32 -i eth0 -j NFQUEUE --queue-num 3 --queue-bypass\n\
            COMMIT\n*filter\n[1:60] -A INPUT -s 10.9.9.9/32 -j DROP\n\
            [3:180] -A SPLITBRAIN -s 10.77.0.1/32 -j DROP\n\
            [2:0] -A SPLITBRAIN-RESET -s 10.77.0.2/32 -p tcp -m statistic --mode random \
            --probability 0.01500000013 -j REJECT --reject-with tcp-reset\nCOMMIT\n";
        let found = parse(saved).unwrap();
        assert_eq!(found.queued, [(address(1), 3, 7)]);
        assert_eq!(found.reset, [(address(2), 2)]);
        assert_eq!(parse("").unwrap(), FoundRules::default());
        let error = parse("*mangle\n[0:0] -A SPLITBRAIN -p tcp -j ACCEPT\n").unwrap_err();
        assert!(error.contains("-p tcp -j ACCEPT"), "{error}");
    }
}
