//! From the parsed expression to a checked one: names, types, functions, value sets. All problems
//! are collected, each with its place.

use std::sync::Arc;

use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo,
};
use cel::parser::Parser;

use super::calls;
use super::node::{Comprehension, Fold, Node, NodeKind, Select};
use super::types::{self, Ty};
use super::value::Val;
use engine_patient::diagnostic::did_you_mean;
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, Finding, Source, Span};
use engine_patient::requirements::DataRequirement;
use engine_patient::systems::CodedElement;
use engine_patient::terminology::ValueSet;

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 60;
/// Most operators and brackets in a row that the parser is given.
const MAX_ROW: usize = 120;
/// Brackets and operators in a row that the parser manages on any thread's stack.
const SHALLOW: usize = 8;
/// Longest expression, in characters.
const MAX_LENGTH: usize = 20_000;
/// Most problems that are told of one expression.
const MAX_PROBLEMS: usize = 40;

/// A checked expression.
#[derive(Debug)]
pub struct Compiled {
    /// As written.
    pub source: Arc<str>,
    /// The type of its value.
    pub ty: Ty,
    pub(crate) node: Node,
    /// How many comprehension variables are alive at once.
    pub(crate) slots: usize,
    /// How deep its evaluation goes, definitions included.
    depth: usize,
}

/// Checks the expressions of one artifact, which share value sets, definitions and data
/// requirements.
#[derive(Debug, Default)]
pub struct Checker {
    value_sets: Vec<(String, Arc<ValueSet>)>,
    /// Name, type, depth.
    defines: Vec<(String, Ty, usize)>,
    requirements: Vec<DataRequirement>,
    /// Elements that `inValueSet` compares.
    compared: Vec<CodedElement>,
    used_value_sets: Vec<bool>,
    used_defines: Vec<bool>,
}

impl Checker {
    /// With the value sets that expressions may name.
    pub fn new(value_sets: Vec<(String, Arc<ValueSet>)>) -> Self {
        let used_value_sets = vec![false; value_sets.len()];
        Checker {
            value_sets,
            used_value_sets,
            ..Self::default()
        }
    }

    /// Makes a checked expression available to the next ones under a name. Its place in the order
    /// of calls is its number in [`super::Evaluation`].
    pub fn define(&mut self, name: &str, compiled: &Compiled) {
        self.defines
            .push((name.to_owned(), compiled.ty.clone(), compiled.depth));
        self.used_defines.push(false);
    }

