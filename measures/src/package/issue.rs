//! What can be wrong with a package: where, what, and what instead.

use std::fmt;

use engine_patient::finding::Finding;
pub use engine_patient::finding::Severity;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The package or the call is wrong.
    Mistake,
    /// The package may be right, but this engine does not do that.
    NotSupported,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How much it matters.
    pub severity: Severity,
    /// Who has to act.
    pub family: Family,
    /// Stable code: `P…` of [`Issue::CODES`], or `T…` of terminology.
    pub code: &'static str,
    /// The measure concerned, by name; `None` if it is not about one measure.
    pub measure: Option<String>,
    /// File as the user named it; empty where there is none.
    pub file: String,
    /// Line in the unpacked file, from 1, if known.
    pub line: Option<usize>,
    /// Column in that line, from 1, in bytes, if known.
    pub column: Option<usize>,
    /// FHIRPath from the top of the file's resource, such as `Measure.group[0].population[1].criteria`.
    pub path: Option<String>,
    /// What is wrong: lower case, names in backticks.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Issue {
    /// Every code with its meaning.
    pub const CODES: [(&str, &str); 64] = [
        ("P001", "the text is not JSON, or ends too early"),
        ("P002", "the text is not UTF-8"),
        ("P003", "an object is not a FHIR resource"),
        ("P004", "no FHIR R4 resource has this type"),
        ("P005", "resources of other types were ignored"),
        ("P006", "files of other kinds were not read"),
        ("P007", "a path does not exist"),
        ("P008", "a path cannot be read"),
        ("P009", "there is nothing to read, or no measure in it"),
        ("P010", "an element has the wrong JSON type"),
        ("P011", "Bundles within Bundles too deep"),
        (
            "P012",
            "an extension without url or value, or given twice with different values",
        ),
        ("P020", "a measure lacks url, version, id or name"),
        ("P021", "a measure has no group"),
        ("P022", "a measure names no library"),
        ("P023", "a measure's library is not in the package"),
        (
            "P024",
            "the same measure twice: an error if the content differs",
        ),
        ("P025", "an effective period cannot be understood"),
        ("P026", "a measure names several libraries"),
        ("P027", "a measure's library cannot be used"),
        ("P028", "a measure's library was found by name, not by url"),
        (
            "P029",
            "several versions of a measure's library, none asked for",
        ),
        ("P030", "no scoring"),
        ("P031", "unknown scoring"),
        ("P032", "composite scoring is not supported"),
        ("P033", "unknown or unsupported population basis"),
        ("P034", "unknown or contradictory improvement notation"),
        ("P035", "which way is better is not stated, or contradicted"),
        ("P040", "a group has no populations"),
        ("P041", "a population has no code"),
        ("P042", "unknown population code"),
        ("P043", "a population that the scoring needs is missing"),
        (
            "P044",
            "a population stands more often than the scoring allows",
        ),
        ("P045", "the scoring has no place for a population"),
        ("P046", "the same id twice"),
        ("P050", "no criteria expression"),
        ("P051", "unsupported criteria language"),
        ("P052", "criteria are a CQL expression, not a name"),
        ("P053", "criteria without language"),
        ("P060", "an observation has no aggregate method"),
        ("P061", "unknown aggregate method"),
        ("P062", "an aggregate method where nothing is aggregated"),
        ("P063", "a stale criteria reference was resolved"),
        ("P064", "a criteria reference points nowhere"),
        ("P065", "a criteria reference is missing"),
        (
            "P066",
            "a criteria reference points to the wrong population",
        ),
        ("P070", "a stratifier cannot be understood"),
        ("P071", "a stratifier applies to an unknown population"),
        ("P072", "supplemental data were left out"),
        ("P073", "unknown usage of supplemental data"),
        ("P074", "a stratifier was left out"),
        ("P080", "a library has no ELM in JSON"),
        ("P081", "the content of a library is not base64"),
        ("P082", "the content of a library is not ELM"),
        (
            "P083",
            "a library resource and its ELM are named differently",
        ),
        (
            "P084",
            "the same library twice: an error if the content differs",
        ),
        ("P085", "a file is named after another version"),
        ("P086", "the translator left errors in the ELM"),
        ("P087", "the library is written for another data model"),
        ("P088", "measure and library have different versions"),
        ("P090", "no measure of this name"),
        ("P091", "several measures of this name"),
        ("P092", "the measure asked for was refused"),
        ("P093", "`--better` is not understood"),
    ];

    pub(super) fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity,
            family: Family::Mistake,
            code,
            measure: None,
            file: String::new(),
            line: None,
            column: None,
            path: None,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    pub(super) fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    pub(super) fn info(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, code, message)
    }

    /// About which way is better.
    pub(crate) fn about_direction(message: String, help: String) -> Self {
        Self::warning("P035", message).help(help)
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `did you mean …`, or else `otherwise`.
    pub(super) fn meant(self, near: Option<&str>, otherwise: impl Into<String>) -> Self {
        match near {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(otherwise),
        }
    }

    pub(super) fn not_supported(mut self) -> Self {
        self.family = Family::NotSupported;
        self
    }

    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(super) fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

impl From<Finding> for Issue {
    fn from(issue: Finding) -> Self {
        Self {
            severity: issue.severity,
            family: Family::Mistake,
            code: issue.code.as_str(),
            measure: None,
            file: issue.place.file.to_string(),
            line: issue.line(),
            column: issue.column(),
            path: issue.place.path,
            message: issue.message,
            help: issue.help,
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}]: {}",
            self.severity.as_str(),
            self.code,
            self.message
        )?;
        let mut place = self.file.clone();
        for number in [self.line, self.column].into_iter().flatten() {
            place.push_str(&format!(":{number}"));
        }
        if let Some(path) = &self.path {
            if !place.is_empty() {
                place.push(' ');
            }
            place.push_str(path);
        }
        if !place.is_empty() {
            write!(f, "\n  --> {place}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}
