//! The account of an import: every line, every product.

use std::collections::BTreeMap;
use std::fmt;

/// Malformed lines listed per file; more are only counted.
const LISTED: usize = 1000;

/// What happened to the lines of one file: `lines = used + skipped + malformed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileLedger {
    /// File name.
    pub file: String,
    /// Lines read.
    pub lines: u64,
    /// Lines that went into the dictionary.
    pub used: u64,
    /// Lines left out, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Lines that could not be read.
    pub malformed: u64,
    /// The first 1000 of them.
    pub malformed_lines: Vec<MalformedLine>,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedLine {
    /// Line number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// A product that is not in the dictionary, because its ingredients are not known for sure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnresolvedProduct {
    /// RxCUI.
    pub rxcui: u32,
    /// Term type.
    pub tty: String,
    /// RxNorm name.
    pub name: String,
    /// What is missing.
    pub reason: String,
}

/// The account of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RxNormLedger {
    /// Per file, in the order read. A file that is optional and absent is not listed.
    pub files: Vec<FileLedger>,
    /// Active concepts by term type.
    pub concepts: BTreeMap<String, u64>,
    /// Products in the dictionary by term type.
    pub products: BTreeMap<String, u64>,
    /// Products that are not in it, by RxCUI.
    pub unresolved: Vec<UnresolvedProduct>,
}

impl FileLedger {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    pub(super) fn broken(&mut self, line: u64, reason: String) {
        self.malformed += 1;
        if self.malformed_lines.len() < LISTED {
            self.malformed_lines.push(MalformedLine { line, reason });
        }
    }

    /// True if every line is accounted for.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.lines == self.used + self.skipped.values().sum::<u64>() + self.malformed
    }
}

impl fmt::Display for FileLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, lines, used, ..
        } = self;
        writeln!(f, "{file}: {lines} lines, {used} used")?;
        for (reason, count) in &self.skipped {
            writeln!(f, "  {count} skipped: {reason}")?;
        }
        if self.malformed > 0 {
            writeln!(f, "  {} malformed:", self.malformed)?;
        }
        for MalformedLine { line, reason } in &self.malformed_lines {
            writeln!(f, "    {file}:{line} {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RxNormLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            write!(f, "{file}")?;
        }
        for (tty, count) in &self.concepts {
            match self.products.get(tty) {
                Some(products) => writeln!(f, "{tty}: {count} concepts, {products} resolved")?,
                None => writeln!(f, "{tty}: {count} concepts")?,
            }
        }
        for one in &self.unresolved {
            writeln!(
                f,
                "not resolved: {} {} `{}`: {}",
                one.rxcui, one.tty, one.name, one.reason
            )?;
        }
        Ok(())
    }
}
