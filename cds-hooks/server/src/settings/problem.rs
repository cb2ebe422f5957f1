//! What is wrong with a settings file, all of it at once.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected. Never the value of a secret.
    pub message: String,
    /// What to write instead, where that can be told.
    pub help: Option<String>,
}

/// All that is wrong with one file, in the order of its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems {
    /// The file, as it was named.
    pub file: String,
    /// At least one.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            let (file, line, column) = (&self.file, problem.line, problem.column);
            writeln!(f, "{file}:{line}:{column}: {}", problem.message)?;
            if let Some(help) = &problem.help {
                writeln!(f, "   = help: {help}")?;
            }
        }
        let s = if self.list.len() == 1 { "" } else { "s" };
        write!(f, "{} error{s} in the settings", self.list.len())
    }
}

impl std::error::Error for Problems {}