    /// Everything the expressions checked so far read.
    pub fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    /// The coded elements that the expressions checked so far compare with value sets, sorted.
    pub fn coded_elements(&self) -> Vec<CodedElement> {
        let retrieved = self.requirements.iter();
        let retrieved = retrieved.filter_map(|r| Some((r.resource_type, r.codes.as_ref()?.path)));
        let mut all: Vec<_> = retrieved.chain(self.compared.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The value sets, in the order given.
    pub fn value_sets(&self) -> impl Iterator<Item = &Arc<ValueSet>> {
        self.value_sets.iter().map(|(_, set)| set)
    }

    /// Value sets and definitions that no expression named.
    pub fn unused(&self) -> Vec<&str> {
        let sets = self.value_sets.iter().zip(&self.used_value_sets);
        let defines = self.defines.iter().zip(&self.used_defines);
        let sets = sets
            .filter(|(_, used)| !**used)
            .map(|((name, _), _)| name.as_str());
        sets.chain(
            defines
                .filter(|(_, used)| !**used)
                .map(|((n, ..), _)| n.as_str()),
        )
        .collect()
    }

    /// Parses and checks an expression. `wanted` is the type it must have, if any.
    pub fn compile(&mut self, source: &str, wanted: Option<&Ty>) -> Result<Compiled, Vec<Finding>> {
        let (expr, info) = parse(source)?;
        let mut pass = Pass {
            checker: self,
            chars: byte_to_char(source),
            source: source.chars().collect(),
            info,
            problems: vec![],
            scope: vec![],
            slots: 0,
            depth: 0,
            deepest: 0,
        };
        let (node, ty) = pass.expr(&expr);
        if let Some(wanted) = wanted.filter(|w| !ty.fits(w)) {
            let message = format!("this must be {wanted}, but it is {ty}");
            pass.problem(Code::WrongType, message, node.span, None);
        }
        let (slots, depth) = (pass.slots, pass.deepest);
        if depth > 4 * MAX_DEPTH {
            let message = "the expression and what it uses of `define` are nested too deep".into();
            pass.problem(Code::TooDeep, message, node.span, None);
        }
        let problems = pass.problems;
        if problems.is_empty() {
            let source = Arc::from(source);
            return Ok(Compiled {
                source,
                ty,
                node,
                slots,
                depth,
            });
        }
        Err(told(source, problems))
    }
}

/// In order, once each, with line and column; of very many the first.
fn told(source: &str, mut problems: Vec<Finding>) -> Vec<Finding> {
    problems.sort_by_key(Finding::chars);
    problems.dedup();
    let more = problems.len().saturating_sub(MAX_PROBLEMS);
    if let (1.., Some(last)) = (more, problems.get(MAX_PROBLEMS).map(Finding::chars)) {
        problems.truncate(MAX_PROBLEMS);
        problems.push(problem(
            Code::More,
            format!("{more} more problems are not shown"),
            last,
            None,
        ));
    }
    let source = Source::new("", source);
    for problem in &mut problems {
        problem.place.span = Some(source.span(problem.chars()));
    }
    problems
}

/// A mistake at characters of the expression.
fn problem(
    code: Code,
    message: String,
    (from, to): (usize, usize),
    help: Option<String>,
) -> Finding {
    Finding::error(code, message)
        .maybe_help(help)
        .spanning(Span::chars(from, to))
}

/// Parses with the `cel` crate, within bounds of length and nesting.
fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Vec<Finding>> {
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
            vec![problem(Code::Syntax, message.into(), (at, at + 1), None)],
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
        let help = syntax_help(source);
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

/// Slips of authors who know other languages.
fn syntax_help(source: &str) -> Option<String> {
    let word = |w: &str| source.split(|c: char| !c.is_alphanumeric()).any(|s| s == w);
    let has_assignment = source
        .replace("==", "")
        .replace("!=", "")
        .replace("<=", "")
        .replace(">=", "")
        .contains('=');
    let help = if word("and") || word("AND") {
        "write `&&` for and"
    } else if word("or") || word("OR") {
        "write `||` for or"
    } else if word("not") || word("NOT") {
        "write `!` for not"
    } else if has_assignment {
        "write `==` to compare"
    } else {
        return None;
    };
    Some(help.into())
}

/// Line from 1 and column from 0 or 1 as the parser gives them, as a character offset.
fn offset_of(source: &str, (line, column): (isize, isize)) -> usize {
    let (line, column) = (line.max(1).unsigned_abs(), column.max(1).unsigned_abs());
    let before = source.split_inclusive('\n').take(line - 1);
    before.map(|l| l.chars().count()).sum::<usize>() + column - 1
}

/// The expression with texts and comments blank, as the grammar of CEL tells them; where it does
/// not take a text, the character at which that begins. What stands after it would be read as code.
fn without_texts(source: &str) -> Result<String, usize> {
    let chars: Vec<char> = source.chars().collect();
    let is = |at: usize, c: char| chars.get(at) == Some(&c);
    let (mut out, mut at, mut word) = (String::with_capacity(source.len()), 0, 0);
    while let Some(&c) = chars.get(at) {
        let end = match c {
            '/' if is(at + 1, '/') => {
                let rest = chars.iter().skip(at);
                at + rest.take_while(|c| **c != '\n').count()
            }
            '"' | '\'' => {
                let prefix: String = chars.get(word..at).unwrap_or_default().iter().collect();
                let raw = match prefix.to_ascii_lowercase().as_str() {
                    "" | "b" => false,
                    "r" | "br" => true,
                    _ => return Err(at),
                };
                text_end(&chars, at, raw).ok_or(at)?
            }
            '`' => return Err(at),
            _ => {
                out.push(c);
                at += 1;
                if !c.is_ascii_alphanumeric() && c != '_' {
                    word = at;
                }
                continue;
            }
        };
        out.push(' ');
        (at, word) = (end, end);
    }
    Ok(out)
}

/// The character after the text whose quotes begin here.
fn text_end(chars: &[char], at: usize, raw: bool) -> Option<usize> {
    let quote = *chars.get(at)?;
    let triple = |at: usize| chars.get(at..at + 3).is_some_and(|q| q == [quote; 3]);
    let hex = |at: usize, n: usize| {
        let digits = chars.get(at..at + n)?;
        digits.iter().all(char::is_ascii_hexdigit).then_some(at + n)
    };
    let long = triple(at);
    let mut at = at + if long { 3 } else { 1 };
    loop {
        at = match *chars.get(at)? {
            '\\' if !raw => match *chars.get(at + 1)? {
                'x' | 'X' => hex(at + 2, 2)?,
                'u' => hex(at + 2, 4)?,
                'U' => hex(at + 2, 8)?,
                '0'..='3' => {
                    let octal = chars.get(at + 2..at + 4)?;
                    octal
                        .iter()
                        .all(|c| ('0'..='7').contains(c))
                        .then_some(at + 4)?
                }
                c if "abfnrtv\"'\\?`".contains(c) => at + 2,
                _ => return None,
            },
            _ if long && triple(at) => return Some(at + 3),
            c if !long && c == quote => return Some(at + 1),
            '\n' | '\r' if !long => return None,
            _ => at + 1,
        };
    }
}

/// A bound on how deep the parser's tree will be: brackets, and operators in a row. `&&` and `||`
/// make balanced trees and start a new row, as does a comma.
fn nesting(source: &str) -> usize {
    // Per open bracket, the operators in a row so far.
    let mut rows = vec![0usize];
    let (mut depth, mut most) = (0usize, 0usize);
    let (mut before, mut word) = (' ', String::new());
    for c in source.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            // A number may stand right before it: `1in [1]`.
            let digit = word.starts_with(|c: char| c.is_ascii_digit());
            if word == "in" || (digit && word.ends_with("in")) {
                depth += 1;
                if let Some(row) = rows.last_mut() {
                    *row += 1;
                }
            }
            word.clear();
        }
        match c {
            '(' | '[' | '{' => {
                rows.push(0);
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth -= rows.pop().unwrap_or(0).min(depth);
                depth = depth.saturating_sub(1) + 1;
                match rows.last_mut() {
                    Some(row) => *row += 1,
                    None => rows.push(1),
                }
            }
            // One alone the parser passes over, as it does any other character it does not know.
            '&' | '|' if before != c => {}
            ',' | '&' | '|' => depth -= rows.last_mut().map_or(0, std::mem::take).min(depth),
            '.' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '!' | '?' => {
                depth += 1;
                if let Some(row) = rows.last_mut() {
                    *row += 1;
                }
            }
            _ => {}
        }
        most = most.max(depth);
        before = c;
    }
    most
}

/// The number of the character each byte belongs to.
fn byte_to_char(source: &str) -> Vec<usize> {
    let chars = source.chars().enumerate();
    chars
        .flat_map(|(i, c)| std::iter::repeat_n(i, c.len_utf8()))
        .collect()
}

/// One walk over one expression.
pub(super) struct Pass<'c> {
    pub(super) checker: &'c mut Checker,
    source: Vec<char>,
    /// The parser counts bytes: the character that each belongs to.
    chars: Vec<usize>,
    info: SourceInfo,
    problems: Vec<Finding>,
    /// Comprehension variables in scope, innermost last.
    scope: Vec<(String, Ty)>,
    slots: usize,
    depth: usize,
    deepest: usize,
}

