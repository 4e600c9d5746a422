//! CPU time and memory of a process and its descendants, from `/proc`.

use std::fs;
use std::time::Duration;

/// What a process tree has used and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time since its start, user and system.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// The most that was resident at once, in bytes.
    pub peak: u64,
}

/// Linux shows user space 100 ticks a second.
const TICK: Duration = Duration::from_millis(10);

/// The usage of `root` and its living descendants; nothing where there is no such process.
pub fn usage(root: u32) -> Usage {
    let mut tree = vec![root];
    let mut next = 0;
    let parents = parents();
    while let Some(&pid) = tree.get(next) {
        tree.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == pid)
                .map(|(child, _)| *child),
        );
        next += 1;
    }
    tree.iter().fold(Usage::default(), |sum, &pid| Usage {
        cpu: sum.cpu + cpu(pid),
        resident: sum.resident + status_bytes(pid, "VmRSS"),
        peak: sum.peak + status_bytes(pid, "VmHWM"),
    })
}

/// Two accounts of the same time, each a little short: the scheduler's is exact but forgets threads that ended, the
/// other comes in ticks. The longer one is nearer.
fn cpu(pid: u32) -> Duration {
    scheduled(pid).max(ticked(pid))
}

fn scheduled(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse().ok())
        .map(Duration::from_nanos)
        .sum()
}

fn ticked(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    match (field(&stat, 11), field(&stat, 12)) {
        (Some(user), Some(system)) => TICK * (user + system),
        _ => Duration::ZERO,
    }
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, field(&stat, 1)?))
        })
        .collect()
}

/// A number of a `stat` line, counted behind the name, which stands in parentheses and may hold anything.
fn field(stat: &str, index: usize) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(index)?.parse().ok()
}

fn status_bytes(pid: u32, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    parse_status(&status, key).unwrap_or(0)
}

fn parse_status(status: &str, key: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "12 (a) b (c) S 7 12 12 0 -1 4194560 98 0 0 0 31 4 0 0 20 0 1";
        assert_eq!(field(stat, 1), Some(7));
        assert_eq!((field(stat, 11), field(stat, 12)), (Some(31), Some(4)));
        assert_eq!(field("", 1), None);
    }

    #[test]
    fn status_is_in_kibibytes() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!(parse_status(status, "VmRSS"), Some(1 << 20));
        assert_eq!(parse_status(status, "VmSwap"), None);
    }

    #[test]
    fn this_process_uses_something() {
        let before = usage(std::process::id());
        let mut sum = 0_u64;
        while usage(std::process::id()).cpu < before.cpu + Duration::from_millis(20) {
            sum = sum.wrapping_mul(31).wrapping_add(1);
        }
        let after = usage(std::process::id());
        assert!(
            after.resident > 100_000 && after.peak >= after.resident / 2,
            "{after:?} {sum}"
        );
        assert_eq!(usage(u32::MAX), Usage::default());
    }
}
