//! The text of the other engine: netem under an htb that sorts packets by their receiver, at the
//! sender (tc-netem(8), tc-htb(8)). Pure rendering and parsing.
//!
//! Two things netem does not do as they are wanted here: a packet that it damaged has a wrong
//! checksum, so that no program gets to see it, and since Linux 6.16 it does not duplicate in a
//! tree that has another netem. Links with these go through the [`shaper`](super::shaper).

use std::fmt::Write;
use std::net::IpAddr;

use serde::Deserialize;

use super::{Quality, Share};

/// Handle of our root; the class of the link to node k is the (k + 1)th below it.
const ROOT: &str = "5b:";
/// More packets than any link holds; netem's own 1000 would be a loss that nobody asked for.
const LIMIT_PACKETS: u64 = 100_000;
/// The largest packet that nodes send, with its Ethernet header.
const FRAME_BITS: u64 = 1514 * 8;

/// Whether netem does all of this as it is wanted.
pub fn can(quality: &Quality) -> bool {
    quality.corrupt == Share::NONE && quality.duplicate == Share::NONE
}

/// Lines of a `tc -batch` file that make our root at a sender, for one that does not have it.
/// What no class is for is not touched by it.
pub fn root_text(interface: &str) -> String {
    format!("qdisc add dev {interface} root handle {ROOT} htb default 0\n")
}

/// The line that removes the root and all below it.
pub fn no_root_text(interface: &str) -> String {
    format!("qdisc del dev {interface} root handle {ROOT}\n")
}

/// Lines that give the way to node `to` a quality; it has none so far.
pub fn add_text(interface: &str, to: usize, address: IpAddr, quality: &Quality) -> String {
    let number = to + 1;
    let netem = netem_options(quality);
    format!(
        "class add dev {interface} parent {ROOT} classid {ROOT}{number:x} htb rate 10gbit quantum 60000\n\
         qdisc add dev {interface} parent {ROOT}{number:x} netem {netem}\n\
         filter add dev {interface} parent {ROOT} protocol ip prio {number} u32 \
         match ip dst {address}/32 flowid {ROOT}{number:x}\n"
    )
}

/// Lines that take it away again.
pub fn delete_text(interface: &str, to: usize) -> String {
    let number = to + 1;
    format!(
        "filter del dev {interface} parent {ROOT} protocol ip prio {number} u32\n\
         class del dev {interface} classid {ROOT}{number:x}\n"
    )
}

fn netem_options(quality: &Quality) -> String {
    let held = quality.longest_delay() + quality.longest_queue();
    let limit = quality.bandwidth_bit_s.map_or(LIMIT_PACKETS, |bit_s| {
        (held.as_millis() as u64).saturating_mul(bit_s.get()) / 1000 / FRAME_BITS + 1
    });
    let mut text = format!("limit {}", limit.clamp(20, LIMIT_PACKETS));
    if quality.delay_us > 0 || quality.jitter_us > 0 {
        let _ = write!(text, " delay {}us", quality.delay_us);
    }
    if quality.jitter_us > 0 {
        let _ = write!(text, " {}us distribution {}", quality.jitter_us, quality.distribution);
    }
    if quality.reorder > Share::NONE && quality.delay_us > 0 {
        let _ = write!(text, " reorder {}", quality.reorder);
    }
    if quality.bursty() {
        let (begin, end) = quality.gilbert();
        let _ = write!(text, " loss gemodel {:.4}% {:.4}%", 100.0 * begin, 100.0 * end);
    } else if quality.loss > Share::NONE {
        let _ = write!(text, " loss {}", quality.loss);
    }
    if let Some(bit_s) = quality.bandwidth_bit_s {
        let _ = write!(text, " rate {bit_s}bit");
    }
    text
}

/// The nodes to which the way has a quality, with the number of packets that came to it, in the
/// output of `tc -s -j qdisc show dev INTERFACE`.
///
/// # Errors
/// It is not what tc prints.
pub fn parse(shown: &str) -> Result<Vec<(usize, u64)>, String> {
    let qdiscs: Vec<Qdisc> =
        serde_json::from_str(shown).map_err(|error| format!("what tc printed: {error}"))?;
    let number = |qdisc: &Qdisc| {
        let class = qdisc.parent.as_deref()?.strip_prefix(ROOT)?;
        usize::from_str_radix(class, 16).ok()?.checked_sub(1)
    };
    let netem = qdiscs.iter().filter(|qdisc| qdisc.kind == "netem");
    Ok(netem
        .filter_map(|qdisc| Some((number(qdisc)?, qdisc.packets + qdisc.drops + qdisc.qlen)))
        .collect())
}

/// What is read of one; the counters are only there with `-s`.
#[derive(Deserialize)]
struct Qdisc {
    kind: String,
    parent: Option<String>,
    #[serde(default)]
    packets: u64,
    #[serde(default)]
    drops: u64,
    #[serde(default)]
    qlen: u64,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::shaping::Distribution;

    #[test]
    fn a_link_is_a_class_with_netem_and_a_filter() {
        let quality = Quality { delay_us: 50_000, ..Quality::default() };
        assert_eq!(
            add_text("eth0", 15, [10, 77, 0, 16].into(), &quality),
            "class add dev eth0 parent 5b: classid 5b:10 htb rate 10gbit quantum 60000\n\
             qdisc add dev eth0 parent 5b:10 netem limit 100000 delay 50000us\n\
             filter add dev eth0 parent 5b: protocol ip prio 16 u32 match ip dst 10.77.0.16/32 \
             flowid 5b:10\n"
        );
    }

    #[test]
    fn every_quality_has_its_words() {
        let of = |quality: Quality| {
            netem_options(&quality)
                .split_once(' ')
                .unwrap()
                .1
                .split_once(' ')
                .map_or(String::new(), |(_, rest)| rest.to_owned())
        };
        let none = Quality::default();
        assert_eq!(of(none), "");
        let jitter =
            Quality { delay_us: 9, jitter_us: 4, distribution: Distribution::Pareto, ..none };
        assert_eq!(of(jitter), "delay 9us 4us distribution pareto");
        assert_eq!(of(Quality { loss: Share::percent(5.0), ..none }), "loss 5%");
        let bursts = Quality { loss: Share::percent(10.0), burst: 5, ..none };
        assert_eq!(of(bursts), "loss gemodel 2.2222% 20.0000%");
        let reorder = Quality { delay_us: 9, reorder: Share::percent(25.0), ..none };
        assert_eq!(of(reorder), "delay 9us reorder 25%");
        let narrow = Quality { bandwidth_bit_s: NonZeroU64::new(1_000_000), ..none };
        assert_eq!(netem_options(&narrow), "limit 20 rate 1000000bit");
        assert!(can(&narrow) && !can(&Quality { corrupt: Share::percent(1.0), ..none }));
    }

    #[test]
    fn counters_are_read_from_our_netems() {
        let shown = r#"[{"kind":"htb","handle":"5b:","root":true,"packets":9},
            {"kind":"netem","handle":"8001:","parent":"5b:10","options":{"limit":1000},
             "bytes":98,"packets":1,"drops":2,"overlimits":0,"requeues":0,"backlog":98,"qlen":3},
            {"kind":"netem","handle":"9:","parent":"1:2","packets":5}]"#;
        assert_eq!(parse(shown).unwrap(), [(15, 6)]);
        assert!(parse("").is_err());
    }
}
