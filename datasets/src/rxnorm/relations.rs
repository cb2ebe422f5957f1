//! RXNREL: the relations between active concepts.
//!
//! A row reads "RXCUI2 RELA RXCUI1". Every relation is stored twice, once in each direction; only the
//! direction named in [`Rela`] is used.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::concepts::Concepts;
use super::error::RxNormError;
use super::ledger::RxNormLedger;
use super::lines::{Line, each_line, rxcui};

const FILE: &str = "RXNREL.RRF";

/// The relations that lead from a product to its ingredients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Rela {
    /// SCD → SCDC, SBD → SBDC and SCDC.
    ConsistsOf,
    /// SCDC → IN, SCDF → IN; also SBD → BN.
    HasIngredient,
    /// SCDC → PIN.
    HasPreciseIngredient,
    /// PIN → IN.
    FormOf,
    /// SCD → MIN.
    HasIngredients,
    /// SBD → SCD, BPCK → GPCK, SBDC → SCDC.
    TradenameOf,
    /// Pack → SCD or SBD.
    Contains,
    /// SCD → SCDF.
    Isa,
    /// Quantified SCD → SCD, and the same of SBD.
    QuantifiedFormOf,
    /// MIN → IN.
    HasPart,
}

impl Rela {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "consists_of" => Self::ConsistsOf,
            "has_ingredient" => Self::HasIngredient,
            "has_precise_ingredient" => Self::HasPreciseIngredient,
            "form_of" => Self::FormOf,
            "has_ingredients" => Self::HasIngredients,
            "tradename_of" => Self::TradenameOf,
            "contains" => Self::Contains,
            "isa" => Self::Isa,
            "quantified_form_of" => Self::QuantifiedFormOf,
            "has_part" => Self::HasPart,
            _ => return None,
        })
    }
}

const INVERSES: [&str; 10] = [
    "constitutes",
    "ingredient_of",
    "precise_ingredient_of",
    "has_form",
    "ingredients_of",
    "has_tradename",
    "contained_in",
    "inverse_isa",
    "has_quantified_form",
    "part_of",
];

/// Relations in both directions.
#[derive(Debug, Default)]
pub(super) struct Relations {
    from: FxHashMap<(u32, Rela), Vec<u32>>,
    to: FxHashMap<(u32, Rela), Vec<u32>>,
}

impl Relations {
    /// What `subject` is related to.
    pub fn objects(&self, subject: u32, rela: Rela) -> &[u32] {
        self.from.get(&(subject, rela)).map_or(&[], Vec::as_slice)
    }

    /// What is related to `object`.
    pub fn subjects(&self, object: u32, rela: Rela) -> &[u32] {
        self.to.get(&(object, rela)).map_or(&[], Vec::as_slice)
    }
}

/// Reads the relations of source `RXNORM` between active concepts.
pub(super) fn read(
    dir: &Path,
    concepts: &Concepts,
    ledger: &mut RxNormLedger,
) -> Result<Relations, RxNormError> {
    let mut relations = Relations::default();
    let file = each_line::<16>(dir, FILE, |fields| {
        let [
            one,
            _,
            stype1,
            _,
            two,
            _,
            stype2,
            rela,
            _,
            _,
            sab,
            _,
            _,
            _,
            suppress,
            _,
        ] = fields;
        if sab != "RXNORM" {
            return Line::Skipped("another source");
        }
        if stype1 != "CUI" || stype2 != "CUI" {
            return Line::Skipped("between atoms, not concepts");
        }
        let (object, subject) = match (rxcui(one), rxcui(two)) {
            (Ok(object), Ok(subject)) => (object, subject),
            (Err(reason), _) | (_, Err(reason)) => return Line::Malformed(reason),
        };
        if matches!(suppress, "O" | "E" | "Y") {
            return Line::Skipped("suppressed or obsolete");
        }
        let Some(rela) = Rela::of(rela) else {
            return Line::Skipped(if INVERSES.contains(&rela) {
                "the same relation in the other direction"
            } else {
                "a relation that is not needed"
            });
        };
        if !(concepts.contains_key(&subject) && concepts.contains_key(&object)) {
            return Line::Skipped("of a concept that is not used");
        }
        relations
            .from
            .entry((subject, rela))
            .or_default()
            .push(object);
        relations
            .to
            .entry((object, rela))
            .or_default()
            .push(subject);
        Line::Used
    })?;
    let Some(file) = file else {
        let path = dir.join(FILE);
        return Err(RxNormError::Missing { path });
    };
    ledger.files.push(file);
    Ok(relations)
}
