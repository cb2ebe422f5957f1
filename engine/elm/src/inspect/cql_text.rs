//! The logic as text where a library carries none: close to CQL, not to be read back.
//!
//! Published packages come without annotations as often as with them, and a reader of an explanation
//! needs words either way.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::cql_words::{Phrase, constant, phrase, quoted};
use super::made::{
    choice_of, extension_of, is_birth_date, last_step, source_of_made, source_of_query, whole_of,
};
use crate::inspect::expressions::{ExpressionView, Statement};
use crate::operators::operator::{Attributes, Operator};
use crate::tree::constant::Constant;
use crate::tree::libraries::CompiledLibraries;
use crate::tree::node::{IntervalNode, Kind, Node};
use crate::tree::query::{Let, Query, SortBy};
use crate::tree::retrieve::{Codes, Retrieve};

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

/// What aliases are called, by the address of the expression that names one.
pub type Aliases = HashMap<usize, String>;

impl<'u> Statement<'u> {
    /// Its text, without `define`.
    pub fn cql_text(&self) -> Vec<Piece<'u>> {
        let mut writer = Writer::new(self.body.compiled);
        let operands = self.operands.iter().map(Arc::as_ref);
        writer.names = (0..).zip(operands).collect();
        writer.node(self.body.node);
        writer.out
    }
}

impl<'u> ExpressionView<'u> {
    /// Its text on one line, with `…` for the expressions of these addresses. A part of a statement
    /// does not know what the aliases around it are called: `aliases` has them.
    pub fn cql_line(self, aliases: &Aliases, without: &HashSet<usize>) -> String {
        let mut writer = Writer::new(self.compiled);
        writer.aliases = Some(aliases);
        writer.without = Some(without);
        writer.node(self.node);
        let texts = writer.out.into_iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            _ => None,
        });
        texts.collect()
    }
}

struct Writer<'u, 'w> {
    compiled: &'u CompiledLibraries,
    out: Vec<Piece<'u>>,
    /// Aliases by slot.
    names: Vec<(u32, &'u str)>,
    aliases: Option<&'w Aliases>,
    without: Option<&'w HashSet<usize>>,
    depth: u32,
    indent: usize,
}

impl<'u, 'w> Writer<'u, 'w> {
    fn new(compiled: &'u CompiledLibraries) -> Writer<'u, 'w> {
        Writer {
            compiled,
            out: vec![],
            names: vec![],
            aliases: None,
            without: None,
            depth: 0,
            indent: 0,
        }
    }

    fn text(&mut self, text: impl Into<Cow<'u, str>>) {
        self.out.push(Piece::Text(text.into()));
    }

    fn line(&mut self, text: &'static str) {
        self.text(format!("\n{}{text}", "  ".repeat(self.indent)));
    }

