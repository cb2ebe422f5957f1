//! RXNSAT: national drug codes of the products.

use std::path::Path;

use engine_patient::terminology::DrugDictionaryBuilder;

use super::concepts::Concepts;
use super::error::RxNormError;
use super::ledger::RxNormLedger;
use super::lines::{Line, each_line, rxcui};

/// Reads the NDCs of source `RXNORM`. Without the file there are none.
pub(super) fn read(
    dir: &Path,
    builder: &mut DrugDictionaryBuilder,
    concepts: &Concepts,
    ledger: &mut RxNormLedger,
) -> Result<(), RxNormError> {
    let file = each_line::<13>(dir, "RXNSAT.RRF", |fields| {
        let [code, _, _, _, _, _, _, _, name, sab, value, suppress, _] = fields;
        if name != "NDC" {
            return Line::Skipped("not an NDC");
        }
        if sab != "RXNORM" {
            return Line::Skipped("another source");
        }
        if suppress != "N" {
            return Line::Skipped("suppressed or obsolete");
        }
        let code = match rxcui(code) {
            Ok(code) => code,
            Err(reason) => return Line::Malformed(reason),
        };
        if value.len() != 11 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Line::Malformed(format!("NDC `{value}` has not 11 digits"));
        }
        if !concepts.contains_key(&code) {
            return Line::Skipped("of a concept that is not used");
        }
        match builder.ndc(value, &code.to_string()) {
            Ok(()) => Line::Used,
            Err(_) => Line::Skipped("of an unresolved product, or of a second product"),
        }
    })?;
    ledger.files.extend(file);
    Ok(())
}
