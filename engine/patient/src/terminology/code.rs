//! A code in a code system, and the 64-bit key under which it is compared.

use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Longest `system|code` that is hashed without a streaming hasher.
const SHORT: usize = 256;

/// The well-known code systems that data also writes as `urn:oid:`.
const OIDS: [(&str, &str); 7] = [
    ("2.16.840.1.113883.6.1", "http://loinc.org"),
    ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
    (
        "2.16.840.1.113883.6.88",
        "http://www.nlm.nih.gov/research/umls/rxnorm",
    ),
    (
        "2.16.840.1.113883.6.90",
        "http://hl7.org/fhir/sid/icd-10-cm",
    ),
    ("2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"),
    (
        "2.16.840.1.113883.6.285",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    ),
    ("2.16.840.1.113883.6.12", "http://www.ama-assn.org/go/cpt"),
];

/// The URL of a well-known code system given as `urn:oid:…`; every other text comes back unchanged.
///
/// Nothing else is normalised: `http` and `https`, trailing slashes and letter case stay as they are.
///
/// ```
/// use engine_patient::terminology::canonical_system;
/// assert_eq!(canonical_system("urn:oid:2.16.840.1.113883.6.1"), "http://loinc.org");
/// assert_eq!(canonical_system("http://loinc.org/"), "http://loinc.org/");
/// ```
#[must_use]
pub fn canonical_system(system: &str) -> &str {
    let Some(oid) = system.strip_prefix("urn:oid:") else {
        return system;
    };
    OIDS.iter()
        .find(|(known, _)| *known == oid)
        .map_or(system, |(_, url)| url)
}

/// The key of a code: xxh3-64 of `system|code`, its bits read as `i64`.
///
/// The system goes through [`canonical_system`] first, so both forms of a well-known system give the
/// same key. A code without a system has the empty system; it equals no code that has one. Two
/// different codes share a key with a chance of about n²/2⁶⁵ for n codes (300,000 codes: 2 in a
/// billion); a value set reports a collision among its own codes.
///
/// ```
/// use engine_patient::terminology::code_key;
/// assert_eq!(
///     code_key("urn:oid:2.16.840.1.113883.6.1", "4548-4"),
///     code_key("http://loinc.org", "4548-4"),
/// );
/// assert_ne!(code_key("http://loinc.org", "4548-4"), code_key("http://loinc.org", "4548-5"));
/// ```
#[must_use]
pub fn code_key(system: &str, code: &str) -> i64 {
    let system = canonical_system(system);
    short_key(system, code).unwrap_or_else(|| {
        let mut hasher = Xxh3::new();
        hasher.update(system.as_bytes());
        hasher.update(b"|");
        hasher.update(code.as_bytes());
        hasher.digest().cast_signed()
    })
}

/// The key of an input that fits the buffer on the stack.
fn short_key(system: &str, code: &str) -> Option<i64> {
    let mut buffer = [0_u8; SHORT];
    let bar = system.len();
    let end = bar.checked_add(1)?.checked_add(code.len())?;
    buffer.get_mut(..bar)?.copy_from_slice(system.as_bytes());
    *buffer.get_mut(bar)? = b'|';
    buffer
        .get_mut(bar + 1..end)?
        .copy_from_slice(code.as_bytes());
    Some(xxh3_64(buffer.get(..end)?).cast_signed())
}

/// A code with its system, and what the source said beside it.
///
/// Two codes are the same member of a value set when system and code are equal; `version` and
/// `display` are kept for texts and export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Code system URL, after [`canonical_system`].
    pub system: Arc<str>,
    /// Code system version, if the source named one.
    pub version: Option<Arc<str>>,
    /// The code, exactly as given.
    pub code: Arc<str>,
    /// Display text of the source.
    pub display: Option<Arc<str>>,
}

impl Code {
    /// A code without version and display.
    #[must_use]
    pub fn new(system: &str, code: &str) -> Self {
        Self {
            system: Arc::from(canonical_system(system)),
            version: None,
            code: Arc::from(code),
            display: None,
        }
    }

    /// The same code with a display text.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = Some(Arc::from(display));
        self
    }

    /// See [`code_key`].
    #[must_use]
    pub fn key(&self) -> i64 {
        code_key(&self.system, &self.code)
    }

    /// Sort order of entries: system, then code, both by bytes.
    pub(super) fn order(&self) -> (&str, &str) {
        (&self.system, &self.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.system, self.code)?;
        match &self.display {
            Some(display) => write!(f, " ({display})"),
            None => Ok(()),
        }
    }
}
