//! RXNCONSO: the active concepts.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::RxNormError;
use super::ledger::RxNormLedger;
use super::lines::{Line, each_line, rxcui};

const FILE: &str = "RXNCONSO.RRF";

/// The term types that form the structure of RxNorm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::upper_case_acronyms, reason = "the names are RxNorm's")]
pub(super) enum Tty {
    IN,
    PIN,
    MIN,
    SCDC,
    SCD,
    SBD,
    SBDC,
    SCDF,
    BN,
    GPCK,
    BPCK,
}

impl Tty {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "IN" => Self::IN,
            "PIN" => Self::PIN,
            "MIN" => Self::MIN,
            "SCDC" => Self::SCDC,
            "SCD" => Self::SCD,
            "SBD" => Self::SBD,
            "SBDC" => Self::SBDC,
            "SCDF" => Self::SCDF,
            "BN" => Self::BN,
            "GPCK" => Self::GPCK,
            "BPCK" => Self::BPCK,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::IN => "IN",
            Self::PIN => "PIN",
            Self::MIN => "MIN",
            Self::SCDC => "SCDC",
            Self::SCD => "SCD",
            Self::SBD => "SBD",
            Self::SBDC => "SBDC",
            Self::SCDF => "SCDF",
            Self::BN => "BN",
            Self::GPCK => "GPCK",
            Self::BPCK => "BPCK",
        }
    }
}

/// An active concept.
#[derive(Debug)]
pub(super) struct Concept {
    pub tty: Tty,
    pub name: String,
}

/// Active concepts by RxCUI.
pub(super) type Concepts = BTreeMap<u32, Concept>;

/// Reads the concepts of source `RXNORM` with a structural term type that are not suppressed. Of the
/// atoms that share an RxCUI (`PSN`, `SY`, `TMSY` beside `SCD`) the structural one is taken.
pub(super) fn read(dir: &Path, ledger: &mut RxNormLedger) -> Result<Concepts, RxNormError> {
    let mut concepts = Concepts::new();
    let file = each_line::<18>(dir, FILE, |fields| {
        let [
            code,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            sab,
            tty,
            _,
            name,
            _,
            suppress,
            _,
        ] = fields;
        let code = match rxcui(code) {
            Ok(code) => code,
            Err(reason) => return Line::Malformed(reason),
        };
        if sab != "RXNORM" {
            return Line::Skipped("another source");
        }
        if suppress != "N" {
            return Line::Skipped("suppressed or obsolete");
        }
        let Some(tty) = Tty::of(tty) else {
            return Line::Skipped("not a structural term type");
        };
        if name.is_empty() {
            return Line::Malformed(format!("concept {code} has no name"));
        }
        if concepts.contains_key(&code) {
            return Line::Skipped("another structural atom of the same code");
        }
        let name = name.to_owned();
        concepts.insert(code, Concept { tty, name });
        Line::Used
    })?;
    let path = dir.join(FILE);
    let Some(file) = file else {
        return Err(RxNormError::Missing { path });
    };
    let lines = file.lines;
    ledger.files.push(file);
    if concepts.is_empty() {
        return Err(RxNormError::NoConcepts { path, lines });
    }
    for concept in concepts.values() {
        let name = concept.tty.name().to_owned();
        *ledger.concepts.entry(name).or_default() += 1;
    }
    Ok(concepts)
}
