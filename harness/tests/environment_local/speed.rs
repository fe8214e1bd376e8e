//! How long it takes from a decision until it is verified to be in force.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use splitbrain_nemesis::faults::{ALL, Choice, Scene};
use splitbrain_nemesis::{Capability, Effect, Nemesis};

use crate::node_program::PORT;
use crate::witness::Talkers;

/// How often, where `SPLITBRAIN_TIMES` does not say.
const TIMES: u64 = 5;

/// Prints the median of each fault at a load of 200 requests a second; what is asserted is only
/// that all are installed, since a busy machine can be as slow as it likes.
pub fn in_force_in_time() {
    let times =
        std::env::var("SPLITBRAIN_TIMES").map_or(TIMES, |text| text.parse().expect("a number"));
    let talkers = Talkers::start(5);
    let addresses: Vec<_> = talkers.cluster.nodes().iter().map(|node| node.address).collect();
    let done = Arc::new(AtomicBool::new(false));
    let load = thread::spawn({
        let done = done.clone();
        move || {
            let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
            for address in addresses.into_iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let _ = socket.send_to(b"life", (address, PORT));
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let erased = talkers.erased();
    let mut nemesis = Nemesis::new(erased.clone());
    for fault in ALL {
        // Disks have to be asked for before a node starts.
        if fault.needs == Capability::Disks || !erased.has(fault.needs) {
            println!("{:16} not measured: {}", fault.name, erased.lacks(fault.needs));
            continue;
        }
        let (mut installed_us, mut healed_us) = (Vec::new(), Vec::new());
        // Bad links and too little time are seen only after a while.
        let slow =
            matches!(fault.needs, Capability::Shaping | Capability::Packets | Capability::Limits);
        let times = if slow { times.min(3) } else { times };
        for seed in 0..times {
            let Choice { targets, args, .. } = &Choice::usual(fault);
            let scene =
                Scene { nodes: erased.nodes(), leaders: &[2], targets, args, beat: 0, seed };
            let decision = (fault.decide)(&scene).expect("five nodes are enough");
            match nemesis.install(seed, &decision.action) {
                Effect::Installed(proof) => installed_us.push(proof.took_us),
                other => panic!("{}: {other:?}", fault.name),
            }
            match nemesis.undo(seed) {
                Effect::Healed(proof) => healed_us.push(proof.took_us),
                other => panic!("{}: {other:?}", fault.name),
            }
        }
        println!(
            "{:16} in force after {:5.1} ms, healed after {:5.1} ms (medians of {times})",
            fault.name,
            median_ms(installed_us),
            median_ms(healed_us)
        );
    }
    done.store(true, Ordering::Relaxed);
    load.join().expect("the load does not panic");
}

fn median_ms(mut times_us: Vec<u64>) -> f64 {
    times_us.sort_unstable();
    times_us[times_us.len() / 2] as f64 / 1000.0
}
