//! A rule read out for a reader who knows no CEL.

use engine_cel::explain::show;
use engine_cel::{Reading, Val, Words};

use crate::program::Question;
use crate::rule::Rule;

/// What a rule asks, in words.
#[derive(Debug)]
pub struct ReadOut {
    /// What there is a card for each of.
    pub for_each: Option<Words>,
    /// The questions by their fields, in the order of a page.
    pub questions: Vec<(&'static str, Words)>,
    /// The definitions that it has or uses of its library, in their order.
    pub definitions: Vec<(String, Words)>,
    /// The columns of a family's table.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl Rule {
    /// What it asks, in words; `item` is what the item of `for_each` is called.
    pub fn read_out(&self, item: Option<&str>) -> ReadOut {
        let expressions = &self.program.expressions;
        let table = match &expressions.question {
            Question::Alert(alert) => alert.table.as_ref(),
            Question::Gap(_) => None,
        };
        let columns = table.map(|table| table.columns.iter().map(|c| c.name.clone()).collect());
        let columns: Vec<String> = columns.unwrap_or_default();
        let reading = Reading {
            requirements: &self.requirements,
            value_sets: &self.program.sets,
            defines: &self.program.define_names,
            item,
            columns: &columns,
        };
        let mut questions = vec![];
        let mut for_each = None;
        match &expressions.question {
            Question::Gap(gap) => {
                questions.push(("eligible", gap.eligible.in_words(&reading)));
                questions.push(("excluded", gap.excluded.in_words(&reading)));
                questions.push(("satisfied", gap.satisfied.in_words(&reading)));
                let due = gap.due.as_ref().map(|due| due.in_words(&reading));
                questions.extend(due.map(|due| ("due", due)));
            }
            Question::Alert(alert) => {
                for_each = alert.items.as_ref().map(|items| items.in_words(&reading));
                questions.push(("when", alert.when.in_words(&reading)));
                for (field, compiled) in [
                    ("acted_on", &alert.acted_on),
                    ("one_card_per", &alert.one_card_per),
                ] {
                    let words = compiled.as_ref().map(|c| c.in_words(&reading));
                    questions.extend(words.map(|words| (field, words)));
                }
            }
        }
        let definitions = self.program.define_names.iter().zip(&expressions.defines);
        let definitions =
            definitions.map(|(name, compiled)| (name.clone(), compiled.in_words(&reading)));
        let definitions = definitions.collect();
        let cell = |cell: &Val<'_>| match cell {
            Val::Unknown(_) => String::new(),
            other => show(other),
        };
        let rows = table.map(|table| table.rows.as_slice()).unwrap_or_default();
        let rows = rows.iter().map(|row| row.iter().map(cell).collect());
        ReadOut {
            for_each,
            questions,
            definitions,
            rows: rows.collect(),
            columns,
        }
    }
}
