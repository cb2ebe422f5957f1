//! The codes that Consents are written in, with what is below them: v3 ActReason (purposes of use) and v3
//! ActCode (sensitivities), as in FHIR 4.0.1.

use std::fmt;

use engine_patient::finding::did_you_mean;

/// Purposes of use, each with the one above it.
const PURPOSES: &[(&str, &str)] = &[
    ("BIORCH", "HRESCH"),
    ("BTG", "ETREAT"),
    ("CAREMGT", "HOPERAT"),
    ("CLINTRCH", "HRESCH"),
    ("CLINTRCHNPC", "CLINTRCH"),
    ("CLINTRCHPC", "CLINTRCH"),
    ("CLINTRL", "TREAT"),
    ("CLMATTCH", "HPAYMT"),
    ("COC", "TREAT"),
    ("COVAUTH", "HPAYMT"),
    ("COVERAGE", "HPAYMT"),
    ("DISASTER", "PUBHLTH"),
    ("DONAT", "HOPERAT"),
    ("DSRCH", "HRESCH"),
    ("ELIGDTRM", "COVERAGE"),
    ("ELIGVER", "COVERAGE"),
    ("ENROLLM", "COVERAGE"),
    ("ERTREAT", "ETREAT"),
    ("ETREAT", "TREAT"),
    ("FAMRQT", "PATRQT"),
    ("FRAUD", "HOPERAT"),
    ("GOV", "HOPERAT"),
    ("HACCRED", "HOPERAT"),
    ("HCOMPL", "HOPERAT"),
    ("HDECD", "HOPERAT"),
    ("HDIRECT", "HOPERAT"),
    ("HDM", "HOPERAT"),
    ("HLEGAL", "HOPERAT"),
    ("HMARKT", ""),
    ("HOPERAT", ""),
    ("HOUTCOMS", "HOPERAT"),
    ("HPAYMT", ""),
    ("HPRGRP", "HOPERAT"),
    ("HQUALIMP", "HOPERAT"),
    ("HRESCH", ""),
    ("HSYSADMIN", "HOPERAT"),
    ("HTEST", "SYSDEV"),
    ("LABELING", "HSYSADMIN"),
    ("MEMADMIN", "HOPERAT"),
    ("METAMGT", "HSYSADMIN"),
    ("MILCDM", "HOPERAT"),
    ("MILDCRG", "COVERAGE"),
    ("PATADMIN", "HOPERAT"),
    ("PATRQT", ""),
    ("PATSFTY", "HOPERAT"),
    ("PERFMSR", "HOPERAT"),
    ("POARCH", "HRESCH"),
    ("POPHLTH", "TREAT"),
    ("PRECLINTRCH", "CLINTRCH"),
    ("PUBHLTH", ""),
    ("PWATRNY", "PATRQT"),
    ("RECORDMGT", "HOPERAT"),
    ("REMITADV", "HPAYMT"),
    ("SUPNWK", "PATRQT"),
    ("SYSDEV", "HOPERAT"),
    ("THREAT", "PUBHLTH"),
    ("TRAIN", "HOPERAT"),
    ("TRANSRCH", "HRESCH"),
    ("TREAT", ""),
];

/// Sensitivities of information, each with the one above it.
const SENSITIVITIES: &[(&str, &str)] = &[
    ("ADOL", ""),
    ("B", ""),
    ("BH", "SPI"),
    ("CEL", ""),
    ("COGN", "BH"),
    ("DEMO", ""),
    ("DIA", ""),
    ("DOB", ""),
    ("DRGIS", ""),
    ("DVD", "BH"),
    ("EMOTDIS", "BH"),
    ("EMP", ""),
    ("EMPL", ""),
    ("ETH", ""),
    ("ETHUD", "SUD"),
    ("GDIS", ""),
    ("GENDER", ""),
    ("HIV", ""),
    ("LIVARG", ""),
    ("LOCIS", ""),
    ("MARST", ""),
    ("MH", "SPI"),
    ("MST", ""),
    ("OPIOIDUD", "SUD"),
    ("PDS", ""),
    ("PHY", ""),
    ("PRS", ""),
    ("PSY", "SPI"),
    ("PSYTHPN", "SPI"),
    ("RACE", ""),
    ("REL", ""),
    ("SCA", ""),
    ("SDV", ""),
    ("SEX", ""),
    ("SICKLE", ""),
    ("SPI", ""),
    ("SSP", ""),
    ("STD", ""),
    ("SUD", "SPI"),
    ("TBOO", ""),
    ("VIO", ""),
];

