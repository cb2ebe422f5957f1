//! Whether `indicator_from` gives a word for urgency, as far as the rows of the table say.

use engine_cel::Val;
use engine_patient::context::EvaluationContext;
use engine_patient::finding::Code;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;

use super::fields::Report;
use crate::program::{IndicatorOf, Question};
use crate::rule::Rule;
use crate::words::{Indicator, Word, words_of};
use crate::yaml::Node;

/// Refuses an expression that gives another text for a row, whoever the patient is.
pub(super) fn check(report: &mut Report<'_>, rule: &Rule, node: Option<&Node>) {
    let IndicatorOf::From(expression) = &rule.program.expressions.card.indicator else {
        return;
    };
    let Some((node, at)) = node.zip(DateTime::parse("2000-01-01T00:00:00Z")) else {
        return;
    };
    let (record, context) = (PatientRecord::new(), EvaluationContext::at(at));
    let evaluation = rule.evaluation(&record, &context);
    let table = match &rule.program.expressions.question {
        Question::Alert(alert) => alert.table.as_ref(),
        Question::Gap(_) => None,
    };
    let none: [Vec<Val<'static>>; 1] = [vec![]];
    let rows = table.map_or(none.as_slice(), |table| table.rows.as_slice());
    for (number, row) in rows.iter().enumerate() {
        evaluation.turn_to(Val::unknown("there is no item here"), row);
        let Ok(Val::Str(word)) = evaluation.evaluate(expression) else {
            continue;
        };
        if Indicator::of_word(&word).is_none() {
            let of = match table {
                Some(_) => format!(" for row {} of the table", number + 1),
                None => String::new(),
            };
            let message = format!("this gives `{word}`{of}, which is no indicator");
            let help = format!(
                "it must give one of `{}`",
                words_of::<Indicator>().join("`, `")
            );
            report.wrong::<()>(Code::WrongValue, message, node, &help);
            return;
        }
    }
}
