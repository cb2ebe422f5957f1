//! From text to a tree, by the `cel` crate, within bounds of length and nesting.

mod bounds;
mod slips;

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::Parser;

use crate::problem::{problem, told};
use bounds::{nesting, without_texts};
use engine_patient::finding::{Code, Finding, Span};

/// Most operators and brackets in a row that the parser is given.
const MAX_ROW: usize = 120;
/// Brackets and operators in a row that the parser manages on any thread's stack.
const SHALLOW: usize = 8;
/// Longest expression, in characters.
const MAX_LENGTH: usize = 20_000;

/// Parses with the `cel` crate, within bounds of length and nesting.
pub(crate) fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Vec<Finding>> {
    let length = source.chars().count();
    let whole = |code: Code, message: String, help: &str| {
        let help = (!help.is_empty()).then(|| help.to_owned());
        told(source, vec![problem(code, message, (0, length), help)])
    };
    if source.trim().is_empty() {
        return Err(whole(Code::Empty, "the expression is empty".into(), ""));
    }
    if length > MAX_LENGTH {
        let message = format!("the expression has {length} characters, {MAX_LENGTH} is the most");
        return Err(whole(
            Code::TooLong,
            message,
            "move parts of it into `define`",
        ));
    }
    let code = without_texts(source).map_err(|at| {
        let message =
            "not an expression: a text or name in quotes is not closed, or not as CEL has it";
        told(
            source,
            vec![problem(
                Code::Syntax,
                message.into(),
                (at, at + 1),
                slips::help(source, "").or_else(|| Some("close the quote".into())),
            )],
        )
    })?;
    let nested = nesting(&code);
    if nested > MAX_ROW {
        let message = format!("more than {MAX_ROW} brackets and operators follow each other");
        return Err(whole(
            Code::TooDeep,
            message,
            "move parts of it into `define`",
        ));
    }
    let parse = || Parser::new().parse_with_source_info(source);
    // Most expressions are shallow, and a thread costs more than their parsing.
    let parsed = if nested <= SHALLOW {
        Some(parse())
    } else {
        on_large_stack(parse)
    };
    let Some(parsed) = parsed else {
        let message = "the parser failed on this expression: this is our bug";
        let bug = Finding::bug(Code::ParserFailed, message)
            .help("write it in another way, and report it")
            .spanning(Span::chars(0, length));
        return Err(told(source, vec![bug]));
    };
    parsed.map_err(|errors| {
        let help = slips::help(source, &code);
        let problems = errors.errors.iter().map(|e| {
            let start = offset_of(source, e.pos).min(length.saturating_sub(1));
            let message = format!("not an expression: {}", plain(&e.msg));
            let span = (start, (start + 1).min(length));
            problem(Code::Syntax, message, span, help.clone())
        });
        told(source, problems.collect())
    })
}

/// The parser recurses deeply for each bracket, more than the stack of a server's thread takes.
/// `None` where it panics.
#[allow(clippy::disallowed_methods, reason = "it ends before the call does")]
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    const STACK: usize = 64 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// The parser's message without its lists of tokens.
fn plain(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let short = message.split(" expecting ").next().unwrap_or(message);
    short.chars().take(160).collect()
}

/// Line from 1 and column from 0 or 1 as the parser gives them, as a character offset.
fn offset_of(source: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (line.max(1).unsigned_abs(), column.max(1).unsigned_abs());
    let before = source.split_inclusive('\n').take(line - 1);
    before.map(|l| l.chars().count()).sum::<usize>() + column - 1
}
