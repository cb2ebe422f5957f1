//! What of a definition that is null makes it so: the deepest parts that are null, as a reader of the
//! logic would look for them. They name places of the logic, never data of the patient.

use crate::inspect::expressions::ExpressionView;
use crate::run::evaluator::Evaluator;
use crate::tree::libraries::Expression;
use crate::tree::node::{Kind, Node};
use crate::values::value::Val;

/// Why a part of the logic is null.
#[derive(Clone, Copy)]
pub enum NullCause<'u> {
    /// An element is not there.
    Missing(ExpressionView<'u>),
    /// An extension is not there: whose, and its url.
    Extension(ExpressionView<'u>, &'u str),
    /// A list that something is taken of is empty; the definition that gives it, where one does.
    Nothing(ExpressionView<'u>, Option<&'u str>),
    /// Its operands have values, and it has none: they cannot be compared or converted.
    Undecided(ExpressionView<'u>),
}

/// Deepest way, and most parts, that are looked at.
const DEPTH: usize = 60;
const CAUSES: usize = 12;
/// What looking may cost, in steps: the parts were evaluated before, definitions are remembered.
const STEPS: u64 = 100_000;

/// A node of the body of a definition, with the slots of its frame.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a Node,
    frame: u32,
    /// The definition that it stands in.
    name: &'a str,
    depth: usize,
}

impl<'a> Evaluator<'a> {
    /// Why a definition that was evaluated is null. Leaves budget, notes, marks and trace as they were.
    pub fn null_causes(&mut self, expression: Expression) -> Vec<NullCause<'a>> {
        let trace = self.trace.take();
        let metrics = std::mem::take(&mut self.cx.metrics);
        let doubt = self.cx.take_doubt();
        let (steps, exhausted) = (self.cx.steps.get(), self.cx.exhausted.get());
        self.cx.steps.set(STEPS);
        let mut out = vec![];
        if let Some(found) = self.body(expression.0, 0) {
            self.causes(found, &mut out);
        }
        self.cx.steps.set(steps);
        self.cx.exhausted.set(exhausted);
        self.cx.set_doubt(doubt);
        self.cx.metrics = metrics;
        self.trace = trace;
        out.truncate(CAUSES);
        out
    }

    fn body(&self, definition: u32, depth: usize) -> Option<Place<'a>> {
        let found = self.compiled.definitions.get(definition as usize)?;
        Some(Place {
            node: &found.node,
            frame: found.frame,
            name: &found.name,
            depth,
        })
    }

    fn value_at(&mut self, at: Place<'a>) -> Option<Val<'a>> {
        self.framed(at.frame, |e| e.eval(at.node)).ok()
    }

    fn is_null(&mut self, at: Place<'a>) -> bool {
        matches!(self.value_at(at), Some(Val::Null))
    }

    fn is_empty(&mut self, at: Place<'a>) -> bool {
        matches!(self.value_at(at), Some(Val::List(items)) if items.iter().all(Val::is_null))
    }

    /// Adds why a place, which is null, is so.
    fn causes(&mut self, at: Place<'a>, out: &mut Vec<NullCause<'a>>) {
        if out.len() >= CAUSES {
            return;
        }
        let view = ExpressionView::new(self.compiled, at.node);
        let bare = view.unconverted();
        let within = |node: &'a Node| Place {
            node,
            depth: at.depth + 1,
            ..at
        };
        let inner = within(bare.node);
        // It is the conversion that gives null.
        let converted = !std::ptr::eq(bare.node, view.node) && !self.is_null(inner);
        if at.depth >= DEPTH || converted {
            out.push(NullCause::Undecided(view));
            return;
        }
        match &bare.node.kind {
            Kind::Def(index) => match self.body(*index, at.depth + 1) {
                Some(body) => self.causes(body, out),
                None => out.push(NullCause::Undecided(bare)),
            },
            Kind::And(both) | Kind::Or(both) | Kind::Implies(both) => {
                for part in &**both {
                    if self.is_null(within(part)) {
                        self.causes(within(part), out);
                    }
                }
            }
            Kind::Coalesce(parts) => {
                for part in parts {
                    self.causes(within(part), out);
                }
            }
            Kind::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let holds = matches!(self.value_at(within(condition)), Some(Val::Boolean(true)));
                let branch = within(if holds { then } else { otherwise });
                self.causes(branch, out);
            }
            Kind::Case(None, items, otherwise) => {
                let holds = items.iter().find(|(when, _)| {
                    matches!(self.value_at(within(when)), Some(Val::Boolean(true)))
                });
                self.causes(within(holds.map_or(&**otherwise, |(_, then)| then)), out);
            }
            Kind::Property(source, _) => match self.is_null(within(source)) {
                true => self.causes(within(source), out),
                false => out.push(NullCause::Missing(bare)),
            },
            Kind::Query(query) => match &*query.sources {
                _ if let Some((owner, url)) = bare.extension() => {
                    out.push(NullCause::Extension(owner, url));
                }
                [source] if self.is_null(within(&source.expression)) => {
                    self.causes(within(&source.expression), out);
                }
                _ => out.push(NullCause::Undecided(bare)),
            },
            Kind::Op(_, operands, _)
            | Kind::Nary(_, operands, _)
            | Kind::Call(_, operands)
            | Kind::Dispatch(_, operands) => self.of_operands(within(bare.node), operands, out),
            Kind::InValueSet(code, _) if self.is_null(within(code)) => {
                self.causes(within(code), out);
            }
            _ => out.push(NullCause::Undecided(bare)),
        }
    }

    /// The operands that are null make it null; where none is, one that is an empty list.
    fn of_operands(&mut self, at: Place<'a>, operands: &'a [Node], out: &mut Vec<NullCause<'a>>) {
        let before = out.len();
        let all = || operands.iter().map(|node| Place { node, ..at });
        for operand in all() {
            if self.is_null(operand) {
                self.causes(operand, out);
            }
        }
        if out.len() > before {
            return;
        }
        for operand in all() {
            if self.is_empty(operand) {
                return out.push(self.nothing(operand));
            }
        }
        out.push(NullCause::Undecided(ExpressionView::new(
            self.compiled,
            at.node,
        )));
    }

    /// Why there is nothing in a list: what it is taken of.
    fn nothing(&mut self, at: Place<'a>) -> NullCause<'a> {
        let compiled = self.compiled;
        let view = |node: &'a Node| ExpressionView::new(compiled, node).unconverted();
        let mut here = Place {
            node: view(at.node).node,
            ..at
        };
        let mut name = None;
        for _ in 0..DEPTH {
            let next = match &here.node.kind {
                Kind::Def(index) => match self.body(*index, here.depth) {
                    Some(body) => {
                        // The author's name says more than what it is made of.
                        name = name.or(Some(body.name));
                        body
                    }
                    None => break,
                },
                Kind::Query(query) => {
                    if let Some((owner, url)) = view(here.node).extension() {
                        return NullCause::Extension(owner, url);
                    }
                    let [source] = &*query.sources else { break };
                    let source = Place {
                        node: &source.expression,
                        ..here
                    };
                    if !self.is_empty(source) {
                        // Something was there, and the query left it out.
                        name = name.or(Some(here.name));
                        break;
                    }
                    source
                }
                _ => break,
            };
            here = Place {
                node: view(next.node).node,
                ..next
            };
        }
        NullCause::Nothing(ExpressionView::new(compiled, here.node), name)
    }
}
