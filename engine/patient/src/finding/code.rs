//! Kinds of findings, made from the table.

use std::fmt;

pub use super::table::Code;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// As it is printed: `error[P051]`.
    pub name: &'static str,
    /// What it means.
    pub summary: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Content, or a situation, that has it.
    pub example: &'static str,
    /// What the example is, so that a test can run it.
    pub example_of: ExampleOf,
    /// What to do.
    pub mend: &'static str,
}

/// What an example is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleOf {
    /// A situation, told in words.
    Prose,
    /// Fields of a rule, in YAML.
    Rule,
    /// A SQL measure, in YAML.
    SqlMeasure,
    /// An expression of a rule.
    Cel,
    /// A file of terminology.
    Terminology,
    /// An expression of ELM.
    Elm,
    /// FHIRPath over a Patient.
    Path,
    /// Properties of a ViewDefinition.
    View,
}

/// Makes the enum [`Code`] and its table of rows.
macro_rules! codes {
    ($($variant:ident $name:literal $summary:literal
        why $why:literal example $of:ident $example:literal mend $mend:literal;)*) => {
        /// The kind of a finding. What is printed of it stays as it is once it is published.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// All, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// Its row.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Code::$variant => Entry {
                        name: $name,
                        summary: $summary,
                        why: $why,
                        example: $example,
                        example_of: ExampleOf::$of,
                        mend: $mend,
                    },)*
                }
            }
        }
    };
}

pub(super) use codes;

impl Code {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The code that is printed like this; letter case counts nothing.
    pub fn of(name: &str) -> Option<Code> {
        let mut all = Code::ALL.iter().copied();
        all.find(|c| c.as_str().eq_ignore_ascii_case(name))
    }

    /// What it is about: the heading of its part of the list.
    pub fn topic(self) -> &'static str {
        let mut name = self.as_str().chars();
        match (name.next(), name.next()) {
            (Some('T'), Some('0'..='9')) => "value sets and code systems",
            (Some('E'), Some('0'..='9')) => "the logic of measures (ELM)",
            (Some('P'), Some('0'..='9')) => "measure packages",
            (Some('F'), Some('0'..='9')) => "FHIRPath in views",
            (Some('V'), Some('0'..='9')) => "views (ViewDefinition)",
            _ => "rules and SQL measures",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
