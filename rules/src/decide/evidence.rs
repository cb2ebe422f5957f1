//! What a card rests on, below its detail: of each value set that the question asks for what is on record.

use engine_cel::{Evaluation, Evidence};
use engine_patient::system::zone::Zone;

use crate::plain_words;
use crate::program::Question;
use crate::rule::Rule;
use crate::text;

impl Rule {
    /// As Markdown; nothing where the question asks for no value set.
    pub(super) fn evidence<'r>(&'r self, evaluation: &Evaluation<'r>) -> String {
        let asked = match &self.program.expressions.question {
            Question::Gap(gap) => &gap.satisfied,
            Question::Alert(alert) => &alert.when,
        };
        let lines: Vec<String> = evaluation
            .evidence(asked)
            .iter()
            .map(|found| line(found, evaluation.zone()))
            .collect();
        match lines.is_empty() {
            true => String::new(),
            false => format!("\n\nOn record:\n\n{}", lines.join("\n")),
        }
    }
}

/// `- Colonoscopy: 2014-03-01`, `- HbA1c: 9.3 %, 2025-09-15, the latest of 3`
fn line(evidence: &Evidence, zone: &Zone) -> String {
    let set = &evidence.set;
    let title = set.title.as_deref().or(set.name.as_deref());
    let title = title.and_then(plain_words::code_title);
    let title = title.unwrap_or_else(|| {
        let many = plain_words::resources(evidence.resource_type.as_str());
        let mut letters = many.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    });
    let title = text::markdown(&title);
    let Some((latest, began)) = &evidence.latest else {
        return match &evidence.unknown {
            Some(reason) => format!("- {title}: could not be told, {}", text::reason(reason)),
            None => format!("- {title}: nothing"),
        };
    };
    let date = began.map_or("without a date".to_owned(), |began| text::day(began, zone));
    let mut said = vec![];
    said.extend(latest.value.as_deref().map(text::markdown));
    said.push(text::markdown(&date));
    said.extend(latest.negated.map(str::to_owned));
    if evidence.count > 1 {
        said.push(format!("the latest of {}", evidence.count));
    }
    // What is there may be less than there is.
    let rest = evidence.unknown.as_deref().map(text::reason);
    said.extend(rest.map(|reason| format!("and what else there is could not be told: {reason}")));
    format!("- {title}: {}", said.join(", "))
}
