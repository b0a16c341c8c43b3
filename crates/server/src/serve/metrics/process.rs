//! What the system says about this process.

/// Resident memory in octets, where the system tells it.
pub(super) fn resident_octets() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_told() {
        assert!(super::resident_octets().is_some_and(|octets| octets > 1 << 20));
    }
}
