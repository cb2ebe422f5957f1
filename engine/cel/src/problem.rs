//! What is wrong with an expression.

/// Most problems that are told of one expression.
pub(crate) const MAX_PROBLEMS: usize = 40;

/// What is wrong with an expression, at which characters of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Stable short name.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// First character and the one after the last.
    pub span: (usize, usize),
    /// What instead.
    pub help: Option<String>,
}
