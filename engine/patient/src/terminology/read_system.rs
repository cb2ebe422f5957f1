//! Code systems that are surely meant, and written so that no data will ever have them.

use std::sync::Arc;

use super::read::{Read, Spot};
use crate::finding::{Code, Finding};

/// Urls of code systems, and names under which people know them, in small letters and digits.
const KNOWN: &[(&str, &[&str])] = &[
    ("http://loinc.org", &["loinc"]),
    ("http://snomed.info/sct", &["snomed", "snomedct", "sct"]),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", &["rxnorm"]),
    ("http://hl7.org/fhir/sid/icd-10-cm", &["icd10cm"]),
    ("http://hl7.org/fhir/sid/icd-10", &["icd10"]),
    ("http://hl7.org/fhir/sid/icd-9-cm", &["icd9cm", "icd9"]),
    ("http://hl7.org/fhir/sid/cvx", &["cvx"]),
    ("http://hl7.org/fhir/sid/ndc", &["ndc"]),
    ("http://www.ama-assn.org/go/cpt", &["cpt"]),
    (
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        &["hcpcs"],
    ),
    ("http://unitsofmeasure.org", &["ucum"]),
];

/// The short names of code systems that tables of value sets may use.
pub(super) fn known_names() -> impl Iterator<Item = &'static str> + Clone {
    KNOWN.iter().filter_map(|(_, names)| names.first().copied())
}

/// The url of a code system by its url or a short name, however that is written: `LOINC`, `ICD-10-CM`.
pub(super) fn system_named(written: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(url, _)| *url == written);
    known.map(|(url, _)| *url).or_else(|| meant(written))
}

/// The url that is meant by a text that is another.
fn meant(system: &str) -> Option<&'static str> {
    let letters = |text: &str| {
        let kept = text.chars().filter(char::is_ascii_alphanumeric);
        kept.collect::<String>().to_ascii_lowercase()
    };
    // `https`, `www.`, a stroke at the end, capital letters
    let plain = |url: &str| {
        let url = url.trim().to_ascii_lowercase();
        let url = url
            .trim_start_matches("https://")
            .trim_start_matches("http://");
        url.trim_start_matches("www.")
            .trim_end_matches(['/', '#'])
            .to_owned()
    };
    let (name, here) = (letters(system), plain(system));
    let known = KNOWN.iter().find(|(url, names)| {
        *url != system && plain(url) == here || !system.contains(':') && names.contains(&&*name)
    });
    known.map(|(url, _)| *url).filter(|url| *url != system)
}

impl Read {
    /// The text of a code system, with a warning where it is a slip of a known one.
    pub fn code_system(
        &mut self,
        spot: &Spot,
        system: &str,
        path: impl FnOnce() -> String,
    ) -> Arc<str> {
        let known = self.has_system(system);
        let shared = self.system(system);
        if !known && let Some(url) = meant(&shared) {
            let message = format!(
                "`{shared}` is not how data writes this code system: its codes match nothing"
            );
            let finding = Finding::warning(Code::TerminologySystem, message);
            let finding = finding.placed(spot.place(path()));
            self.issues.push(finding.help(format!("write `{url}`")));
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, meant};

    #[test]
    fn slips_of_known_systems() {
        for (written, url) in [
            ("loinc", "http://loinc.org"),
            ("LOINC", "http://loinc.org"),
            ("http://loinc.org/", "http://loinc.org"),
            ("https://loinc.org", "http://loinc.org"),
            ("http://www.loinc.org", "http://loinc.org"),
            ("SNOMED-CT", "http://snomed.info/sct"),
            ("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm"),
        ] {
            assert_eq!(meant(written), Some(url), "{written}");
        }
        for right in KNOWN.iter().map(|(url, _)| *url) {
            assert_eq!(meant(right), None, "{right}");
        }
        for other in [
            "urn:loinc",
            "s",
            "http://snomed.info/sct/900000000000207008",
        ] {
            assert_eq!(meant(other), None, "{other}");
        }
    }
}
