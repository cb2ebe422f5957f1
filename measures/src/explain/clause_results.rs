//! Results of the definitions and functions that a measure reaches, and of their clauses, populations first.

use std::collections::{HashMap, HashSet, VecDeque};

use engine_elm::cql_text::Piece;
use engine_elm::expressions::{ExpressionKind, ExpressionView, Statement};
use engine_elm::trace::{Trace, holds};
use engine_elm::value::Val;
use engine_elm::{CompiledLibraries, Expression, FunctionHandle};

use super::clause_text::{ClauseTexts, Mark, collect, marks};
use super::resource_facts::facts;
use super::{ClauseResult, Outcome, StatementResult, Times, Token};
use crate::official::{CompiledMeasure, Target};

/// The results of the definitions, functions and clauses that a measure reaches.
#[derive(Default)]
pub struct ClauseResults {
    pub statements: Vec<StatementResult>,
    pub clauses: Vec<ClauseResult>,
    pub texts: ClauseTexts,
    by_id: HashMap<(u32, String), usize>,
    by_address: HashMap<usize, usize>,
}

#[derive(Clone, Copy)]
enum Root {
    Definition(Expression),
    Function(FunctionHandle),
}

impl Root {
    fn statement(self, libraries: &CompiledLibraries) -> Option<Statement<'_>> {
        match self {
            Root::Definition(expression) => libraries.statement(expression),
            Root::Function(function) => libraries.function_statement(function),
        }
    }
}

fn roots(measure: &CompiledMeasure) -> impl Iterator<Item = Root> + '_ {
    let targets = measure.groups.iter().flat_map(|g| &g.targets);
    let targets = targets.map(|target| match target {
        Target::Criterion(expression) => Root::Definition(*expression),
        Target::Observation(function) => Root::Function(*function),
    });
    let strata = measure.groups.iter().flat_map(|g| &g.stratifiers);
    let strata = strata.flat_map(|s| s.criterion.iter().chain(&s.components));
    let others = strata.chain(&measure.supplemental);
    targets.chain(others.map(|e| Root::Definition(*e)))
}

impl ClauseResults {
    /// Of a measure, with its results.
    pub fn of(
        libraries: &CompiledLibraries,
        measure: &CompiledMeasure,
        trace: &Trace<'_>,
    ) -> ClauseResults {
        let mut out = ClauseResults::default();
        let mut found: Vec<Root> = vec![];
        let mut seen = HashSet::new();
        let mut next: VecDeque<Root> = roots(measure).collect();
        while let Some(root) = next.pop_front() {
            let Some(statement) = root.statement(libraries) else {
                continue;
            };
            if !seen.insert(statement.body.address()) {
                continue;
            }
            found.push(root);
            collect(&statement, &mut out.texts);
            out.note_clauses(libraries, &statement, trace, &mut next);
        }
        for root in found {
            if let Some(statement) = root.statement(libraries) {
                let explained = out.explained(libraries, root, &statement, trace);
                out.statements.push(explained);
            }
        }
        out
    }

    /// Notes the clauses of a statement, and what it refers to.
    fn note_clauses(
        &mut self,
        libraries: &CompiledLibraries,
        statement: &Statement<'_>,
        trace: &Trace<'_>,
        next: &mut VecDeque<Root>,
    ) {
        let mut stack = vec![statement.body];
        while let Some(place) = stack.pop() {
            self.clause(libraries, statement, place, trace);
            if let ExpressionKind::Definition(expression) = place.kind() {
                next.push_back(Root::Definition(expression));
            }
            next.extend(place.functions().map(Root::Function));
            stack.extend(place.parts().into_iter().rev().map(|(_, part)| part));
        }
    }

    fn clause(
        &mut self,
        libraries: &CompiledLibraries,
        statement: &Statement<'_>,
        place: ExpressionView<'_>,
        trace: &Trace<'_>,
    ) {
        let times = times(place, trace);
        let clause = place.clause();
        let id = clause.map(|c| (c.library, c.local_id.to_string()));
        let known = id.as_ref().and_then(|id| self.by_id.get(id)).copied();
        let index = known.unwrap_or(self.clauses.len());
        self.by_address.insert(place.address(), index);
        if let Some(known) = known.and_then(|i| self.clauses.get_mut(i)) {
            // The same clause compiled twice.
            known.times.times += times.times;
            known.times.holds += times.holds;
            known.times.fails += times.fails;
            known.times.null += times.null;
            known.outcome = known.times.outcome();
            return;
        }
        self.clauses.push(ClauseResult {
            library: library(libraries, statement.library),
            definition: statement.name.to_owned(),
            local_id: clause.map(|c| c.local_id.to_string()),
            locator: clause.and_then(|c| c.locator.as_deref().map(str::to_owned)),
            node: place.name(),
            outcome: times.outcome(),
            times,
            criterion: trace
                .of(place)
                .is_none_or(|t| matches!(t.last, Val::Boolean(_) | Val::List(_) | Val::Null)),
        });
        if let Some(id) = id {
            self.by_id.insert(id, index);
        }
    }

    fn explained(
        &self,
        libraries: &CompiledLibraries,
        root: Root,
        statement: &Statement<'_>,
        trace: &Trace<'_>,
    ) -> StatementResult {
        let (function, value) = match root {
            Root::Definition(expression) => (false, trace.value_of(expression)),
            Root::Function(_) => (true, None),
        };
        let (items, facts) = value.as_ref().map_or((None, vec![]), facts);
        let outcome = match (&value, function) {
            (Some(value), _) => Outcome::of(holds(value)),
            (None, true) => times(statement.body, trace).outcome(),
            (None, false) => Outcome::NotEvaluated,
        };
        let marks = marks(statement.annotation);
        let annotated = !marks.is_empty();
        let tokens: Vec<Token> = match annotated {
            true => marks
                .into_iter()
                .map(|mark| match mark {
                    Mark::Open(id) => {
                        let id = id.map(|id| (statement.library, id.to_owned()));
                        Token::Open(id.and_then(|id| self.by_id.get(&id)).copied())
                    }
                    Mark::Text(text) => Token::Text(text.to_owned()),
                    Mark::Close => Token::Close,
                })
                .collect(),
            false => self.elm_tokens(statement, function),
        };
        StatementResult {
            library: library(libraries, statement.library),
            name: statement.name.to_owned(),
            function,
            outcome,
            items,
            facts,
            annotated,
            text: tokens
                .iter()
                .filter_map(|token| match token {
                    Token::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect(),
            tokens,
        }
    }

    fn elm_tokens(&self, statement: &Statement<'_>, function: bool) -> Vec<Token> {
        let word = if function {
            "define function"
        } else {
            "define"
        };
        let head = format!("{word} \"{}\":\n  ", statement.name);
        let pieces = statement.cql_text().into_iter().map(|piece| match piece {
            Piece::Open(place) => Token::Open(self.by_address.get(&place.address()).copied()),
            Piece::Text(text) => Token::Text(text.replace('\n', "\n  ")),
            Piece::Close => Token::Close,
        });
        std::iter::once(Token::Text(head)).chain(pieces).collect()
    }
}

/// How often it had which outcome.
pub fn times(place: ExpressionView<'_>, trace: &Trace<'_>) -> Times {
    trace.of(place).map_or(Times::default(), |t| Times {
        times: t.times,
        holds: t.true_times,
        fails: t.false_times,
        null: t.null_times,
    })
}

/// The name of a library.
pub fn library(libraries: &CompiledLibraries, index: u32) -> String {
    libraries
        .library_info(index)
        .map_or_else(String::new, |l| l.name.to_string())
}
