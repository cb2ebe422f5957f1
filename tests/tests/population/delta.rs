//! Another Delta reader sees the same rows, at the newest and at an older snapshot.

use std::process::Command;

use datasets::synth::{SynthOptions, write_population};

use crate::fixture::import_into;

const SCRIPT: &str = r#"
import sys
try:
    from deltalake import DeltaTable
    import pyarrow
except ImportError:
    print("SKIP")
    sys.exit(0)
lake = sys.argv[1]
for table in ["resources", "facts", "patients", "shared", "codes"]:
    for version in [0, 1]:
        t = DeltaTable(f"{lake}/{table}", version=version)
        rows = t.to_pyarrow_table()
        print(table, version, rows.num_rows)
    if table == "resources":
        newest = DeltaTable(f"{lake}/{table}").to_pyarrow_table()
        ids = sorted(zip(newest["resource_type"].to_pylist(), newest["id"].to_pylist()))
        print("ids", len(ids), len(set(ids)))
# The checksums are those of the format: another reader verifies them, and finds a flipped bit.
import glob
import pyarrow.parquet as pq
files = sorted(glob.glob(f"{lake}/*/*.parquet"))
for f in files:
    pq.read_table(f, page_checksum_verification=True)
facts = [f for f in files if "/facts/" in f][0]
chunk = pq.ParquetFile(facts).metadata.row_group(0).column(2)
data = bytearray(open(facts, "rb").read())
data[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 4
open(f"{lake}/flipped.parquet", "wb").write(data)
try:
    pq.read_table(f"{lake}/flipped.parquet", page_checksum_verification=True)
    print("the flipped bit was not found")
except OSError as e:
    print("checksums" if "CRC" in str(e) else e)
sys.stdout.flush()
import os
os._exit(0)
"#;

#[test]
fn python_reads_the_same_rows_at_both_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let mut counts = vec![];
    for (version, patients) in [(0, 40u64), (1, 60)] {
        let data = folder.path().join(format!("data{version}"));
        let options = SynthOptions {
            patients,
            ..SynthOptions::default()
        };
        write_population(&options, &data, 2, &|_| {}).unwrap();
        let report = import_into(&data, &lake, 8, 1_700_000_000_000 + version);
        assert!(report.committed);
        let open = tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(engine_population::lake::Lake::open(&lake, None))
            .unwrap();
        counts.push(["resources", "facts", "patients", "shared", "codes"].map(|t| open.rows(t)));
    }
    let python = std::env::var("TANDEM_PYTHON").unwrap_or_else(|_| "python3".into());
    let Ok(output) = Command::new(&python)
        .args(["-c", SCRIPT])
        .arg(&lake)
        .output()
    else {
        println!("skipped: there is no Python here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.starts_with("SKIP") {
        println!("skipped: Python has no module `deltalake`");
        return;
    }
    for (version, expected) in counts.iter().enumerate() {
        for (table, rows) in ["resources", "facts", "patients", "shared", "codes"]
            .iter()
            .zip(expected)
        {
            let line = format!("{table} {version} {rows}");
            assert!(
                text.lines().any(|l| l == line),
                "{line} is not in:\n{text}\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    let newest = counts[1][0];
    assert!(text.contains(&format!("ids {newest} {newest}")), "{text}");
    assert!(text.contains("\nchecksums\n"), "{text}");
}
