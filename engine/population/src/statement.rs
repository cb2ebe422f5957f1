//! SQL texts to plans, whatever their structure. Tools write thousands of `OR`; parsing builds a tree
//! as deep as the chain is long, and whatever goes through it afterwards needs stack for each step and
//! time for each pair of steps. So chains of `AND` and `OR` are made into flat trees, other trees may be so deep
//! and a query may have so many parts, and what plans them runs on a stack of its own.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::sqlparser::ast::{
    BinaryOperator, Expr, ObjectName, Query, Select, SetExpr, Statement as SqlStatement, Value,
    ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::logical_expr::sqlparser::parser::ParserError;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::Statement;

use crate::table_list::TABLES;

/// The longest text of a query, in bytes.
pub const LONGEST: usize = 256 << 10;
/// How deep expressions nest: operators within operators, of which `AND` and `OR` do not count.
pub const DEEPEST: usize = 1000;
/// How deep parentheses nest in a text, which may be the name of a type.
const DEEPEST_TEXT: usize = 100;
/// How many SELECTs and tables a query has, those of a WITH counted wherever it is used.
pub const MOST_PARTS: u64 = 1000;

/// Stack for what parses and plans: [`LONGEST`] and [`DEEPEST`] fit with room, also unoptimized. Memory
/// is taken only for what is used of it.
const STACK: usize = 256 << 20;
/// Terms from which a chain is made flat.
const CHAIN: usize = 32;

/// What is said of anything else than a question.
pub const ONLY_QUESTIONS: &str = "only questions are answered (SELECT, WITH, VALUES, SHOW TABLES, DESCRIBE, EXPLAIN): \
    nothing in a lake can be changed by SQL";

/// The plan of a query that only asks: no changes, no settings. Errors are those of DataFusion; what is
/// too long, too deep or too large is one of planning.
pub async fn query(context: &SessionContext, text: &str) -> Result<DataFrame> {
    if text.len() > LONGEST {
        let (own, most) = (text.len(), LONGEST);
        return Err(too_much(format!(
            "the query has {own} bytes of text, and at most {most} are read: put long lists into a \
             Parquet file and join it (--results)"
        )));
    }
    if types_nest(text) {
        return Err(too_much(TOO_NESTED_TYPE.into()));
    }
    let planned = async {
        let state = context.state();
        let dialect = state.config_options().sql_parser.dialect;
        let parsed = state.sql_to_statement(text, &dialect);
        let mut statement = parsed.map_err(|e| match e.find_root() {
            DataFusionError::SQL(inner, _)
                if matches!(**inner, ParserError::RecursionLimitExceeded) =>
            {
                too_much(TOO_NESTED.into())
            }
            _ => e,
        })?;
        within_bounds(&mut statement)?;
        // Before it is planned: a plan of what is refused has errors of its own.
        if !asks(&statement) {
            return Err(too_much(ONLY_QUESTIONS.into()));
        }
        if lists_tables(&statement) && context.table_exist(TABLES)? {
            return context.table(TABLES).await;
        }
        let plan = state.statement_to_plan(statement).await?;
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        options.verify_plan(&plan)?;
        context.execute_logical_plan(plan).await
    };
    on_large_stack(planned).await
}