    fn node(&mut self, node: &'u Node) {
        let place = ExpressionView::new(self.compiled, node);
        if self.without.is_some_and(|w| w.contains(&place.address())) {
            return self.text("…");
        }
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
        let inner = ExpressionView::new(self.compiled, node).unconverted();
        let left_out = self.without.is_some_and(|w| w.contains(&inner.address()));
        let written = source_of_made(inner.node).unwrap_or(inner.node);
        let compound = !left_out
            && match &written.kind {
                Kind::And(_) | Kind::Or(_) | Kind::Implies(_) | Kind::If(_) | Kind::Query(_) => {
                    true
                }
                Kind::Op(operator, args, extra) => {
                    args.len() == 2 && matches!(phrase(operator, extra), Phrase::Infix(_))
                }
                Kind::Nary(operator, _, extra) => {
                    matches!(phrase(operator, extra), Phrase::Infix(_))
                }
                Kind::InValueSet(..) | Kind::Is(..) => true,
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
        match same(&ExpressionView::new(self.compiled, a).node.kind) {
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
                let compiled = self.compiled;
                let found = compiled.parameters.get(*index as usize);
                let name = found.map_or("parameter", |p| &p.name);
                self.text(format!("\"{name}\""));
            }
            Kind::Def(index) => {
                let compiled = self.compiled;
                let name = compiled.definitions.get(*index as usize).map(|d| &d.name);
                self.text(format!("\"{}\"", name.map_or("?", |n| n)));
            }
            Kind::Local(slot) => {
                let found = self.names.iter().rev().find(|(s, _)| s == slot);
                let named = self.aliases.and_then(|all| all.get(&place.address()));
                match (found, named) {
                    (Some((_, name)), _) => self.text(*name),
                    (None, Some(name)) => self.text(name.clone()),
                    (None, None) => self.text("$this"),
                }
            }
            Kind::Once(_, node) => self.node(node),
            Kind::Op(operator, args, extra) | Kind::Nary(operator, args, extra) => {
                self.operator(operator, extra, args);
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
            Kind::Case(..) if choice_of(place.node).is_some() => {
                if let Some(node) = choice_of(place.node) {
                    self.node(node);
                }
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
            Kind::Interval(interval) => self.interval(interval),
            Kind::Property(source, path) => {
                self.operand(source);
                // `.value` of a primitive is no step of the author's.
                let of_property = last_step(source).is_some_and(|step| step != "value");
                for (at, segment) in path.segments.iter().enumerate() {
                    if &*segment.name != "value" || (at == 0 && !of_property) {
                        self.text(format!(".{}", segment.name));
                    }
                }
            }
            Kind::As(node, _, _) => self.node(node),
            Kind::Is(node, ty) => {
                self.operand(node);
                self.text(format!(" is {ty}"));
            }
            // FHIRHelpers converts, whether natively or as ELM.
            Kind::Call(function, args) if args.len() == 1 && self.is_helper(*function) => {
                args.iter().for_each(|n| self.node(n));
            }
            Kind::Dispatch(functions, args)
                if args.len() == 1 && functions.iter().all(|f| self.is_helper(*f)) =>
            {
                args.iter().for_each(|n| self.node(n));
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
                let compiled = self.compiled;
                match compiled.retrieves.get(*index as usize) {
                    Some(retrieve) => self.retrieve(retrieve),
                    None => self.text("?"),
                }
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
        let found = self.compiled.functions.get(index as usize);
        found.map_or("?", |f| &f.name)
    }

    fn is_helper(&self, index: u32) -> bool {
        let found = self.compiled.functions.get(index as usize);
        let library = found.and_then(|f| self.compiled.libraries.get(f.library as usize));
        library.is_some_and(|l| &*l.name == "FHIRHelpers")
    }

    fn operator(&mut self, operator: &'static Operator, extra: &Attributes, args: &'u [Node]) {
        match (phrase(operator, extra), args) {
            (Phrase::Infix(word), [first, rest @ ..]) => {
                // `a union b union c` is nested to the left.
                let inner = ExpressionView::new(self.compiled, first).unconverted();
                match matches!(&*word, "union" | "intersect" | "&")
                    && inner.operator() == operator.name
                {
                    true => self.node(first),
                    false => self.operand(first),
                }
                for operand in rest {
                    self.between(&word);
                    self.operand(operand);
                }
            }
            (Phrase::Prefix(word), [operand]) => {
                self.text(word);
                self.operand(operand);
            }
            (Phrase::Suffix(word), [operand]) => {
                self.operand(operand);
                self.text(word);
            }
            (Phrase::Nothing, [operand]) => self.node(operand),
            (Phrase::Between(word), [a, b]) => {
                self.text(word);
                self.operand(a);
                self.text(" and ");
                self.operand(b);
            }
            // The age of the patient of the context.
            (Phrase::Age(word), [birth, rest @ ..]) if is_birth_date(birth, self.compiled) => {
                self.text(format!("Age{word}("));
                self.list(rest);
                self.text(")");
            }
            (Phrase::Age(word), args) => {
                self.text(format!("CalculateAge{word}("));
                self.list(args);
                self.text(")");
            }
            _ => self.called(operator.name, args),
        }
    }

    /// `Interval[low, high)`
    fn interval(&mut self, interval: &'u IntervalNode) {
        // The translator writes a conversion of an interval as one of its bounds.
        if let Some(whole) = whole_of(interval) {
            return self.node(whole);
        }
        let open = |node: &Node| matches!(node.kind, Kind::Const(Constant::Boolean(false)));
        self.text(match open(&interval.low_closed) {
            true => "Interval(",
            false => "Interval[",
        });
        self.node(&interval.low);
        self.text(", ");
        self.node(&interval.high);
        self.text(match open(&interval.high_closed) {
            true => ")",
            false => "]",
        });
    }

    /// `[Encounter: type in "Office Visit"]`
    fn retrieve(&mut self, retrieve: &'u Retrieve) {
        let Some(wanted) = &retrieve.wanted else {
            return self.text(format!("[{}]", retrieve.label));
        };
        let head = retrieve.resource_type.as_str();
        self.text(format!(
            "[{head}: {} {} ",
            wanted.element, wanted.comparator
        ));
        let expression = retrieve.code.as_ref().map(|c| &c.codes);
        match (&*wanted.names, expression) {
            ([one], _) => self.text(quoted(one)),
            ([], Some(Codes::Expression(node))) => self.node(node),
            ([], _) => self.text("{ }"),
            (several, _) => {
                let names: Vec<String> = several.iter().map(|n| quoted(n)).collect();
                self.text(format!("{{ {} }}", names.join(", ")));
            }
        }
        self.text("]");
    }

    /// The word between two operands. Unions are of many retrieves: each on its line.
    fn between(&mut self, word: &str) {
        match word {
            "union" => self.line("union "),
            _ => self.text(format!(" {word} ")),
        }
    }

    fn query(&mut self, query: &'u Query) {
        // `X.type` of a list is a query that the translator made, and so is a conversion of one.
        if let Some(source) = source_of_query(query) {
            return self.node(source);
        }
        if let Some((source, url, then)) = extension_of(query) {
            self.operand(source);
            self.text(format!("('{url}')"));
            for step in then {
                self.text(format!(".{step}"));
            }
            return;
        }
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
        for Let {
            name,
            slot,
            expression,
        } in &query.lets
        {
            self.names.push((*slot, name));
            self.line("let ");
            self.text(format!("{name}: "));
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
        if let Some((result, distinct)) = &query.result {
            self.line(if *distinct { "return " } else { "return all " });
            self.node(result);
        }
        if let Some(aggregate) = &query.aggregate {
            self.line("aggregate ");
            self.text("total");
            self.names.push((aggregate.slot, "total"));
            if let Some(starting) = &aggregate.starting {
                self.text(" starting ");
                self.operand(starting);
            }
            self.text(": ");
            self.node(&aggregate.expression);
        }
        for (at, key) in query.sort.iter().enumerate() {
            match at {
                0 => self.line("sort "),
                _ => self.text(", "),
            }
            match &key.by {
                SortBy::Item => {}
                SortBy::Path(path) => {
                    let steps: Vec<&str> = path.segments.iter().map(|s| &*s.name).collect();
                    self.text(format!("by {} ", steps.join(".")));
                }
                SortBy::Expression(_, node) => {
                    self.text("by ");
                    self.node(node);
                    self.text(" ");
                }
            }
            self.text(if key.descending { "desc" } else { "asc" });
        }
        self.indent -= 1;
        self.names.truncate(names);
    }
}
