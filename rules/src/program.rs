//! The expressions of a rule: their sources, and their checked form.

use std::sync::Arc;

use engine_cel::{Checker, Compiled, Ty};
use engine_patient::finding::{Code, Finding, Severity, Span};
use engine_patient::terminology::ValueSet;

use crate::template::Part;

/// The expressions as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    pub defines: Vec<(String, String)>,
    pub eligible: String,
    /// Whether the dead count as well.
    pub include_deceased: bool,
    pub excluded: String,
    pub satisfied: String,
    pub due: Option<String>,
    pub summary: Vec<Part>,
    pub detail: Vec<Part>,
}

/// Which of the expressions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    Define(usize),
    Eligible,
    Excluded,
    Satisfied,
    Due,
    /// A part of the template.
    Summary(usize),
    Detail(usize),
}

/// The expressions, checked.
#[derive(Debug)]
pub(crate) struct Expressions {
    pub defines: Vec<Compiled>,
    /// Whether the patient is alive; `None` where the rule is for the dead, too.
    pub alive: Option<Compiled>,
    pub eligible: Compiled,
    pub excluded: Compiled,
    pub satisfied: Compiled,
    pub due: Option<Compiled>,
    pub summary: Vec<Fragment>,
    pub detail: Vec<Fragment>,
}

/// A part of a checked text.
#[derive(Debug)]
pub(crate) enum Fragment {
    Text(String),
    Value(Compiled),
}

/// What `eligible` asks for beside what the author wrote, unless the file says otherwise.
const ALIVE: &str = "!deceased(at)";

/// Stands for a definition that is wrong, so that its users are not blamed too: of type "anything".
const ANYTHING: &str = "[][0]";

/// Checks all expressions, in the order of the file. The result is there if nothing was wrong.
pub(crate) fn check(
    sources: &Sources,
    checker: &mut Checker,
    mut wrong: impl FnMut(Piece, Finding),
) -> Option<Expressions> {
    let mut compile =
        |checker: &mut Checker, piece, source: &str, wanted: Option<&Ty>| match checker
            .compile(source, wanted)
        {
            Ok(mut compiled) => {
                let told = std::mem::take(&mut compiled.warnings).into_iter();
                told.for_each(|p| wrong(piece, of_rule(p)));
                Some(compiled)
            }
            Err(problems) => {
                problems.into_iter().for_each(|p| wrong(piece, of_rule(p)));
                None
            }
        };
    let mut defines = vec![];
    for (index, (name, source)) in sources.defines.iter().enumerate() {
        let compiled = compile(checker, Piece::Define(index), source, None);
        let stand_in = match &compiled {
            None => checker.compile(ANYTHING, None).ok(),
            Some(_) => None,
        };
        if let Some(known) = compiled.as_ref().or(stand_in.as_ref()) {
            checker.define(name, known);
        }
        defines.push(compiled);
    }
    let truth = Some(&Ty::Bool);
    let alive =
        (!sources.include_deceased).then(|| compile(checker, Piece::Eligible, ALIVE, truth));
    let eligible = compile(checker, Piece::Eligible, &sources.eligible, truth);
    let excluded = compile(checker, Piece::Excluded, &sources.excluded, truth);
    let satisfied = compile(checker, Piece::Satisfied, &sources.satisfied, truth);
    let due = sources.due.as_ref();
    let due = due.map(|due| compile(checker, Piece::Due, due, Some(&Ty::Time)));
    let mut not_shown = vec![];
    let mut fragments = |parts: &[Part], piece: fn(usize) -> Piece| {
        let each = parts.iter().enumerate().map(|(index, part)| match part {
            Part::Text(text) => Some(Fragment::Text(text.clone())),
            Part::Expression(source, _) => {
                let compiled = compile(checker, piece(index), source, None)?;
                match showable(&compiled) {
                    None => Some(Fragment::Value(compiled)),
                    Some(problem) => {
                        not_shown.push((piece(index), problem));
                        None
                    }
                }
            }
        });
        each.collect::<Vec<Option<Fragment>>>()
    };
    let summary = fragments(&sources.summary, Piece::Summary);
    let detail = fragments(&sources.detail, Piece::Detail);
    not_shown.into_iter().for_each(|(piece, p)| wrong(piece, p));
    Some(Expressions {
        defines: defines.into_iter().collect::<Option<_>>()?,
        alive: match alive {
            Some(alive) => Some(alive?),
            None => None,
        },
        eligible: eligible?,
        excluded: excluded?,
        satisfied: satisfied?,
        due: match due {
            Some(due) => Some(due?),
            None => None,
        },
        summary: summary.into_iter().collect::<Option<_>>()?,
        detail: detail.into_iter().collect::<Option<_>>()?,
    })
}

/// A condition with one outcome may stand in an expression, and in no rule.
fn of_rule(mut finding: Finding) -> Finding {
    if matches!(finding.code, Code::NeverHolds | Code::AlwaysHolds) {
        finding.severity = Severity::Error;
    }
    finding
}

/// What is wrong with showing this on a card.
fn showable(compiled: &Compiled) -> Option<Finding> {
    let help = match &compiled.ty {
        Ty::String | Ty::Int | Ty::Double | Ty::Time | Ty::Any => return None,
        Ty::Bool => "choose a text: `x ? \"yes\" : \"no\"`",
        Ty::List(_) => "say which: `.latest()`, `.first()`, or how many: `.size()`",
        _ => "take the number of a quantity: `quantityIn(x.value, \"%\")`",
    };
    let message = format!(
        "a card can show a text, a number or a date, this is {}",
        compiled.ty
    );
    let source = compiled.source.as_ref();
    let length = source.trim_end().chars().count();
    let start = source.chars().take_while(|c| c.is_whitespace()).count();
    let error = Finding::error(Code::WrongType, message).help(help);
    Some(error.spanning(Span::chars(start, length)))
}

/// The checked expressions of a rule, and the value sets they name.
#[derive(Debug)]
pub(crate) struct Program {
    pub sources: Sources,
    /// In the order of the checker.
    pub sets: Vec<Arc<ValueSet>>,
    pub expressions: Expressions,
}

impl Program {
    /// Of expressions that have been checked with these value sets.
    pub fn new(
        sources: Sources,
        value_sets: &[(String, Arc<ValueSet>)],
        expressions: Expressions,
    ) -> Self {
        let sets = value_sets.iter().map(|(_, set)| Arc::clone(set)).collect();
        Program {
            sources,
            sets,
            expressions,
        }
    }
}
