//! `findings.json`: what was told of the packages of a run, the value sets that are missing, what was left
//! out, and the whole ledger. The screen shows what needs a reader's attention.

use engine_patient::finding::identical;
use serde_json::{Value, json};

use measures::ledger::Ledger;
use measures::prepared::Prepared;

/// Its name.
pub const FINDINGS: &str = "findings.json";

/// Its bytes. The same run, the same bytes; no patient data, as in ledgers.
pub(crate) fn bytes(packages: Option<&Prepared>, ledger: &Ledger) -> Vec<u8> {
    let findings = packages.map_or(&[][..], |p| &p.findings);
    let findings: Vec<Value> = identical(findings).iter().map(|g| g.to_json()).collect();
    let left_out = packages.iter().flat_map(|p| &p.built.left_out);
    let left_out = left_out.map(|l| json!({ "measure": l.measure, "what": l.what }));
    let lines = ledger.lines();
    let lines =
        lines.map(|(name, detail, n)| json!({ "name": name, "detail": detail, "count": n }));
    let whole = json!({
        "findings": findings,
        "missingValueSets": packages.map_or(json!([]), |p| p.built.missing_json()),
        "leftOut": left_out.collect::<Vec<Value>>(),
        "ledger": lines.collect::<Vec<Value>>(),
    });
    // Of texts and numbers: this does not fail.
    let mut bytes = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
