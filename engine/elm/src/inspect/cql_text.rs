//! The logic as text where a library carries none: close to CQL, not to be read back.
//!
//! Published packages come without annotations as often as with them, and a reader of an explanation
//! needs words either way.

use std::borrow::Cow;

use crate::inspect::expressions::ExpressionView;
use crate::operators::operator::{Operator, Spelling};
use crate::tree::constant::Owned;
use crate::tree::node::{Kind, Node};
use crate::tree::query::Query;
use crate::tree::retrieve::Retrieve;
use crate::tree::unit::Unit;

/// A piece of the text.
pub enum Piece<'u> {
    /// An expression begins.
    Open(ExpressionView<'u>),
    Text(Cow<'u, str>),
    /// The expression that began last ends.
    Close,
}

/// Deepest nesting that is written out.
const DEPTH: u32 = 60;
/// Most pieces of one definition.
const PIECES: usize = 20_000;

impl<'u> ExpressionView<'u> {
    /// Its text.
    pub fn cql_text(self) -> Vec<Piece<'u>> {
        let mut writer = Writer {
            unit: self.unit,
            out: vec![],
            names: vec![],
            depth: 0,
            indent: 0,
        };
        writer.node(self.node);
        writer.out
    }
}

struct Writer<'u> {
    unit: &'u Unit,
    out: Vec<Piece<'u>>,
    /// Aliases by slot.
    names: Vec<(u32, &'u str)>,
    depth: u32,
    indent: usize,
}

impl<'u> Writer<'u> {
    fn text(&mut self, text: impl Into<Cow<'u, str>>) {
        self.out.push(Piece::Text(text.into()));
    }

    fn line(&mut self, text: &'static str) {
        self.text(format!("\n{}{text}", "  ".repeat(self.indent)));
    }

    fn node(&mut self, node: &'u Node) {
        let place = ExpressionView::new(self.unit, node);
        if self.depth >= DEPTH || self.out.len() >= PIECES {
            return self.text("…");
        }
        self.depth += 1;
        self.out.push(Piece::Open(place));
        self.kind(place);
        self.out.push(Piece::Close);
        self.depth -= 1;
    }

