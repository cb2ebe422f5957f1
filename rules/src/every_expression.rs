//! All expressions that stand in a rule's file.

use engine_cel::Compiled;

use crate::program::Fragment;
use crate::rule::Rule;

/// An expression, and what it is part of.
pub(crate) struct Expression<'r> {
    /// The field at the top of the file: `eligible`, `define`, `card`.
    pub top: &'static str,
    /// For people: `eligible`, `define.year_ago`, `card.summary`.
    pub field: String,
    pub compiled: &'r Compiled,
    /// Whether it decides anything: what is only shown is not compared by cases.
    pub decides: bool,
}

impl Rule {
    /// All expressions, definitions first.
    pub(crate) fn every_expression(&self) -> Vec<Expression<'_>> {
        let expressions = &self.program.expressions;
        let mut all = vec![];
        let mut add = |top, field: String, compiled, decides| {
            all.push(Expression {
                top,
                field,
                compiled,
                decides,
            });
        };
        let names = self.program.sources.defines.iter().map(|(name, _)| name);
        for (name, compiled) in names.zip(&expressions.defines) {
            add("define", format!("define.{name}"), compiled, false);
        }
        for (name, compiled) in [
            ("eligible", Some(&expressions.eligible)),
            ("excluded", Some(&expressions.excluded)),
            ("satisfied", Some(&expressions.satisfied)),
            ("due", expressions.due.as_ref()),
        ] {
            if let Some(compiled) = compiled {
                add(name, name.to_owned(), compiled, true);
            }
        }
        for (field, fragments) in [
            ("card.summary", &expressions.summary),
            ("card.detail", &expressions.detail),
        ] {
            for fragment in fragments {
                if let Fragment::Value(compiled) = fragment {
                    add("card", field.to_owned(), compiled, false);
                }
            }
        }
        self.mark_definitions(&mut all);
        all
    }

    /// Definitions decide where what decides names them, perhaps through others.
    fn mark_definitions(&self, all: &mut [Expression<'_>]) {
        let defines = &self.program.expressions.defines;
        let deciding = all.iter().filter(|e| e.decides);
        let mut stack: Vec<usize> = deciding.flat_map(|e| e.compiled.definitions()).collect();
        let mut named = vec![false; defines.len()];
        while let Some(index) = stack.pop() {
            let (Some(known), Some(definition)) = (named.get_mut(index), defines.get(index)) else {
                continue;
            };
            if !std::mem::replace(known, true) {
                stack.extend(definition.definitions());
            }
        }
        // Definitions come first, in their order.
        for (expression, named) in all.iter_mut().zip(named) {
            expression.decides = named;
        }
    }
}
