//! The derived Delta logs: what they list at the newest snapshot.

use super::findings::Findings;
use crate::lake::Lake;
use crate::lake::commit::{self, DeltaProblem};

/// Compares the log of each table with the snapshot, where it is the newest: of older ones the log has
/// no more than what came after.
pub(super) async fn check(lake: &Lake, findings: &Findings, notes: &mut Vec<String>) {
    let newest = commit::latest(lake.store.as_ref()).await;
    if newest.map_or(true, |s| s.number != lake.snapshot.number) {
        return;
    }
    for (name, problem) in commit::delta_problems(lake.store.as_ref(), &lake.snapshot).await {
        match problem {
            DeltaProblem::EndsBefore(number) => notes.push(format!(
                "the Delta log of `{name}` ends before snapshot {number}: the next import writes the rest"
            )),
            DeltaProblem::Unreadable(what) => findings.add("Delta logs that cannot be read", what),
            DeltaProblem::OtherFiles => findings.add(
                "Delta logs that list other files",
                format!("table `{name}`"),
            ),
        }
    }
}
