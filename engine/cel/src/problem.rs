//! What is wrong with an expression, at which characters of it.

use engine_patient::finding::{self, Code, Finding, Source};

use crate::nodes::Span;

/// Most problems that are told of one expression.
const MAX_PROBLEMS: usize = 40;

/// A mistake at characters of the expression.
pub(crate) fn problem(
    code: Code,
    message: String,
    (from, to): Span,
    help: Option<String>,
) -> Finding {
    Finding::error(code, message)
        .maybe_help(help)
        .spanning(finding::Span::chars(from, to))
}

/// In the order of the text, each once, with line and column; of very many the first.
pub(crate) fn told(source: &str, mut problems: Vec<Finding>) -> Vec<Finding> {
    problems.sort_by_key(Finding::chars);
    problems.dedup();
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    if let (1.., Some(last)) = (more, problems.get(MAX_PROBLEMS).map(Finding::chars)) {
        problems.truncate(MAX_PROBLEMS);
        let message = format!("{more} more problems are not shown");
        problems.push(problem(Code::More, message, last, None));
    }
    let source = Source::new("", source);
    for problem in &mut problems {
        problem.place.span = Some(source.span(problem.chars()));
    }
    problems
}