/// Names of v3 ActReason, as servers write it.
const REASONS: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "http://hl7.org/fhir/v3/ActReason",
    "http://hl7.org/fhir/v3-purposeofuse",
    "http://terminology.hl7.org/ValueSet/v3-PurposeOfUse",
    "urn:oid:2.16.840.1.113883.5.8",
    "",
];

/// Names of v3 ActCode, and of the system of confidentialities, which has some sensitivities as well.
const ACTS: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://hl7.org/fhir/v3/ActCode",
    "http://terminology.hl7.org/ValueSet/v3-InformationSensitivityPolicy",
    "http://hl7.org/fhir/ValueSet/v3-InformationSensitivityPolicy",
    "urn:oid:2.16.840.1.113883.5.4",
    "",
];

const CONFIDENTIALITIES: &[&str] = &[
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://hl7.org/fhir/v3/Confidentiality",
    "urn:oid:2.16.840.1.113883.5.25",
    "",
];

/// A purpose of use: a code of v3 ActReason below `PurposeOfUse`, such as `TREAT` or `HRESCH`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Purpose(&'static str);

/// A text that is no purpose of use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPurpose {
    near: Option<String>,
}

impl UnknownPurpose {
    /// The code that may be meant.
    pub fn near(&self) -> Option<&str> {
        self.near.as_deref()
    }
}

impl fmt::Display for UnknownPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no purpose of use of v3 ActReason, such as `TREAT` or `HRESCH`")?;
        match &self.near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownPurpose {}

impl Purpose {
    /// `TREAT`: treatment.
    pub const TREATMENT: Purpose = Purpose("TREAT");
    pub(crate) const EMERGENCY: Purpose = Purpose("ETREAT");
    pub(crate) const RESEARCH: Purpose = Purpose("HRESCH");

    /// The purpose of this code.
    ///
    /// # Errors
    /// Where there is none; the text is not repeated but for a near one.
    pub fn parse(code: &str) -> Result<Purpose, UnknownPurpose> {
        let found = PURPOSES.iter().find(|(known, _)| *known == code);
        found.map(|(known, _)| Purpose(known)).ok_or_else(|| {
            let known = PURPOSES.iter().map(|(known, _)| *known);
            let near = did_you_mean(code, known).map(str::to_owned);
            UnknownPurpose { near }
        })
    }

    /// The purpose of a Coding.
    pub(crate) fn of(system: &str, code: &str) -> Option<Purpose> {
        let known = REASONS.contains(&system);
        known.then(|| Purpose::parse(code).ok()).flatten()
    }

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Whether it is `other`, or a kind of it: emergency treatment is treatment.
    #[must_use]
    pub fn is_a(self, other: Purpose) -> bool {
        is_a(PURPOSES, self.0, other.0)
    }
}

/// A sensitivity of information: a code of v3 ActCode, such as `PSY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sensitivity(&'static str);

impl Sensitivity {
    pub(crate) fn of(system: &str, code: &str) -> Option<Sensitivity> {
        let known = ACTS.contains(&system) || CONFIDENTIALITIES.contains(&system);
        let found = SENSITIVITIES.iter().find(|(known, _)| *known == code);
        found.filter(|_| known).map(|(code, _)| Sensitivity(code))
    }

