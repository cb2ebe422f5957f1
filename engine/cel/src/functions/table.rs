//! All functions of rules, beside CEL's operators and macros.

use super::row::FunctionInfo;
use super::{
    codes, conditions, dates, drugs, drugs_taken, formulas, hook, latest, lists, numbers,
    observations, patient, quantity, status, texts, unknown, windows,
};

/// Functions about one thing.
pub struct Topic {
    /// The heading of the reference page.
    pub title: &'static str,
    /// Each can be called as `f(x, y)` or `x.f(y)`.
    pub functions: &'static [FunctionInfo],
}

const fn topic(title: &'static str, functions: &'static [FunctionInfo]) -> Topic {
    Topic { title, functions }
}

/// The topics, in the order of the reference page.
pub const TOPICS: &[Topic] = &[
    topic("Lists", lists::ROWS),
    topic("Which one", latest::ROWS),
    topic("Windows of time", windows::ROWS),
    topic("Dates", dates::ROWS),
    topic("Conditions", conditions::ROWS),
    topic("What was done", status::ROWS),
    topic("Values of Observations", observations::ROWS),
    topic("Formulas", formulas::ROWS),
    topic("Units", quantity::ROWS),
    topic("Drugs", drugs::ROWS),
    topic("Medications and allergies", drugs_taken::ROWS),
    topic("Orders being written", hook::ROWS),
    topic("Codes", codes::ROWS),
    topic("The patient", patient::ROWS),
    topic("What cannot be told", unknown::ROWS),
    topic("Numbers", numbers::ROWS),
    topic("Texts", texts::ROWS),
];

/// All functions.
pub fn all() -> impl Iterator<Item = &'static FunctionInfo> {
    TOPICS.iter().flat_map(|topic| topic.functions)
}

/// The row of a function.
pub fn find(name: &str) -> Option<&'static FunctionInfo> {
    all().find(|f| f.name == name)
}
