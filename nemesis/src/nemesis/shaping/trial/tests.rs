//! What a trial believes, over links whose real quality is known.

use std::num::NonZeroU64;

use super::*;
use crate::shaping::Line;

const LINK: Link = Link { from: 0, to: 1 };

/// A trial for `wanted` over a link that is really `real`, after three rounds.
fn after(wanted: Option<Quality>, real: Quality) -> Option<String> {
    let mut trial = match wanted {
        Some(quality) => Trial::of_bad(LINK, quality, false),
        None => Trial::of_good(LINK, Duration::from_millis(5)),
    };
    let mut line = Line::new(real, 5);
    let mut now_ns = 0;
    for _ in 0..3 {
        let mut arrivals = Vec::new();
        for probe in trial.next_probes() {
            now_ns += 1_000;
            for release in line.pass(now_ns, probe.bytes).into_iter().flatten() {
                arrivals.push(Arrival {
                    link: LINK,
                    number: release.damage.is_none().then_some(probe.number),
                    sent: Duration::from_nanos(now_ns),
                    received: Duration::from_nanos(release.at_ns),
                });
            }
        }
        arrivals.sort_by_key(|arrival| arrival.received);
        arrivals.iter().for_each(|arrival| trial.arrived(arrival));
        now_ns += 10_000_000_000;
    }
    trial.what_is_missing()
}

#[test]
fn each_quality_is_believed_if_it_is_there_and_only_then() {
    let (none, some) = (Quality::default(), Share::percent(10.0));
    let delay = Quality { delay_us: 20_000, ..none };
    for quality in [
        delay,
        Quality { jitter_us: 4_000, ..delay },
        Quality { loss: some, ..none },
        Quality { loss: some, burst: 4, ..none },
        Quality { loss: Share::ALL, ..none },
        Quality { duplicate: some, ..none },
        Quality { reorder: some, ..delay },
        Quality { corrupt: some, ..none },
        Quality { bandwidth_bit_s: NonZeroU64::new(1_000_000), ..none },
        Quality { bandwidth_bit_s: NonZeroU64::new(64_000), ..delay },
        Quality { bandwidth_bit_s: NonZeroU64::new(9_000), ..none },
        Quality { bandwidth_bit_s: NonZeroU64::new(1_000_000), loss: some, ..none },
    ] {
        assert_eq!(after(Some(quality), quality), None, "{quality}");
        let why = after(Some(quality), none);
        assert!(why.is_some(), "{quality}: believed of a good link");
        // A burst may spare all probes, and a narrow link be wide enough for them.
        let noticed = quality.burst == 0 && quality.bandwidth_bit_s.is_none();
        assert!(!noticed || after(None, quality).is_some(), "{quality}");
    }
    assert_eq!(after(None, none), None);
    // Half as bad as it should be is not enough, for delay and bandwidth.
    let half = Quality { delay_us: 10_000, ..none };
    assert!(after(Some(delay), half).unwrap().contains("in the mean"));
    let narrow = |bit_s| Quality { bandwidth_bit_s: NonZeroU64::new(bit_s), ..none };
    assert!(after(Some(narrow(1_000_000)), narrow(2_000_000)).unwrap().contains("came through"));
    let even = after(Some(Quality { jitter_us: 4_000, ..delay }), delay);
    assert!(even.unwrap().contains("spread"));
    let reordered = after(Some(Quality { reorder: some, ..delay }), delay);
    assert!(reordered.unwrap().contains("early"));
}

#[test]
fn a_share_too_small_to_be_seen_is_not_waited_for() {
    let tiny = Quality { loss: Share::percent(0.1), ..Quality::default() };
    assert_eq!(after(Some(tiny), Quality::default()), None);
}

#[test]
fn no_round_waits_long_for_bandwidth_however_little_there_is() {
    for bit_s in [1, 1_000, 9_000, 64_000, 1_000_000, 1_000_000_000] {
        let bare = Quality { bandwidth_bit_s: NonZeroU64::new(bit_s), ..Quality::default() };
        for quality in [bare, Quality { duplicate: Share::percent(3.0), ..bare }] {
            assert!(Trial::time_needed(&quality) <= 2 * LONGEST_TRAIN, "{quality}");
            let (count, bytes) = round_of(&quality);
            assert!(count >= SHORTEST_TRAIN && (SMALL_BYTES..=LARGE_BYTES).contains(&bytes));
        }
    }
}

#[test]
fn a_narrow_link_that_the_nodes_have_filled_is_believed_and_a_wide_one_is_not() {
    let silent = |bit_s| {
        let quality = Quality { bandwidth_bit_s: NonZeroU64::new(bit_s), ..Quality::default() };
        let mut trial = Trial::of_bad(LINK, quality, false);
        assert!(!trial.next_probes().is_empty());
        trial.what_is_missing()
    };
    assert_eq!(silent(9_000), None);
    assert_eq!(silent(1_000_000).as_deref(), Some("no probe arrived"));
}
