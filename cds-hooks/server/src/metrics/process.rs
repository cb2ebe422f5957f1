//! What the process takes of the machine, as Linux tells it; elsewhere there are no such series.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads `/proc/self` when it is asked.
#[derive(Debug)]
pub(super) struct Process;

/// Bytes of a page; of all machines that this runs on.
const PAGE: u64 = 4096;
/// Ticks of a second in `/proc/self/stat`: fixed by Linux for user space.
const TICKS: f64 = 100.0;

struct Seen {
    resident: u64,
    threads: u64,
    cpu_seconds: f64,
    open_files: u64,
}

fn seen() -> Option<Seen> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program is in brackets, and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    let files = std::fs::read_dir("/proc/self/fd").ok()?;
    Some(Seen {
        resident: pages * PAGE,
        threads: number(17)?,
        cpu_seconds: ticks as f64 / TICKS,
        open_files: files.count() as u64,
    })
}

/// Bytes in memory now; 0 where that cannot be told.
pub fn resident_bytes() -> u64 {
    seen().map_or(0, |seen| seen.resident)
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(seen) = seen() else { return Ok(()) };
        let mut gauge = |name, help, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let kind = prometheus_client::metrics::MetricType::Gauge;
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)
        };
        gauge(
            "process_resident_memory_bytes",
            "Memory in use",
            seen.resident,
        )?;
        gauge(
            "process_open_fds",
            "Open files and connections",
            seen.open_files,
        )?;
        gauge("process_threads", "Threads", seen.threads)?;
        let kind = prometheus_client::metrics::MetricType::Counter;
        let cpu = ConstCounter::new(seen.cpu_seconds);
        let help = "Processor time used";
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)
    }
}
