//! All expressions that stand in a rule's file.

use std::collections::HashMap;

use engine_cel::Compiled;

use crate::program::Question;
use crate::rule::Rule;

/// An expression, and what it is part of.
pub(crate) struct Expression<'r> {
    /// Where it stands: `eligible`, `define.year_ago`, `card.summary`.
    pub field: String,
    /// Which it is of those with the same text in this field.
    pub number: usize,
    pub compiled: &'r Compiled,
    /// Whether it decides anything: what is only shown is not compared by cases.
    pub decides: bool,
}

impl Rule {
    /// All expressions, definitions first.
    pub(crate) fn every_expression(&self) -> Vec<Expression<'_>> {
        let expressions = &self.program.expressions;
        let mut all = vec![];
        let mut add = |field: String, compiled, decides| {
            all.push(Expression {
                field,
                number: 0,
                compiled,
                decides,
            });
        };
        let names = self.program.define_names.iter();
        for (name, compiled) in names.zip(&expressions.defines) {
            add(format!("define.{name}"), compiled, false);
        }
        let criteria = match &expressions.question {
            Question::Gap(gap) => vec![
                ("eligible", Some(&gap.eligible)),
                ("excluded", Some(&gap.excluded)),
                ("satisfied", Some(&gap.satisfied)),
                ("due", gap.due.as_ref()),
            ],
            Question::Alert(alert) => vec![
                ("for_each", alert.items.as_ref()),
                ("when", Some(&alert.when)),
                ("acted_on", alert.acted_on.as_ref()),
                ("one_card_per", alert.one_card_per.as_ref()),
            ],
        };
        for (name, compiled) in criteria {
            if let Some(compiled) = compiled {
                add(name.to_owned(), compiled, true);
            }
        }
        for (field, compiled) in expressions.card.expressions() {
            // Urgency is compared by cases; what is only shown is not.
            let decides = field == "card.indicator_from";
            add(field.to_owned(), compiled, decides);
        }
        self.mark_definitions(&mut all);
        let mut before: HashMap<(String, &str), usize> = HashMap::new();
        for expression in &mut all {
            let text = expression.compiled.source.as_ref();
            let next = before.entry((expression.field.clone(), text)).or_default();
            expression.number = *next;
            *next += 1;
        }
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