/// Whether it asks for something. What slips through is refused by its plan.
fn asks(statement: &Statement) -> bool {
    match statement {
        Statement::Explain(explain) => asks(&explain.statement),
        Statement::Statement(inner) => !matches!(
            inner.as_ref(),
            SqlStatement::Insert(_)
                | SqlStatement::Update { .. }
                | SqlStatement::Delete(_)
                | SqlStatement::Merge { .. }
                | SqlStatement::Truncate { .. }
                | SqlStatement::CreateTable(_)
                | SqlStatement::CreateView { .. }
                | SqlStatement::CreateSchema { .. }
                | SqlStatement::CreateDatabase { .. }
                | SqlStatement::CreateFunction(_)
                | SqlStatement::CreateIndex(_)
                | SqlStatement::AlterTable { .. }
                | SqlStatement::Drop { .. }
                | SqlStatement::Copy { .. }
                | SqlStatement::Set(_)
                | SqlStatement::StartTransaction { .. }
                | SqlStatement::Commit { .. }
                | SqlStatement::Rollback { .. }
                | SqlStatement::Prepare { .. }
                | SqlStatement::Execute { .. }
        ),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

/// `SHOW TABLES`, as it stands: with what each table is, which DataFusion does not know.
fn lists_tables(statement: &Statement) -> bool {
    let Statement::Statement(statement) = statement else {
        return false;
    };
    matches!(
        statement.as_ref(),
        SqlStatement::ShowTables {
            extended: false,
            full: false,
            ..
        }
    ) && statement.to_string().eq_ignore_ascii_case("SHOW TABLES")
}

/// Whether a type may nest deeper than [`DEEPEST`]: `int[][]…`, `struct<a struct<…`, or in a text as
/// `arrow_cast` reads it, `List(List(…`, deeper than [`DEEPEST_TEXT`]. Looked for in the text, as
/// whatever parses, plans and drops types recurses into them.
fn types_nest(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let compact = compact.to_ascii_lowercase();
    let named = ["array<", "struct<", "map<"].map(|what| compact.matches(what).count());
    if named.iter().sum::<usize>() > DEEPEST || longest_run(&compact) > DEEPEST {
        return true;
    }
    let mut quoted = compact.split('\'').skip(1).step_by(2);
    quoted.any(|literal| {
        let (mut depth, mut deepest) = (0usize, 0);
        for byte in literal.bytes() {
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        deepest > DEEPEST_TEXT
    })
}

/// The longest run of `[]` or `[3]`, one after the other.
fn longest_run(text: &str) -> usize {
    let (mut run, mut longest) = (0usize, 0);
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        run = if at == 0 { run } else { 0 };
        let inside = rest.get(at + 1..).unwrap_or("");
        let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
        rest = match inside.get(digits..).and_then(|r| r.strip_prefix(']')) {
            Some(behind) => {
                run += 1;
                longest = longest.max(run);
                behind
            }
            None => {
                run = 0;
                inside
            }
        };
    }
    longest
}

/// Runs what plans or takes apart deep trees: each step of it has a large stack.
pub fn on_large_stack<F: Future>(work: F) -> OnLargeStack<F> {
    OnLargeStack(Some(Box::pin(work)))
}

/// See [`on_large_stack`].
pub struct OnLargeStack<F>(Option<Pin<Box<F>>>);

impl<F: Future> Future for OnLargeStack<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        stacker::grow(STACK, || match &mut self.0 {
            Some(work) => {
                let polled = work.as_mut().poll(context);
                if polled.is_ready() {
                    // Here, and not where its owner is: dropping is as deep as planning.
                    self.0 = None;
                }
                polled
            }
            None => Poll::Pending,
        })
    }
}

impl<F> Drop for OnLargeStack<F> {
    fn drop(&mut self) {
        if self.0.is_some() {
            stacker::grow(STACK, || self.0 = None);
        }
    }
}

fn too_much(what: String) -> DataFusionError {
    DataFusionError::Plan(what)
}

/// Flattens chains, and refuses what is too deep or has too many parts.
fn within_bounds(statement: &mut Statement) -> Result<()> {
    let mut inner = statement;
    loop {
        match inner {
            Statement::Explain(explain) => inner = &mut explain.statement,
            Statement::Statement(statement) => return bounded(statement),
            // Nothing of these is allowed: see `verify_plan`.
            _ => return Ok(()),
        }
    }
}

fn bounded(statement: &mut SqlStatement) -> Result<()> {
    let mut chains = Chains::default();
    let mut parts = Parts::default();
    // Set operations first: they are recursed into without asking.
    let ended = match statement.visit(&mut chains) {
        ControlFlow::Break(what) => Some(what),
        ControlFlow::Continue(()) => match Visit::visit(statement, &mut parts) {
            ControlFlow::Break(what) => Some(what),
            ControlFlow::Continue(()) => None,
        },
    };
    ended.map_or(Ok(()), |what| Err(too_much(what.to_owned())))
}

const TOO_DEEP: &str = "the query nests more than 1000 operators or functions in one another: write \
    `x IN (…)` for many values of one column, use `sum` for long sums, or take it apart with WITH";
const TOO_NESTED_TYPE: &str = "the query nests more than 1000 types in one another, or 100 parentheses in a \
    text: name a simpler type";
