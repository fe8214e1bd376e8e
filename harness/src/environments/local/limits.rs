//! Limits of nodes by their control groups.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use splitbrain_nemesis::node::{Held, Limit, Limits, NodeError, Resource};

use super::LocalCluster;
use super::capabilities::node_error;
use super::cgroups::{Cgroups, Group, PROCESSES, Version};

/// The period of quotas that everybody uses, and the longest that can be had.
const PERIOD_US: u64 = 100_000;
const PERIOD_MOST_US: u64 = 1_000_000;
/// The smallest quota that a kernel gives.
const QUOTA_LEAST_US: u64 = 1_000;
/// What version 1 reports where there is no limit is a little less than 2^63.
const NO_LIMIT_FROM: u64 = 1 << 62;
/// How long the dying of those that do not fit may take.
const DEATH_LIMIT: Duration = Duration::from_secs(2);
/// A tick of the times in `/proc` (USER_HZ), the same on every architecture that we run on.
const TICK: Duration = Duration::from_millis(10);

impl Limits for LocalCluster {
    fn set(&self, node: usize, limit: Limit) -> Result<(), NodeError> {
        let groups = self.groups()?;
        match limit {
            Limit::Cpu { percent } => {
                let (quota, period) = quota_and_period(percent);
                write_quota(groups.cpu(node), Some(quota), period)
            }
            Limit::Memory { bytes } => write_memory(groups.memory(node), bytes),
        }
        .map_err(node_error)
    }

    fn lift(&self, node: usize, resource: Resource) -> Result<(), NodeError> {
        let groups = self.groups()?;
        match resource {
            Resource::Cpu => write_quota(groups.cpu(node), None, PERIOD_US),
            Resource::Memory => lift_memory(groups.memory(node)),
        }
        .map_err(node_error)
    }

    fn held(&self, node: usize, resource: Resource) -> Result<Held, NodeError> {
        let groups = self.groups()?;
        match resource {
            Resource::Cpu => read_cpu(groups.cpu(node)),
            Resource::Memory => read_memory(groups.memory(node)),
        }
        .map_err(node_error)
    }

    fn spin(&self, node: usize, wait: Duration) -> Result<Duration, NodeError> {
        let door = self.groups()?.door(node).map_err(node_error)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "while :; do :; done"]).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: `enter` makes system calls only and allocates nothing.
        unsafe { command.pre_exec(move || door.enter()) };
        let spinner = self.nodes[node].agent.ask(move || command.spawn()).wait();
        let mut spinner = spinner.map_err(node_error)?;
        thread::sleep(wait);
        let used = time_used(spinner.id());
        // Those who are held back die late, but they die.
        spinner.kill().and_then(|()| spinner.wait()).map_err(node_error)?;
        used.map_err(node_error)
    }
}

impl LocalCluster {
    fn groups(&self) -> Result<&Cgroups, NodeError> {
        let groups = self.cgroups.get().and_then(|made| made.as_ref().ok());
        groups.ok_or_else(|| NodeError("the nodes are in no cgroups".to_owned()))
    }
}

/// A quota and its period in microseconds, for a share of one core.
fn quota_and_period(percent: f64) -> (u64, u64) {
    let share = percent / 100.0;
    let period = if share * PERIOD_US as f64 >= QUOTA_LEAST_US as f64 {
        PERIOD_US
    } else {
        ((QUOTA_LEAST_US as f64 / share).ceil() as u64).min(PERIOD_MOST_US)
    };
    (((share * period as f64).round() as u64).max(QUOTA_LEAST_US), period)
}

fn write_quota(group: &Group, quota: Option<u64>, period: u64) -> io::Result<()> {
    let quota = |none: &str| quota.map_or(none.to_owned(), |quota| quota.to_string());
    match group.version {
        Version::One => {
            // A quota must fit the period at every moment, so first there is none.
            group.write("cpu.cfs_quota_us", "-1")?;
            group.write("cpu.cfs_period_us", &period.to_string())?;
            group.write("cpu.cfs_quota_us", &quota("-1"))
        }
        Version::Two => group.write("cpu.max", &format!("{} {period}", quota("max"))),
    }
}

fn write_memory(group: &Group, bytes: u64) -> io::Result<()> {
    let bytes = bytes.to_string();
    match group.version {
        Version::One => {
            let until = Instant::now() + DEATH_LIMIT;
            // Version 2 kills those that do not fit; version 1 only refuses.
            while let Err(error) = group.write("memory.limit_in_bytes", &bytes) {
                if error.kind() != io::ErrorKind::ResourceBusy || Instant::now() > until {
                    return Err(error);
                }
                for process in processes(group)? {
                    let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
                }
                thread::sleep(Duration::from_millis(5));
            }
            unless_absent(group.write("memory.memsw.limit_in_bytes", &bytes))
        }
        Version::Two => {
            unless_absent(group.write("memory.swap.max", "0"))?;
            group.write("memory.max", &bytes)
        }
    }
}

