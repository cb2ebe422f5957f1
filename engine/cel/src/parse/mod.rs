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
        if help.is_none()
            && let Some((at, slip, help)) = slips::brackets(source)
        {
            let help = Some(help);
            return told(
                source,
                vec![problem(Code::Syntax, slip, (at, at + 1), help)],
            );
        }
        let problems = errors.errors.iter().map(|e| {
            let start = offset_of(source, e.pos).min(length.saturating_sub(1));
            let (message, span) = placed(source, &e.msg, start);
            problem(Code::Syntax, message, span, help.clone())
        });
        let mut problems: Vec<Finding> = problems.collect();
        // One slip trips the parser again and again: the same help is given once.
        problems.sort_by_key(Finding::chars);
        if help.is_some() {
            problems.truncate(1);
        }
        told(source, problems)
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

/// The parser's message in words of an author, and the whole word that it is about.
fn placed(source: &str, message: &str, at: usize) -> (String, (usize, usize)) {
    let chars: Vec<char> = source.chars().collect();
    let length = chars.len();
    let is_word = |c: &&char| c.is_alphanumeric() || **c == '_';
    let rest = chars.get(at..).unwrap_or_default();
    let word = rest.iter().take_while(is_word).count();
    // A text in quotes is shown whole.
    let quoted = match rest.first() {
        Some(quote @ ('"' | '\'')) => rest.iter().skip(1).position(|c| c == quote).map(|n| n + 2),
        _ => None,
    };
    let size = quoted.unwrap_or(word.max(1)).min(120);
    let span = (at, (at + size).min(length));
    let written: String = rest.iter().take(size).collect();
    let known = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let known = known.split(" expecting ").next().unwrap_or(known);
    let message = if known.contains("reserved identifier") {
        format!("not an expression: the word `{written}` is not used in rules")
    } else if known.contains("<EOF>") || written.trim().is_empty() {
        "not an expression: it ends before it is complete".to_owned()
    } else if ["input", "token", "missing", "viable"]
        .iter()
        .any(|word| known.contains(word))
    {
        format!("not an expression: `{written}` does not fit here")
    } else {
        let short: String = known.chars().take(160).collect();
        format!("not an expression: {short}")
    };
    (message, span)
}

/// Line from 1 and column from 0 or 1 as the parser gives them, as a character offset.
fn offset_of(source: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (line.max(1).unsigned_abs(), column.max(1).unsigned_abs());
    let before = source.split_inclusive('\n').take(line - 1);
    before.map(|l| l.chars().count()).sum::<usize>() + column - 1
}