const TOO_NESTED: &str = "the query nests more than 50 parentheses, functions or subqueries in one \
    another: take it apart with WITH";
const TOO_MANY: &str = "the query has more than 1000 SELECTs and tables (those of a WITH count wherever \
    it is used): ask in several queries";

/// Makes chains flat and measures depth, from the top down: what is too deep is not descended into.
#[derive(Default)]
struct Chains {
    depth: usize,
}

impl VisitorMut for Chains {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<&'static str> {
        match set_operations(&query.body) > MOST_PARTS {
            true => ControlFlow::Break(TOO_MANY),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<&'static str> {
        self.depth += levels(expr);
        if self.depth > DEEPEST {
            return ControlFlow::Break(TOO_DEEP);
        }
        if let Expr::BinaryOp { op, .. } = expr
            && matches!(op, BinaryOperator::And | BinaryOperator::Or)
        {
            flatten(expr);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<&'static str> {
        self.depth -= levels(expr);
        ControlFlow::Continue(())
    }
}

/// How many levels an expression is in the plan: `a[1][2]` is one within the other.
fn levels(expr: &Expr) -> usize {
    match expr {
        Expr::CompoundFieldAccess { access_chain, .. } => access_chain.len().max(1),
        _ => 1,
    }
}

/// The set operations of a query's body, those in parentheses left out: they are queries.
fn set_operations(body: &SetExpr) -> u64 {
    let (mut count, mut rest) = (0, vec![body]);
    while let Some(next) = rest.pop() {
        if let SetExpr::SetOperation { left, right, .. } = next {
            count += 1;
            rest.extend([&**left, &**right]);
        }
    }
    count
}

/// `((a OR b) OR c) OR d` to `(a OR b) OR (c OR d)`: `AND` and `OR` are associative in three values too.
fn flatten(expr: &mut Expr) {
    let Expr::BinaryOp { op, .. } = expr else {
        return;
    };
    let op = op.clone();
    let mut length = 1;
    let mut at = &*expr;
    while let Expr::BinaryOp { left, op: own, .. } = at
        && *own == op
    {
        length += 1;
        at = left;
    }
    if length < CHAIN {
        return;
    }
    let mut terms = Vec::with_capacity(length);
    let mut rest = std::mem::replace(expr, Expr::Value(ValueWithSpan::from(Value::Null)));
    loop {
        match rest {
            Expr::BinaryOp {
                left,
                op: own,
                right,
            } if own == op => {
                terms.push(*right);
                rest = *left;
            }
            other => {
                terms.push(other);
                break;
            }
        }
    }
    terms.reverse();
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut single = terms.into_iter();
        while let Some(left) = single.next() {
            pairs.push(match single.next() {
                Some(right) => Expr::BinaryOp {
                    left: Box::new(left),
                    op: op.clone(),
                    right: Box::new(right),
                },
                None => left,
            });
        }
        terms = pairs;
    }
    if let Some(flat) = terms.pop() {
        *expr = flat;
    }
}

/// Counts SELECTs and tables as the planner will see them: a WITH is put in wherever it is named, so
/// that thirty of them, each used twice by the next, are a billion.
#[derive(Default)]
struct Parts {
    /// Of each name of a WITH.
    named: std::collections::HashMap<String, u64>,
    total: u64,
    visited: u64,
}

impl Parts {
    fn add(&mut self, parts: u64) -> ControlFlow<&'static str> {
        self.visited += 1;
        self.total = self.total.saturating_add(parts);
        match self.total > MOST_PARTS || self.visited > 20 * MOST_PARTS {
            true => ControlFlow::Break(TOO_MANY),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Visitor for Parts {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
            let before = std::mem::take(&mut self.total);
            cte.query.visit(self)?;
            let own = std::mem::replace(&mut self.total, before);
            let name = cte.alias.name.value.to_lowercase();
            self.named.insert(name, own.saturating_add(1));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, _: &Select) -> ControlFlow<&'static str> {
        self.add(1)
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<&'static str> {
        let name = relation.0.last().map(ToString::to_string);
        let name = name.unwrap_or_default().to_lowercase();
        let parts = self.named.get(name.trim_matches('"')).copied();
        self.add(parts.unwrap_or(1))
    }
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
