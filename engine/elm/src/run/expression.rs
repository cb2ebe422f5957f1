//! The value of an expression, by its kind.

use crate::context::doubt::Doubt;
use crate::context::fault::{Fault, Out};
use crate::fhir::property::follow;
use crate::operators::clinical::in_value_set;
use crate::operators::type_operators::is_type;
use crate::run::evaluator::Evaluator;
use crate::tree::node::{Kind, Node};
use crate::values::types::Type;
use crate::values::value::Val;

/// Deepest nesting of evaluation: expressions within expressions, definitions within definitions.
const DEPTH: u32 = 4000;

impl<'a> Evaluator<'a> {
    /// The value of an expression.
    pub(crate) fn eval(&mut self, node: &'a Node) -> Out<'a> {
        self.cx.charge(1)?;
        self.depth += 1;
        if self.depth > DEPTH {
            self.depth -= 1;
            return Err(Fault::Budget("the logic is nested too deep"));
        }
        let before = self.trace.as_ref().map_or(0, |t| t.executions());
        let value = if self.depth.is_multiple_of(32) {
            stacker::maybe_grow(128 << 10, 2 << 20, || self.eval_kind(node))
        } else {
            self.eval_kind(node)
        };
        self.depth = self.depth.saturating_sub(1);
        match value {
            Ok(value) => {
                if let Some(trace) = &mut self.trace {
                    trace.node(node, value, before);
                }
                Ok(value)
            }
            Err(fault) => Err(self.placed(fault, node)),
        }
    }

    /// A mistake of ours, with the clause in which it showed.
    #[cold]
    fn placed(&self, mut fault: Fault, node: &Node) -> Fault {
        if let Fault::Bug(bug) = &mut fault
            && bug.clause.is_none()
        {
            bug.clause = self.compiled.describe_clause(node.clause);
        }
        fault
    }

    fn eval_kind(&mut self, node: &'a Node) -> Out<'a> {
        match &node.kind {
            Kind::Const(value) => value.value(&self.cx),
            Kind::Broken(what) => Err(Fault::bug(what)),
            Kind::Param(index) => self.parameter(*index),
            Kind::Def(index) => self.definition(*index),
            Kind::Local(slot) => self.local(*slot),
            Kind::Once(index, node) => self.once(*index, node),
            Kind::Op(operator, args, extra) => match &**args {
                [a] => {
                    let before = self.cx.take_doubt();
                    let (a, marks) = ([self.eval(a)?], [self.cx.take_doubt()]);
                    self.operate(operator, &a, &marks, extra, before)
                }
                [a, b] => {
                    let before = self.cx.take_doubt();
                    let (a, first) = (self.eval(a)?, self.cx.take_doubt());
                    let (b, second) = (self.eval(b)?, self.cx.take_doubt());
                    self.operate(operator, &[a, b], &[first, second], extra, before)
                }
                several => {
                    let before = self.cx.take_doubt();
                    let args = self.all(several)?;
                    let marks = [self.cx.take_doubt()];
                    self.operate(operator, &args, &marks, extra, before)
                }
            },
            Kind::Nary(operator, args, extra) => {
                let before = self.cx.take_doubt();
                let mut args = args.iter();
                let Some(first) = args.next() else {
                    return Err(Fault::bug("an operator has no operands"));
                };
                let mut value = self.eval(first)?;
                for arg in args {
                    let first = self.cx.take_doubt();
                    let (arg, second) = (self.eval(arg)?, self.cx.take_doubt());
                    let (both, marks) = ([value, arg], [first, second]);
                    value = self.operate(operator, &both, &marks, extra, Doubt::NONE)?;
                }
                let own = self.cx.doubt();
                self.cx.set_doubt(before.or(own));
                Ok(value)
            }
            Kind::And(both) => self.and(both),
            Kind::Or(both) => self.or(both),
            Kind::Implies(both) => self.implies(both),
            Kind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let before = self.cx.take_doubt();
                let (holds, doubt) = self.side(condition)?;
                self.cx.set_doubt(before);
                let value = match holds {
                    Some(true) => self.eval(then),
                    _ => self.eval(otherwise),
                };
                self.chosen(value?, doubt)
            }
            Kind::Case(comparand, items, otherwise) => {
                let before = self.cx.take_doubt();
                let value = self.case(comparand.as_deref(), items, otherwise)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::Coalesce(items) => {
                let before = self.cx.take_doubt();
                let value = self.coalesce(items)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::List(items) => {
                let items = self.all(items)?;
                self.cx.list(&items)
            }
            Kind::Tuple(class, names, values) => self.tuple(class.as_deref(), names, values),
            Kind::Interval(interval) => self.interval(interval),
            Kind::Property(source, path) => {
                let before = self.cx.take_doubt();
                let value = self.eval(source)?;
                if let Val::Interval(interval) = value {
                    self.cx.add_doubt(self.cx.doubt_of_interval(interval));
                }
                let value = follow(&self.cx, value, path)?;
                let doubt = self.cx.take_doubt();
                self.cx.set_doubt(before);
                self.chosen(value, doubt)
            }
            Kind::As(operand, ty, strict) => {
                let value = self.eval(operand)?;
                if value.is_null() || is_type(&self.cx, &value, ty)? {
                    return Ok(value);
                }
                self.not_cast(&value, ty);
                if *strict {
                    let from = value.type_name();
                    return Err(Fault::Raised(format!("a {from} cannot be cast to {ty}")));
                }
                Ok(Val::Null)
            }
            Kind::Is(operand, ty) => {
                let value = self.eval(operand)?;
                Ok(Val::Boolean(
                    !value.is_null() && is_type(&self.cx, &value, ty)?,
                ))
            }
            Kind::Call(function, args) => {
                let (args, marks) = self.all_marked(args)?;
                self.call(*function, &args, &marks)
            }
            Kind::Dispatch(candidates, args) => {
                let (args, marks) = self.all_marked(args)?;
                self.dispatch(candidates, &args, &marks)
            }
            Kind::Query(query) => self.query(query),
            Kind::Retrieve(index) => self.retrieve(*index),
            Kind::InValueSet(code, set) => {
                let (code, set) = (self.eval(code)?, self.eval(set)?);
                in_value_set(&self.cx, code, set)
            }
            Kind::Filter(source, slot, condition) => self.filter(source, *slot, condition),
            Kind::ForEach(source, slot, element) => self.for_each(source, *slot, element),
            Kind::Repeat(source, slot, element) => self.repeat(source, *slot, element),
            Kind::Sort(source, keys) => self.sorted(source, keys),
            Kind::Aggregate(source, item, total, iteration, initial) => {
                self.aggregate(source, (*item, *total), iteration, initial.as_deref())
            }
            Kind::Message(parts) => self.message(parts),
        }
    }

    /// Notes a list or tuple that a cast does not fit: its members are lost.
    fn not_cast(&self, value: &Val<'a>, ty: &Type) {
        let what = match value {
            Val::List(_) => "a list",
            Val::Tuple(_) => "a tuple",
            _ => return,
        };
        self.cx.metrics.cast(what, ty);
    }

    /// Values with their marks, where there are any.
    fn all_marked(&mut self, nodes: &'a [Node]) -> Result<(Vec<Val<'a>>, Vec<Doubt>), Fault> {
        let before = self.cx.take_doubt();
        let (mut out, mut marks) = (Vec::with_capacity(nodes.len()), vec![]);
        for node in nodes {
            out.push(self.eval(node)?);
            let doubt = self.cx.take_doubt();
            if doubt.is_some() {
                marks.resize(out.len() - 1, Doubt::NONE);
                marks.push(doubt);
            }
        }
        self.cx.set_doubt(before);
        Ok((out, marks))
    }

    pub(super) fn all(&mut self, nodes: &'a [Node]) -> Result<Vec<Val<'a>>, Fault> {
        let mut out = Vec::with_capacity(nodes.len());
        for node in nodes {
            out.push(self.eval(node)?);
        }
        Ok(out)
    }

    /// The items of a list; none of null.
    pub(crate) fn items(&mut self, source: &'a Node) -> Result<&'a [Val<'a>], Fault> {
        Ok(match self.eval(source)? {
            Val::List(items) => items,
            Val::Null => &[],
            one => self.cx.slice(&[one])?,
        })
    }

    /// §24 `Message`: gives its source; errors and warnings are counted in the ledger. An error is a
    /// run-time error: what is counted stays what it is with the source, which content sets to null,
    /// but what rests on it is unknown, with the code of the message.
    fn message(&mut self, parts: &'a [Node; 5]) -> Out<'a> {
        let [source, condition, code, severity, _] = parts;
        let source = self.eval(source)?;
        if self.eval(condition)?.truth() == Some(true) {
            let severity = self.eval(severity)?;
            let is = |wanted| matches!(severity, Val::String(s) if s.eq_ignore_ascii_case(wanted));
            let error = is("error");
            if error || is("warning") {
                // Codes come from the library; a computed one could hold data.
                let code = match (&code.kind, self.eval(code)?) {
                    (Kind::Const(_), Val::String(code)) => code,
                    _ => "a message without a fixed code",
                };
                match error {
                    true => self.cx.error(code),
                    false => self.cx.metrics.message(code),
                }
            }
        }
        Ok(source)
    }
}
