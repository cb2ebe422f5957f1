//! Whether what a manifest says can be: its numbers against each other.

use std::collections::BTreeMap;

use super::change::check_path;
use super::{DataFile, Snapshot};

/// The most buckets a lake has.
const MOST_BUCKETS: u32 = 1 << 16;
/// The greatest number of a snapshot, and the most rows of a file: what JSON readers can tell apart.
const MOST: u64 = 1 << 53;
/// The most bytes of a file.
const MOST_BYTES: u64 = 1 << 48;
/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;
/// Faults that are told of one manifest.
const TOLD: usize = 10;

/// What is wrong with a number of buckets.
pub(super) fn bucket_count(buckets: u32) -> Option<String> {
    let good = buckets.is_power_of_two() && buckets <= MOST_BUCKETS;
    (!good).then(|| {
        format!("a lake has a power of two of buckets, from 1 to {MOST_BUCKETS}, not {buckets}")
    })
}

/// All that is wrong with a manifest, without looking at any file.
pub(super) fn implausible(snapshot: &Snapshot) -> Vec<String> {
    let mut wrong: Vec<String> = bucket_count(snapshot.buckets).into_iter().collect();
    if snapshot.number > MOST {
        wrong.push(format!("its number is over {MOST}"));
    }
    if snapshot.lake_id.is_empty() {
        wrong.push("the lake's id is empty".into());
    }
    if !moment(snapshot.created_ms) {
        wrong.push("the time it was committed is not within the years 1970 to 9999".into());
    }
    let (mut bytes, mut rows) = (0u128, 0u128);
    for (name, table) in &snapshot.tables {
        if check_path("table", name, name).is_err() {
            wrong.push("a table has a name that is none".into());
        }
        for file in &table.files {
            bytes += u128::from(file.size);
            rows += u128::from(file.rows);
            let own = of_file(file, snapshot.buckets);
            wrong.extend(own.map(|what| format!("`{name}/{}`: {what}", file.path)));
        }
        for pair in table.files.windows(2) {
            if let [a, b] = pair
                && a.path >= b.path
            {
                let what = match a.path == b.path {
                    true => "is listed twice",
                    false => "is out of order",
                };
                wrong.push(format!("`{name}/{}` {what}", b.path));
            }
        }
        let mut seen: BTreeMap<u32, &DataFile> = BTreeMap::new();
        for file in &table.files {
            for &bucket in &file.buckets {
                let other = seen.insert(bucket, file);
                if other.is_some_and(|o| o.path != file.path) {
                    wrong.push(format!("bucket {bucket} is in two files of `{name}`"));
                }
            }
        }
    }
    if bytes > u128::from(MOST_BYTES << 8) || rows > u128::from(MOST) {
        wrong.push("its files have more bytes or rows than can be".into());
    }
    let more = wrong.len().saturating_sub(TOLD);
    if more > 0 {
        wrong.truncate(TOLD);
        wrong.push(format!("and {more} more"));
    }
    wrong
}

fn moment(ms: i64) -> bool {
    (0..=LAST_MS).contains(&ms)
}

fn of_file(file: &DataFile, buckets: u32) -> impl Iterator<Item = &'static str> {
    let hash = |h: &str| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit());
    let faults = [
        (
            check_path("file", &file.path, &file.path).is_err(),
            "its name is none",
        ),
        (
            file.size == 0 || file.size > MOST_BYTES,
            "its size cannot be",
        ),
        (
            // Headers of pages alone take more than a byte for each thousand rows.
            file.rows == 0 || file.rows > file.size.saturating_mul(1000) || file.rows > MOST,
            "its number of rows cannot be",
        ),
        (file.tail >= file.size, "its footer begins behind its end"),
        (
            !hash(&file.hash) || !hash(&file.tail_hash),
            "a checksum of it is none",
        ),
        (
            !moment(file.modified_ms),
            "the time it was written cannot be",
        ),
        (
            file.buckets.iter().any(|b| *b >= buckets),
            "it has a bucket that the lake does not have",
        ),
        (
            !file.buckets.is_sorted_by(|a, b| a < b),
            "its buckets are out of order, or one is listed twice",
        ),
    ];
    faults
        .into_iter()
        .filter_map(|(wrong, what)| wrong.then_some(what))
}
