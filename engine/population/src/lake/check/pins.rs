//! Pins: that each of them keeps a snapshot, and that nothing else stands there.

use super::findings::Findings;
use crate::lake::{Lake, commit};

pub(super) async fn check(lake: &Lake, findings: &Findings, notes: &mut Vec<String>) {
    let store = lake.store.as_ref();
    match commit::pins(store).await {
        Ok(pins) => {
            for number in pins.keys() {
                if commit::read(store, *number).await.is_err() {
                    notes.push(format!(
                        "the pin of snapshot {number} keeps nothing: it cannot be read"
                    ));
                }
            }
        }
        Err(e) => findings.add("pins that cannot be read", e.to_string()),
    }
    match commit::not_pins(store).await {
        Ok(found) => {
            for what in found {
                findings.add("what stands in place of a pin and keeps no snapshot", what);
            }
        }
        Err(e) => findings.add("pins that cannot be read", e.to_string()),
    }
}