    pub(crate) fn is_a(self, other: Sensitivity) -> bool {
        is_a(SENSITIVITIES, self.0, other.0)
    }

    /// Whether the codes are about the same kind of thing, although neither is below the other: `ETH` and
    /// `SUD` both say substance abuse.
    pub(crate) fn is_near(self, other: Sensitivity) -> bool {
        const NEAR: [&[&str]; 2] = [
            &["ETH", "ETHUD", "OPIOIDUD", "SUD"],
            &["BH", "EMOTDIS", "MH", "PSY", "PSYTHPN"],
        ];
        NEAR.iter()
            .any(|group| group.contains(&self.0) && group.contains(&other.0))
    }
}

/// Whether a label says anything of how secret something is: of other systems there are labels, too, such as "test
/// data".
pub(crate) fn is_of_secrecy(system: &str, code: &str) -> bool {
    let known = ACTS.contains(&system) || CONFIDENTIALITIES.contains(&system);
    (known && !system.is_empty())
        || Sensitivity::of(system, code).is_some()
        || Confidentiality::of(system, code).is_some()
}

/// How confidential, from `U` (unrestricted) to `V` (very restricted).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Confidentiality(usize);

impl Confidentiality {
    /// `N`: what data has without a label.
    pub(crate) const NORMAL: Confidentiality = Confidentiality(3);

    pub(crate) fn of(system: &str, code: &str) -> Option<Confidentiality> {
        const ORDER: [&str; 6] = ["U", "L", "M", "N", "R", "V"];
        let place = ORDER.iter().position(|known| *known == code)?;
        CONFIDENTIALITIES
            .contains(&system)
            .then_some(Confidentiality(place))
    }
}

fn is_a(tree: &[(&'static str, &'static str)], code: &str, other: &str) -> bool {
    let mut at = code;
    // No branch is longer than the tree.
    for _ in 0..=tree.len() {
        if at == other {
            return true;
        }
        match tree.iter().find(|(known, _)| *known == at) {
            Some((_, above)) if !above.is_empty() => at = above,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_code_is_of_its_kind() {
        let purpose = |code| Purpose::parse(code).unwrap();
        for (code, above, is) in [
            ("TREAT", "TREAT", true),
            ("BTG", "TREAT", true),
            ("TREAT", "ETREAT", false),
            ("CLINTRCHPC", "HRESCH", true),
            ("HTEST", "HOPERAT", true),
            ("HPAYMT", "TREAT", false),
        ] {
            assert_eq!(purpose(code).is_a(purpose(above)), is, "{code} {above}");
        }
        let sensitivity = |code| Sensitivity::of("", code).unwrap();
        assert!(sensitivity("OPIOIDUD").is_a(sensitivity("SPI")));
        assert!(!sensitivity("HIV").is_a(sensitivity("SPI")));
        assert!(sensitivity("ETH").is_near(sensitivity("SUD")));
        let of = |code| Confidentiality::of("", code).unwrap();
        assert!(of("V") > of("R") && of("R") > Confidentiality::NORMAL);
        assert!(of("U") < of("L") && of("M") < of("N"));
    }

    #[test]
    fn every_code_stands_once_and_below_one_that_is_there() {
        for tree in [PURPOSES, SENSITIVITIES] {
            assert!(tree.is_sorted_by(|a, b| a.0 < b.0));
            for (_, above) in tree {
                assert!(above.is_empty() || tree.iter().any(|(code, _)| code == above));
            }
        }
    }

    #[test]
    fn what_is_no_purpose_is_told() {
        let text = |code| Purpose::parse(code).unwrap_err().to_string();
        assert_eq!(
            text("TREATMENT-PURPOSE"),
            "is no purpose of use of v3 ActReason, such as `TREAT` or `HRESCH`"
        );
        assert!(
            text("TRET").ends_with("did you mean `TREAT`?"),
            "{}",
            text("TRET")
        );
        assert_eq!(Purpose::of("http://example.org/own", "TREAT"), None);
    }
}