fn lift_memory(group: &Group) -> io::Result<()> {
    match group.version {
        Version::One => {
            unless_absent(group.write("memory.memsw.limit_in_bytes", "-1"))?;
            group.write("memory.limit_in_bytes", "-1")
        }
        Version::Two => {
            group.write("memory.max", "max")?;
            unless_absent(group.write("memory.swap.max", "max"))
        }
    }
}

/// Kernels that do not count swap have no files for it.
fn unless_absent(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn read_cpu(group: &Group) -> io::Result<Held> {
    let (quota, period) = match group.version {
        Version::One => (group.read("cpu.cfs_quota_us")?, group.read("cpu.cfs_period_us")?),
        Version::Two => {
            let text = group.read("cpu.max")?;
            let (quota, period) = text.trim().split_once(' ').ok_or_else(not_understood)?;
            (quota.to_owned(), period.to_owned())
        }
    };
    let period: f64 = period.trim().parse().map_err(|_| not_understood())?;
    let percent = match quota.trim() {
        "-1" | "max" => None,
        quota => Some(quota.parse::<f64>().map_err(|_| not_understood())? / period * 100.0),
    };
    Ok(Held {
        limit: percent.map(|percent| Limit::Cpu { percent }),
        processes: processes(group)?,
        enforced: field(&group.read("cpu.stat")?, "nr_throttled")?,
        used_bytes: 0,
    })
}

fn read_memory(group: &Group) -> io::Result<Held> {
    let number = |text: String| text.trim().parse::<u64>().map_err(|_| not_understood());
    let (limit, used_bytes, enforced) = match group.version {
        Version::One => (
            Some(number(group.read("memory.limit_in_bytes")?)?).filter(|b| *b < NO_LIMIT_FROM),
            number(group.read("memory.usage_in_bytes")?)?,
            number(group.read("memory.failcnt")?)?,
        ),
        Version::Two => (
            Some(group.read("memory.max")?)
                .filter(|t| t.trim() != "max")
                .map(number)
                .transpose()?,
            number(group.read("memory.current")?)?,
            field(&group.read("memory.events")?, "max")?,
        ),
    };
    let limit = limit.map(|bytes| Limit::Memory { bytes });
    Ok(Held { limit, processes: processes(group)?, enforced, used_bytes })
}

fn processes(group: &Group) -> io::Result<Vec<i32>> {
    let text = group.read(PROCESSES)?;
    text.lines().map(|line| line.parse().map_err(|_| not_understood())).collect()
}

/// A number of a file of lines `NAME NUMBER`.
fn field(text: &str, name: &str) -> io::Result<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, number) = lines.find(|(found, _)| *found == name).ok_or_else(not_understood)?;
    number.trim().parse().map_err(|_| not_understood())
}

fn not_understood() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what the cgroup says is not understood")
}

/// How long a process has run on a core so far (fields 14 and 15 of proc_pid_stat(5)).
fn time_used(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after_name) = stat.rsplit_once(") ").ok_or_else(not_understood)?;
    let ticks: Vec<u32> =
        after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    Ok(TICK * ticks.iter().sum::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_get_longer_periods() {
        assert_eq!(quota_and_period(10.0), (10_000, 100_000));
        assert_eq!(quota_and_period(100.0), (100_000, 100_000));
        assert_eq!(quota_and_period(1.0), (1_000, 100_000));
        assert_eq!(quota_and_period(0.5), (1_000, 200_000));
        assert_eq!(quota_and_period(0.1), (1_000, 1_000_000));
    }

    #[test]
    fn both_versions_are_written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let group = |version| Group { version, path: folder.path().to_owned() };
        let (one, two) = (group(Version::One), group(Version::Two));
        let put = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        let files = ["cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max", "memory.max"];
        files.iter().for_each(|file| put(file, ""));
        put("memory.limit_in_bytes", "");
        put(PROCESSES, "7\n12\n");
        put("cpu.stat", "nr_periods 9\nnr_throttled 4\n");
        for group in [&one, &two] {
            write_quota(group, Some(5_000), 200_000).unwrap();
            let held = read_cpu(group).unwrap();
            assert_eq!(held.limit, Some(Limit::Cpu { percent: 2.5 }));
            assert_eq!((held.processes, held.enforced), (vec![7, 12], 4));
            write_quota(group, None, PERIOD_US).unwrap();
            assert_eq!(read_cpu(group).unwrap().limit, None);
        }
        put("memory.usage_in_bytes", "11");
        put("memory.failcnt", "2");
        put("memory.current", "11");
        put("memory.events", "low 0\nmax 2\noom 1\n");
        for group in [&one, &two] {
            write_memory(group, 1 << 20).unwrap();
            let held = read_memory(group).unwrap();
            assert_eq!(held.limit, Some(Limit::Memory { bytes: 1 << 20 }));
            assert_eq!((held.used_bytes, held.enforced), (11, 2));
        }
        lift_memory(&two).unwrap();
        assert_eq!(read_memory(&two).unwrap().limit, None);
        one.write("memory.limit_in_bytes", "9223372036854771712").unwrap();
        assert_eq!(read_memory(&one).unwrap().limit, None);
    }
}
