//! Calls of functions, and the choice of overloads by run-time types.

use crate::context::cx::{Fault, Out};
use crate::context::doubt::Doubt;
use crate::operators::type_test::accepts;
use crate::run::eval::Evaluator;
use crate::tree::unit::FunctionHandle;
use crate::values::value::Val;

const NO_FUNCTION: &str = "a function that is not there";

impl<'a> Evaluator<'a> {
    /// The value of a function for these operands.
    pub fn apply(&mut self, function: FunctionHandle, operands: &[Val<'a>]) -> Out<'a> {
        self.call(function.0, operands, &[])
    }

    /// `marks` may be fewer than the operands: the others are not in doubt.
    pub(super) fn call(&mut self, function: u32, args: &[Val<'a>], marks: &[Doubt]) -> Out<'a> {
        let unit = self.unit;
        let Some(function) = unit.functions.get(function as usize) else {
            return Err(Fault::bug(NO_FUNCTION));
        };
        if args.len() != function.operands.len() {
            return Err(Fault::bug(
                "a function is called with another number of operands",
            ));
        }
        let marks = marks.iter().copied().chain(std::iter::repeat(Doubt::NONE));
        self.framed(function.frame, |e| {
            for ((slot, value), mark) in (0..).zip(args).zip(marks) {
                e.set_doubtful(slot, *value, mark)?;
            }
            e.eval(&function.node)
        })
    }

    /// The overload whose operands fit best: all of the very type, else all of a base type.
    pub(super) fn dispatch(
        &mut self,
        candidates: &'a [u32],
        args: &[Val<'a>],
        marks: &[Doubt],
    ) -> Out<'a> {
        let unit = self.unit;
        let mut fits = None;
        let mut best = 0;
        for candidate in candidates {
            let Some(function) = unit.functions.get(*candidate as usize) else {
                return Err(Fault::bug(NO_FUNCTION));
            };
            let Some(score) = accepts(&self.cx, args, &function.operands)? else {
                continue;
            };
            if fits.is_none() || score > best {
                (fits, best) = (Some(*candidate), score);
            }
        }
        match fits {
            Some(function) => self.call(function, args, marks),
            // Null fits every overload, and which one is meant makes no difference.
            None if args.iter().all(Val::is_null) => {
                marks.iter().for_each(|mark| self.cx.add_doubt(*mark));
                Ok(Val::Null)
            }
            None => {
                let name = candidates
                    .first()
                    .and_then(|c| unit.functions.get(*c as usize))
                    .map_or("", |f| &f.name);
                let given: Vec<&str> = args.iter().map(Val::type_name).collect();
                Err(Fault::Raised(format!(
                    "the function `{name}` has no overload for ({})",
                    given.join(", ")
                )))
            }
        }
    }
}