    fn list(&mut self, nodes: impl IntoIterator<Item = &'u Node>) {
        for (i, node) in nodes.into_iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.node(node);
        }
    }

    /// `name(a, b)`
    fn called(&mut self, name: &'u str, nodes: impl IntoIterator<Item = &'u Node>) {
        self.text(name);
        self.text("(");
        self.list(nodes);
        self.text(")");
    }

    /// An operand that is an operation itself stands in parentheses.
    fn operand(&mut self, node: &'u Node) {
        let inner = ExpressionView::new(self.unit, node).node;
        let compound = match &inner.kind {
            Kind::And(_) | Kind::Or(_) | Kind::Implies(_) | Kind::If(_) | Kind::Query(_) => true,
            Kind::Op(_, args, _) => args.len() == 2,
            _ => false,
        };
        if compound {
            self.text("(");
        }
        self.node(node);
        if compound {
            self.text(")");
        }
    }

    fn logic(&mut self, both: &'u [Node; 2], word: &'static str, same: fn(&Kind) -> bool) {
        let [a, b] = both;
        // `a and b and c` is nested to the left.
        match same(&ExpressionView::new(self.unit, a).node.kind) {
            true => self.node(a),
            false => self.operand(a),
        }
        self.line(word);
        self.indent += 1;
        self.operand(b);
        self.indent -= 1;
    }

    fn kind(&mut self, place: ExpressionView<'u>) {
        match &place.node.kind {
            Kind::Const(value) => {
                let text = constant(value);
                self.text(text);
            }
            Kind::Broken(_) => self.text("?"),
            Kind::Param(index) => {
                let unit = self.unit;
                let found = unit.parameters.get(*index as usize);
                let name = found.map_or("parameter", |p| &p.name);
                self.text(format!("\"{name}\""));
            }
            Kind::Def(index) => {
                let unit = self.unit;
                let name = unit.definitions.get(*index as usize).map(|d| &d.name);
                self.text(format!("\"{}\"", name.map_or("?", |n| n)));
            }
            Kind::Local(slot) => {
                let found = self.names.iter().rev().find(|(s, _)| s == slot);
                let name = found.map_or("$this", |(_, name)| *name);
                self.text(name);
            }
            Kind::Once(_, node) => self.node(node),
            Kind::Op(operator, args, _) | Kind::Nary(operator, args, _) => {
                self.operator(operator, place.name(), args);
            }
            Kind::And(both) => self.logic(both, "and ", |k| matches!(k, Kind::And(_))),
            Kind::Or(both) => self.logic(both, "or ", |k| matches!(k, Kind::Or(_))),
            Kind::Implies(both) => self.logic(both, "implies ", |_| false),
            Kind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                self.text("if ");
                self.node(condition);
                self.text(" then ");
                self.operand(then);
                self.text(" else ");
                self.operand(otherwise);
            }
            Kind::Case(comparand, items, otherwise) => {
                self.text("case ");
                comparand.iter().for_each(|n| self.node(n));
                for (when, then) in items {
                    self.line("  when ");
                    self.node(when);
                    self.text(" then ");
                    self.node(then);
                }
                self.line("  else ");
                self.node(otherwise);
                self.line("end");
            }
            Kind::Coalesce(items) => self.called("Coalesce", items),
            Kind::List(items) => {
                self.text("{ ");
                self.list(items);
                self.text(" }");
            }
            Kind::Tuple(_, names, values) => {
                self.text("{ ");
                for (i, (name, value)) in names.iter().zip(values).enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    self.text(format!("{comma}{name}: "));
                    self.node(value);
                }
                self.text(" }");
            }
            Kind::Interval(interval) => self.called("Interval", [&interval.low, &interval.high]),
            Kind::Property(source, path) => {
                self.operand(source);
                for segment in &path.segments {
                    // `.value` of a primitive is no step of the author's.
                    if &*segment.name != "value" || path.segments.len() == 1 {
                        self.text(format!(".{}", segment.name));
                    }
                }
            }
            Kind::As(node, _, _) => self.node(node),
            Kind::Is(node, ty) => {
                self.operand(node);
                self.text(format!(" is {ty}"));
            }
            Kind::Call(function, args) => {
                let name = self.function(*function);
                self.called(name, args);
            }
            Kind::Dispatch(functions, args) => {
                let name = functions.first().map_or("?", |f| self.function(*f));
                self.called(name, args);
            }
            Kind::Query(query) => self.query(query),
            Kind::Retrieve(index) => {
                let unit = self.unit;
                let found = unit.retrieves.get(*index as usize);
                let label = found.map_or("?", |r: &Retrieve| &r.label);
                // A value set by its name, as in CQL.
                let named = label.rsplit_once(" in ").and_then(|(what, canonical)| {
                    let set = unit.value_sets.get(canonical)?;
                    Some(format!("[{what} in \"{}\"]", set.name))
                });
                self.text(named.unwrap_or_else(|| format!("[{label}]")));
            }
            Kind::InValueSet(code, set) => {
                self.operand(code);
                self.text(" in ");
                self.node(set);
            }
            Kind::Filter(source, _, body) => self.called("Filter", [&**source, body]),
            Kind::ForEach(source, _, body) => self.called("ForEach", [&**source, body]),
            Kind::Repeat(source, _, body) => self.called("Repeat", [&**source, body]),
            Kind::Sort(source, _) => self.called("Sort", [&**source]),
            Kind::Aggregate(source, _, _, body, _) => self.called("Aggregate", [&**source, body]),
            Kind::Message(parts) => {
                let [source, ..] = &**parts;
                self.node(source);
            }
        }
    }

    fn function(&self, index: u32) -> &'u str {
        let found = self.unit.functions.get(index as usize);
        found.map_or("?", |f| &f.name)
    }

    fn operator(&mut self, operator: &'static Operator, name: &'u str, args: &'u [Node]) {
        match (operator.spelling, args) {
            (Spelling::Infix(word), [first, rest @ ..]) => {
                self.operand(first);
                for operand in rest {
                    self.between(word);
                    self.operand(operand);
                }
            }
            (Spelling::Prefix(word), [operand]) => {
                self.text(word);
                self.operand(operand);
            }
            (Spelling::Suffix(word), [operand]) => {
                self.operand(operand);
                self.text(word);
            }
            (Spelling::Nothing, [operand]) => self.node(operand),
            _ => self.called(name, args),
        }
    }

    /// The word between two operands. Unions are of many retrieves: each on its line.
    fn between(&mut self, word: &'static str) {
        match word {
            "union" => self.line("union "),
            _ => self.text(format!(" {word} ")),
        }
    }

    fn query(&mut self, query: &'u Query) {
        let names = self.names.len();
        for (i, source) in query.sources.iter().enumerate() {
            if i > 0 {
                self.text(", ");
            }
            self.operand(&source.expression);
            self.text(format!(" {}", source.alias));
            self.names.push((source.slot, &source.alias));
        }
        self.indent += 1;
        for (slot, expression) in &query.lets {
            self.names.push((*slot, "$let"));
            self.line("let ");
            self.node(expression);
        }
        for with in &query.relationships {
            self.line(if with.without { "without " } else { "with " });
            self.operand(&with.expression);
            self.text(format!(" {}", with.alias));
            self.names.push((with.slot, &with.alias));
            self.line("  such that ");
            self.node(&with.such_that);
        }
        if let Some(condition) = &query.condition {
            self.line("where ");
            self.node(condition);
        }
        if let Some((result, _)) = &query.result {
            self.line("return ");
            self.node(result);
        }
        if let Some(aggregate) = &query.aggregate {
            self.line("aggregate ");
            self.node(&aggregate.expression);
        }
        if !query.sort.is_empty() {
            self.line("sort");
        }
        self.indent -= 1;
        self.names.truncate(names);
    }
}

/// A constant as CQL writes it, as far as readers need.
fn constant(value: &Owned) -> String {
    let code = |c: &crate::tree::constant::OwnedCode| {
        let named = c.display.as_deref().or(c.code.as_deref());
        format!("\"{}\"", named.unwrap_or("?"))
    };
    match value {
        Owned::Null => "null".into(),
        Owned::Boolean(b) => b.to_string(),
        Owned::Integer(i) => i.to_string(),
        Owned::Long(l) => format!("{l}L"),
        Owned::Decimal(d) => d.to_string(),
        Owned::String(text) => format!("'{text}'"),
        Owned::Date(d) | Owned::DateTime(d) => format!("@{d}"),
        Owned::Time(_) => "a time".into(),
        Owned::Quantity(value, unit) => format!("{value} {unit}"),
        Owned::Ratio(_) => "a ratio".into(),
        Owned::Code(c) => code(c),
        Owned::Concept(codes, display) => match display {
            Some(display) => format!("\"{display}\""),
            None => codes.iter().map(code).collect::<Vec<_>>().join(", "),
        },
        Owned::ValueSet(set) => format!("\"{}\"", set.name),
        Owned::CodeSystem(system) => format!("\"{}\"", system.name),
        Owned::List(items) => {
            let items: Vec<String> = items.iter().map(constant).collect();
            format!("{{ {} }}", items.join(", "))
        }
    }
}