pub(super) type Checked = (Node, Ty);

impl Pass<'_> {
    pub(super) fn problem(
        &mut self,
        code: Code,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) {
        self.problems.push(problem(code, message, span, help));
    }

    /// A wrong expression: said once, not again by what stands around it.
    pub(super) fn wrong(
        &mut self,
        code: Code,
        message: String,
        span: (usize, usize),
        help: Option<String>,
    ) -> Checked {
        self.problem(code, message, span, help);
        (
            Node {
                kind: NodeKind::Constant(Val::unknown("not checked")),
                span,
            },
            Ty::Any,
        )
    }

    /// The place of the expression's own token.
    pub(super) fn token(&self, expr: &IdedExpr) -> (usize, usize) {
        let (start, stop) = self.info.offset_for(expr.id).unwrap_or((0, 0));
        let place = |byte: u32| {
            self.chars
                .get(byte as usize)
                .copied()
                .unwrap_or(self.source.len())
        };
        let mut start = place(start);
        let mut end = place(stop.saturating_add(1)).clamp(start, self.source.len());
        // The parser places a call at its bracket: its name stands before that.
        if let Expr::Call(call) = &expr.expr {
            let name: Vec<char> = call.func_name.chars().collect();
            let before = start.checked_sub(name.len());
            if let Some(before) = before.filter(|b| self.source.get(*b..start) == Some(&name)) {
                start = before;
            }
        }
        // And a selection at its dot.
        if let (Expr::Select(select), Some('.')) = (&expr.expr, self.source.get(start)) {
            end = (end + select.field.chars().count()).min(self.source.len());
        }
        (start, end)
    }

    /// The place of the whole expression: from the first to the last token under it, brackets
    /// closed.
    fn span(&self, expr: &IdedExpr) -> (usize, usize) {
        let (mut start, mut end) = self.token(expr);
        let mut stack = children(expr);
        while let Some(child) = stack.pop() {
            let (s, e) = self.token(child);
            if e > s {
                (start, end) = (start.min(s), end.max(e));
            }
            stack.extend(children(child));
        }
        // Brackets are no tokens of their own: take in those that are opened or closed half.
        let (mut open, mut closed) = (0usize, 0usize);
        for c in self.source.get(start..end).unwrap_or_default() {
            match c {
                '(' => open += 1,
                ')' if open > 0 => open -= 1,
                ')' => closed += 1,
                _ => {}
            }
        }
        while closed > 0 && start > 0 {
            match self.source.get(start - 1) {
                Some('(') => closed -= 1,
                Some(c) if c.is_whitespace() => {}
                _ => break,
            }
            start -= 1;
        }
        while open > 0 && end < self.source.len() {
            match self.source.get(end) {
                Some('(') => open += 1,
                Some(')') => open -= 1,
                _ => {}
            }
            end += 1;
        }
        (start, end)
    }

    pub(super) fn expr(&mut self, expr: &IdedExpr) -> Checked {
        let span = self.span(expr);
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let checked = if self.depth > 2 * MAX_DEPTH {
            self.wrong(
                Code::TooDeep,
                "the expression is nested too deep".into(),
                span,
                Some("move parts of it into `define`".into()),
            )
        } else {
            self.kind(expr, span)
        };
        self.depth -= 1;
        checked
    }

    fn kind(&mut self, expr: &IdedExpr, span: (usize, usize)) -> Checked {
        let node = |kind| Node { kind, span };
        match &expr.expr {
            Expr::Literal(literal) => match constant(literal) {
                Some((value, ty)) => (node(NodeKind::Constant(value)), ty),
                None => {
                    let help = Some("`has(x.y)` asks whether an element is there".into());
                    self.wrong(
                        Code::Unsupported,
                        "`null`, bytes and unsigned numbers are not used in rules".into(),
                        span,
                        help,
                    )
                }
            },
            Expr::Ident(name) => self.identifier(name, span),
            Expr::Select(select) => self.select(select, span),
            Expr::Call(call) => calls::call(self, expr, call, span),
            Expr::List(list) => {
                let mut item = Ty::Any;
                let mut nodes = vec![];
                for element in &list.elements {
                    let (n, ty) = self.expr(element);
                    if item == Ty::Any || (item == Ty::Int && ty == Ty::Double) {
                        item = ty;
                    } else if !ty.fits(&item) {
                        let message = format!(
                            "the items of a list must be of one type: this is {ty}, the first is {item}"
                        );
                        self.problem(Code::WrongType, message, n.span, None);
                    }
                    nodes.push(n);
                }
                (node(NodeKind::List(nodes)), item.list())
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, span),
            Expr::Map(_) | Expr::Struct(_) => {
                let message = "maps and messages `{…}` are not used in rules";
                self.wrong(Code::Unsupported, message.into(), span, None)
            }
            Expr::Unspecified => self.wrong(
                Code::Syntax,
                "an expression is missing here".into(),
                span,
                None,
            ),
        }
    }

    fn identifier(&mut self, name: &str, span: (usize, usize)) -> Checked {
        let node = |kind| Node { kind, span };
        if let Some(slot) = self.scope.iter().rposition(|(n, _)| n == name) {
            let ty = self.scope.get(slot).map_or(Ty::Any, |(_, t)| t.clone());
            return (node(NodeKind::Local(slot)), ty);
        }
        if let Some(index) = self.checker.defines.iter().position(|(n, ..)| n == name) {
            if let Some(used) = self.checker.used_defines.get_mut(index) {
                *used = true;
            }
            let found = self.checker.defines.get(index);
            let (ty, depth) = found.map_or((Ty::Any, 0), |(_, t, d)| (t.clone(), *d));
            self.deepest = self.deepest.max(self.depth + depth);
            return (node(NodeKind::Define(index)), ty);
        }
        match name {
            "patient" => (node(NodeKind::Patient), Ty::Element("Patient")),
            "at" => (node(NodeKind::At), Ty::Time),
            "period_start" => (node(NodeKind::PeriodStart), Ty::Time),
            "period_end" => (node(NodeKind::PeriodEnd), Ty::Time),
            _ => {
                let known = ["patient", "at", "period_start", "period_end"].into_iter();
                let locals = self.scope.iter().map(|(n, _)| n.as_str());
                let defines = self.checker.defines.iter().map(|(n, ..)| n.as_str());
                let near = did_you_mean(name, known.chain(locals).chain(defines));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if Model::r4().resource(name).is_some() => {
                        format!("write `{name}()` for all of them, `{name}(\"value set\")` for some")
                    }
                    None => "known are `patient`, `at`, `period_start`, `period_end` and the names under `define`".into(),
                };
                self.wrong(
                    Code::UnknownName,
                    format!("unknown name `{name}`"),
                    span,
                    Some(help),
                )
            }
        }
    }

    fn select(&mut self, select: &SelectExpr, span: (usize, usize)) -> Checked {
        let (operand, ty) = self.expr(&select.operand);
        let field = select.field.as_str();
        // After the operand and its dot; white space may stand around it.
        let gap = |c: &&char| c.is_whitespace() || **c == '.';
        let after = self.source.get(operand.span.1..).unwrap_or_default();
        let start = operand.span.1 + after.iter().take_while(gap).count();
        let place = (
            start,
            (start + field.chars().count()).min(self.source.len()),
        );
        let owner = match &ty {
            Ty::Element(owner) => *owner,
            Ty::Any => {
                return (
                    Node {
                        kind: NodeKind::Constant(Val::unknown("not checked")),
                        span,
                    },
                    Ty::Any,
                );
            }
            Ty::List(_) => {
                let message = format!("`{field}` cannot be read from a list");
                let help = format!(
                    "say which: `.exists(x, x.{field} …)`, `.latest().{field}` or `.first().{field}`"
                );
                return self.wrong(Code::List, message, place, Some(help));
            }
            Ty::Choice(_, name) => {
                let message =
                    format!("`{name}` can be of several types: `{field}` cannot be read from it");
                let help = format!("name the type, as in `{name}Quantity.{field}`");
                return self.wrong(Code::Choice, message, place, Some(help));
            }
            other => {
                let message = format!("{other} has no element `{field}`");
                return self.wrong(Code::WrongType, message, place, None);
            }
        };
        let Some(found) = types::select(owner, field) else {
            let model = Model::r4();
            let near = did_you_mean(field, model.elements(owner).map(|e| e.name));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let names: Vec<_> = model.elements(owner).map(|e| e.name).take(14).collect();
                    format!("it has `{}`", names.join("`, `"))
                }
            };
            let message = format!("`{owner}` has no element `{field}`");
            return self.wrong(Code::UnknownElement, message, place, Some(help));
        };
        let select_node = Box::new(Select {
            operand,
            properties: found.properties,
            many: found.many,
            coded: types::coded_element(owner, field),
            missing: format!("`{owner}.{field}` is missing"),
            withheld: format!("`{owner}.{field}` has no value, but a reason why"),
            malformed: format!("`{owner}.{field}` is not as FHIR has it"),
        });
        if select.test {
            if owner == "Patient" && field.starts_with("deceased") {
                let message = format!(
                    "`has(patient.{field})` tells that something is recorded, also that the patient lives or when they died later"
                );
                let help = "write `deceased(at)`: whether the patient was dead at that moment";
                self.problem(Code::PresenceIsNotDeath, message, place, Some(help.into()));
            }
            return (
                Node {
                    kind: NodeKind::Has(select_node),
                    span,
                },
                Ty::Bool,
            );
        }
        let ty = if found.many {
            found.ty.list()
        } else {
            found.ty
        };
        (
            Node {
                kind: NodeKind::Select(select_node),
                span,
            },
            ty,
        )
    }

    /// Recognises what `cel`'s macros expand to.
    fn comprehension(&mut self, c: &ComprehensionExpr, span: (usize, usize)) -> Checked {
        let (range, range_ty) = self.expr(&c.iter_range);
        let item = match range_ty {
            Ty::List(item) => *item,
            Ty::Any => Ty::Any,
            other => {
                let message =
                    format!("`exists`, `all`, `filter` and `map` need a list, this is {other}");
                return self.wrong(Code::WrongType, message, range.span, None);
            }
        };
        let slot = self.scope.len();
        self.scope.push((c.iter_var.clone(), item.clone()));
        self.slots = self.slots.max(self.scope.len());
        let checked = self.fold(c, range, slot, &item, span);
        self.scope.truncate(slot);
        checked
    }

    fn fold(
        &mut self,
        c: &ComprehensionExpr,
        range: Node,
        slot: usize,
        item: &Ty,
        span: (usize, usize),
    ) -> Checked {
        let unsupported = |pass: &mut Self| {
            pass.wrong(
                Code::Unsupported,
                "this form of a comprehension is not used in rules".into(),
                span,
                None,
            )
        };
        let Expr::Call(step) = &c.loop_step.expr else {
            return unsupported(self);
        };
        match (step.func_name.as_str(), step.args.as_slice()) {
            ("_||_", [_, body]) | ("_&&_", [_, body]) => {
                let fold = if step.func_name == "_||_" {
                    Fold::Exists
                } else {
                    Fold::All
                };
                let body = self.boolean(body);
                let inner = Box::new(Comprehension { range, slot, body });
                (
                    Node {
                        kind: NodeKind::Fold(fold, inner),
                        span,
                    },
                    Ty::Bool,
                )
            }
            ("_+_", [_, added]) => self.mapping(None, added, range, slot, span),
            ("_?_:_", [condition, then, _]) => match &then.expr {
                // `accu + [x]` is a filter or a map with a condition, `accu + 1` is exists_one.
                Expr::Call(CallExpr {
                    func_name, args, ..
                }) if func_name == "_+_" => match args.as_slice() {
                    [
                        _,
                        IdedExpr {
                            expr: Expr::List(list),
                            ..
                        },
                    ] => {
                        let same = matches!(list.elements.as_slice(), [IdedExpr { expr: Expr::Ident(name), .. }] if *name == c.iter_var);
                        if same {
                            let body = self.boolean(condition);
                            let inner = Box::new(Comprehension { range, slot, body });
                            let kind = NodeKind::Fold(Fold::Filter, inner);
                            return (Node { kind, span }, item.clone().list());
                        }
                        match args.get(1) {
                            Some(added) => self.mapping(Some(condition), added, range, slot, span),
                            None => unsupported(self),
                        }
                    }
                    _ => {
                        let body = self.boolean(condition);
                        let inner = Box::new(Comprehension { range, slot, body });
                        (
                            Node {
                                kind: NodeKind::Fold(Fold::ExistsOne, inner),
                                span,
                            },
                            Ty::Bool,
                        )
                    }
                },
                _ => unsupported(self),
            },
            _ => unsupported(self),
        }
    }

    fn mapping(
        &mut self,
        condition: Option<&IdedExpr>,
        added: &IdedExpr,
        range: Node,
        slot: usize,
        span: (usize, usize),
    ) -> Checked {
        let condition = condition.map(|c| Box::new(self.boolean(c)));
        let Expr::List(list) = &added.expr else {
            return self.wrong(
                Code::Unsupported,
                "this form of a comprehension is not used in rules".into(),
                span,
                None,
            );
        };
        let Some(element) = list.elements.first() else {
            return self.wrong(Code::Syntax, "`map` needs an expression".into(), span, None);
        };
        let (body, ty) = self.expr(element);
        let inner = Box::new(Comprehension { range, slot, body });
        (
            Node {
                kind: NodeKind::Map(inner, condition),
                span,
            },
            ty.list(),
        )
    }

    /// An expression that must be true or false.
    pub(super) fn boolean(&mut self, expr: &IdedExpr) -> Node {
        let (node, ty) = self.expr(expr);
        if !ty.fits(&Ty::Bool) {
            let message = format!("this must be true or false, but it is {ty}");
            let help = match &ty {
                Ty::List(_) => Some("ask `.size() > 0` or `.exists(x, …)`".to_owned()),
                _ => None,
            };
            self.problem(Code::WrongType, message, node.span, help);
        }
        node
    }

    /// The value set of a name, by its index.
    pub(super) fn value_set(&mut self, name: &str, span: (usize, usize)) -> Option<usize> {
        let found = self.checker.value_sets.iter().position(|(n, _)| n == name);
        match found {
            Some(index) => {
                if let Some(used) = self.checker.used_value_sets.get_mut(index) {
                    *used = true;
                }
            }
            None => {
                let names = self.checker.value_sets.iter().map(|(n, _)| n.as_str());
                let help = match did_you_mean(name, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name it under `value_sets` first".into(),
                };
                self.problem(
                    Code::UnknownValueSet,
                    format!("unknown value set `{name}`"),
                    span,
                    Some(help),
                );
            }
        }
        found
    }

    /// The number of a data requirement; equal ones share it.
    pub(super) fn requirement(&mut self, wanted: DataRequirement) -> usize {
        let all = &mut self.checker.requirements;
        all.iter().position(|r| *r == wanted).unwrap_or_else(|| {
            all.push(wanted);
            all.len() - 1
        })
    }

    /// An element is compared with a value set.
    pub(super) fn compared(&mut self, element: CodedElement) {
        self.checker.compared.push(element);
    }

    /// The value set of an index.
    pub(super) fn value_set_at(&self, index: usize) -> Option<Arc<ValueSet>> {
        self.checker
            .value_sets
            .get(index)
            .map(|(_, set)| Arc::clone(set))
    }
}

fn constant(literal: &LiteralValue) -> Option<(Val<'static>, Ty)> {
    Some(match literal {
        LiteralValue::Boolean(b) => (Val::Bool(*b.inner()), Ty::Bool),
        LiteralValue::Int(i) => (Val::Int(*i.inner()), Ty::Int),
        LiteralValue::Double(d) => (Val::Double(*d.inner()), Ty::Double),
        LiteralValue::String(s) => (Val::Str(s.inner().to_owned().into()), Ty::String),
        LiteralValue::Null | LiteralValue::Bytes(_) | LiteralValue::UInt(_) => return None,
    })
}

fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Select(select) => vec![select.operand.as_ref()],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Comprehension(c) => vec![&c.iter_range, &c.loop_step],
        _ => vec![],
    }
}
