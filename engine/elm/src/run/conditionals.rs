//! §15 Conditional operators, and `Coalesce` of §14: what is chosen by what holds.

use crate::context::cx::Out;
use crate::operators::equality::equal;
use crate::run::eval::Evaluator;
use crate::tree::node::Node;
use crate::values::value::Val;

impl<'a> Evaluator<'a> {
    pub(super) fn case(
        &mut self,
        comparand: Option<&'a Node>,
        items: &'a [(Node, Node)],
        otherwise: &'a Node,
    ) -> Out<'a> {
        let comparand = match comparand {
            Some(node) => Some(self.eval(node)?),
            None => None,
        };
        for (when, then) in items {
            let when = self.eval(when)?;
            let holds = match comparand {
                Some(comparand) => {
                    let told = equal(&self.cx, comparand, when)?;
                    if told.is_none() {
                        self.undecided(&[comparand, when]);
                    }
                    told == Some(true)
                }
                None => when.truth() == Some(true),
            };
            if holds {
                return self.eval(then);
            }
        }
        self.eval(otherwise)
    }

    pub(super) fn coalesce(&mut self, items: &'a [Node]) -> Out<'a> {
        if let [only] = items {
            // One operand is a list to choose from (CQL 1.5 §14, "Coalesce"): null where all in it are.
            return Ok(match self.eval(only)? {
                Val::List(items) => items
                    .iter()
                    .find(|i| !i.is_null())
                    .copied()
                    .unwrap_or(Val::Null),
                other => other,
            });
        }
        for item in items {
            let value = self.eval(item)?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        // All operands are null.
        Ok(Val::Null)
    }
}
