//! The expressions of the compiled tree as explanations see them: kind, name, parts, clause.

use crate::operators::operator::Spelling;
use crate::run::trace::{ClauseTrace, Execution, RowTrace, Trace};
use crate::tree::libraries::FunctionHandle;
use crate::tree::libraries::{Clause, CompiledLibraries, Expression, LibraryInfo};
use crate::tree::node::{Kind, NO_CLAUSE, Node};
use crate::tree::query::{Let, SortBy};
use crate::tree::retrieve::{Codes, Retrieve};
use crate::values::value::Val;

/// An expression where it stands in the tree.
#[derive(Clone, Copy)]
pub struct ExpressionView<'u> {
    pub(crate) compiled: &'u CompiledLibraries,
    pub(crate) node: &'u Node,
}

/// What an expression is within the one above it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role<'u> {
    Operand,
    /// A source of a query, and its alias.
    Source(&'u str),
    /// A `let`, and its name.
    Let(&'u str),
    /// The source of a `with`, and its alias.
    With(&'u str),
    /// The source of a `without`, and its alias.
    Without(&'u str),
    SuchThat,
    Where,
    Return,
}

/// What an expression is, as far as an explanation tells kinds apart.
#[derive(Clone, Copy)]
pub enum ExpressionKind<'u> {
    And,
    Or,
    Implies,
    /// A definition that it names.
    Definition(Expression),
    /// Functions of which it calls one.
    Call(&'u [u32]),
    Query,
    Retrieve(&'u Retrieve),
    Constant,
    /// Any other, by the name of its ELM node; empty where the ELM has no `localId` there.
    Other(&'static str),
}

/// A definition or function: where it stands, and its CQL.
#[derive(Clone, Copy)]
pub struct Statement<'u> {
    /// The library, by its place among the compiled ones.
    pub library: u32,
    pub name: &'u str,
    /// The text of it, as the translator writes it with `EnableAnnotations`.
    pub annotation: Option<&'u serde_json::Value>,
    pub body: ExpressionView<'u>,
    /// What the operands of a function are called.
    pub operands: &'u [std::sync::Arc<str>],
}

impl CompiledLibraries {
    /// The definition behind an expression.
    pub fn statement(&self, expression: Expression) -> Option<Statement<'_>> {
        let found = self.definitions.get(expression.0 as usize)?;
        Some(Statement {
            library: found.library,
            name: &found.name,
            annotation: found.annotation.as_deref(),
            body: ExpressionView::new(self, &found.node),
            operands: &[],
        })
    }

    /// A function.
    pub fn function_statement(&self, function: FunctionHandle) -> Option<Statement<'_>> {
        let found = self.functions.get(function.0 as usize)?;
        Some(Statement {
            library: found.library,
            name: &found.name,
            annotation: found.annotation.as_deref(),
            body: ExpressionView::new(self, &found.node),
            operands: &found.operand_names,
        })
    }

    /// Name and version of a library.
    pub fn library_info(&self, library: u32) -> Option<&LibraryInfo> {
        self.libraries.get(library as usize)
    }
}

impl<'a> Trace<'a> {
    /// The rows of a query, of its last evaluation among these: [`ClauseTrace::executions`].
    pub fn rows(&self, query: ExpressionView<'_>, among: (usize, usize)) -> Option<&Execution<'a>> {
        match &query.node.kind {
            Kind::Query(query) => self.execution(query, among),
            _ => None,
        }
    }

    /// The partners that a `with` or `without` looked at for a row, by its `such that`; `None` where it
    /// was not evaluated for that row.
    pub fn partners(
        &self,
        such_that: ExpressionView<'_>,
        row: &RowTrace<'a>,
    ) -> Option<&Execution<'a>> {
        self.at(such_that.address(), row.executions)
    }

    /// The values of an expression; `None` where it was not evaluated.
    pub fn of(&self, place: ExpressionView<'_>) -> Option<&ClauseTrace<'a>> {
        self.of_node(place.node)
    }
}

impl<'a> RowTrace<'a> {
    /// The value of an expression in this row; `None` where it was not evaluated there.
    pub fn value_of(&self, place: ExpressionView<'_>) -> Option<Val<'a>> {
        self.of_node(place.node)
    }
}

impl<'u> ExpressionView<'u> {
    pub(crate) fn new(compiled: &'u CompiledLibraries, node: &'u Node) -> Self {
        let mut node = node;
        // A memo is the compiler's own.
        while let Kind::Once(_, inner) = &node.kind {
            node = inner;
        }
        ExpressionView { compiled, node }
    }

    /// Where the ELM names it.
    pub fn clause(self) -> Option<&'u Clause> {
        let clause = self.node.clause;
        (clause != NO_CLAUSE)
            .then(|| self.compiled.clauses.get(clause as usize))
            .flatten()
    }

    /// Tells it from all others of the compiled libraries.
    pub fn address(self) -> usize {
        std::ptr::from_ref(self.node).addr()
    }

    /// What it is.
    pub fn kind(self) -> ExpressionKind<'u> {
        match &self.node.kind {
            Kind::And(_) => ExpressionKind::And,
            Kind::Or(_) => ExpressionKind::Or,
            Kind::Implies(_) => ExpressionKind::Implies,
            Kind::Def(index) => ExpressionKind::Definition(Expression(*index)),
            Kind::Call(function, _) => ExpressionKind::Call(std::slice::from_ref(function)),
            Kind::Dispatch(functions, _) => ExpressionKind::Call(functions),
            Kind::Query(_) => ExpressionKind::Query,
            Kind::Retrieve(index) => match self.compiled.retrieves.get(*index as usize) {
                Some(retrieve) => ExpressionKind::Retrieve(retrieve),
                None => ExpressionKind::Other("Retrieve"),
            },
            Kind::Const(_) => ExpressionKind::Constant,
            _ => ExpressionKind::Other(self.name()),
        }
    }

    /// The name of its ELM node; empty where it cannot be told.
    pub fn name(self) -> &'static str {
        if let Some(clause) = self.clause() {
            return clause.node;
        }
        match &self.node.kind {
            Kind::Op(operator, ..) | Kind::Nary(operator, ..) => operator.name,
            Kind::Property(..) => "Property",
            _ => "",
        }
    }

    /// What stands between two operands, and these; `None` where it is no such operator.
    pub fn infix(self) -> Option<(&'static str, ExpressionView<'u>, ExpressionView<'u>)> {
        let of = |node: &'u Node| ExpressionView::new(self.compiled, node);
        match &self.node.kind {
            Kind::Op(operator, args, _) => match (operator.spelling, &**args) {
                (Spelling::Infix(word), [a, b]) => Some((word, of(a), of(b))),
                _ => None,
            },
            Kind::InValueSet(code, set) => Some(("in", of(code), of(set))),
            _ => None,
        }
    }

    /// What it is made of by a conversion or a cast, which says nothing to a reader; else itself.
    pub fn unconverted(self) -> ExpressionView<'u> {
        let mut node = self.node;
        loop {
            node = match &node.kind {
                Kind::As(inner, ..) | Kind::Once(_, inner) => inner,
                Kind::Op(operator, args, _) => match (operator.spelling, &**args) {
                    (Spelling::Nothing, [inner]) => inner,
                    _ => break,
                },
                _ => break,
            }
        }
        ExpressionView::new(self.compiled, node)
    }

    /// The parameter that it names.
    pub fn parameter(self) -> Option<&'u str> {
        match &self.node.kind {
            Kind::Param(index) => {
                let found = self.compiled.parameters.get(*index as usize);
                found.map(|p| &*p.name)
            }
            _ => None,
        }
    }

    /// The slot of an alias, let or operand that it names.
    pub fn local(self) -> Option<u32> {
        match &self.node.kind {
            Kind::Local(slot) => Some(*slot),
            _ => None,
        }
    }

    /// The operator of a node that consists of operands, by its ELM name.
    pub fn operator(self) -> &'static str {
        match &self.node.kind {
            Kind::Op(operator, ..) | Kind::Nary(operator, ..) => operator.name,
            _ => "",
        }
    }

    /// The definition that it names.
    pub fn referred(self) -> Option<Statement<'u>> {
        match self.kind() {
            ExpressionKind::Definition(expression) => self.compiled.statement(expression),
            _ => None,
        }
    }

    /// The functions of a call.
    pub fn functions(self) -> impl Iterator<Item = FunctionHandle> + 'u {
        let all = match self.kind() {
            ExpressionKind::Call(functions) => functions,
            _ => &[],
        };
        all.iter().map(|f| FunctionHandle(*f))
    }

    /// The expressions it is made of, in the order of the text.
    pub fn parts(self) -> Vec<(Role<'u>, ExpressionView<'u>)> {
        let mut out = vec![];
        let compiled = self.compiled;
        let mut add =
            |role: Role<'u>, node: &'u Node| out.push((role, ExpressionView::new(compiled, node)));
        let operand = Role::Operand;
        match &self.node.kind {
            Kind::Const(_) | Kind::Broken(_) | Kind::Param(_) | Kind::Def(_) | Kind::Local(_) => {}
            Kind::Once(_, node)
            | Kind::Property(node, _)
            | Kind::As(node, _, _)
            | Kind::Is(node, _) => add(operand, node),
            Kind::Op(_, nodes, _)
            | Kind::Nary(_, nodes, _)
            | Kind::Coalesce(nodes)
            | Kind::List(nodes)
            | Kind::Tuple(_, _, nodes)
            | Kind::Call(_, nodes)
            | Kind::Dispatch(_, nodes) => nodes.iter().for_each(|n| add(operand, n)),
            Kind::And(both) | Kind::Or(both) | Kind::Implies(both) => {
                both.iter().for_each(|n| add(operand, n));
            }
            Kind::If(parts) => parts.iter().for_each(|n| add(operand, n)),
            Kind::Message(parts) => parts.iter().for_each(|n| add(operand, n)),
            Kind::Case(comparand, items, otherwise) => {
                comparand.iter().for_each(|n| add(operand, n));
                for (when, then) in items {
                    add(operand, when);
                    add(operand, then);
                }
                add(operand, otherwise);
            }
            Kind::Interval(interval) => {
                add(operand, &interval.low);
                add(operand, &interval.high);
                add(operand, &interval.low_closed);
                add(operand, &interval.high_closed);
            }
            Kind::InValueSet(code, set) => {
                add(operand, code);
                add(operand, set);
            }
            Kind::Filter(source, _, body)
            | Kind::ForEach(source, _, body)
            | Kind::Repeat(source, _, body) => {
                add(operand, source);
                add(operand, body);
            }
            Kind::Sort(source, keys) => {
                add(operand, source);
                for key in keys {
                    if let SortBy::Expression(_, node) = &key.by {
                        add(operand, node);
                    }
                }
            }
            Kind::Aggregate(source, _, _, body, initial) => {
                add(operand, source);
                initial.iter().for_each(|n| add(operand, n));
                add(operand, body);
            }
            Kind::Retrieve(index) => {
                let retrieve = compiled.retrieves.get(*index as usize);
                if let Some(Codes::Expression(node)) =
                    retrieve.and_then(|r| r.code.as_ref()).map(|c| &c.codes)
                {
                    add(operand, node);
                }
                if let Some((_, node)) = retrieve.and_then(|r| r.date.as_ref()) {
                    add(operand, node);
                }
            }
            Kind::Query(query) => {
                for source in &query.sources {
                    add(Role::Source(&source.alias), &source.expression);
                }
                for Let {
                    name, expression, ..
                } in &query.lets
                {
                    add(Role::Let(name), expression);
                }
                for with in &query.relationships {
                    let role = match with.without {
                        true => Role::Without(&with.alias),
                        false => Role::With(&with.alias),
                    };
                    add(role, &with.expression);
                    add(Role::SuchThat, &with.such_that);
                }
                if let Some(condition) = &query.condition {
                    add(Role::Where, condition);
                }
                if let Some((result, _)) = &query.result {
                    add(Role::Return, result);
                }
                if let Some(aggregate) = &query.aggregate {
                    aggregate.starting.iter().for_each(|n| add(operand, n));
                    add(Role::Return, &aggregate.expression);
                }
                for key in &query.sort {
                    if let SortBy::Expression(_, node) = &key.by {
                        add(operand, node);
                    }
                }
            }
        }
        out
    }
}
