//! The answer of a rule in a sentence.

use engine_cel::explain::NONE;
use engine_cel::{Clause, deciding, deciding_resource};
use engine_patient::system::truth::Truth;

use crate::outcome::{Applicability, Decision};

/// The answer on one line: what the card says, or what decided.
#[must_use]
pub fn verdict(decision: &Decision, explained: &[(&'static str, Clause)]) -> String {
    let find = |wanted: &str| explained.iter().find(|(name, _)| *name == wanted);
    let of = |wanted: &str| find(wanted).map_or_else(String::new, |(_, clause)| deciding(clause));
    match decision.applicability {
        Applicability::Applies => match decision.card() {
            Some(card) => {
                let of = find("satisfied").and_then(|(_, clause)| deciding_resource(clause));
                let of = of.map_or_else(String::new, |of| format!(" ({of})"));
                format!("Applies: {}{of}", card.summary)
            }
            None => format!("Applies: {}", of("satisfied")),
        },
        Applicability::Unknown => {
            let reason = decision.unknown_reason.as_deref().unwrap_or("");
            format!("Could not be checked: {reason}")
        }
        Applicability::DoesNotApply => {
            let outcomes = [
                (Truth::False, "eligible", "not eligible"),
                (Truth::True, "excluded", "excluded"),
                (Truth::True, "satisfied", "what it recommends is done"),
                (Truth::False, "when", "nothing is wrong"),
            ];
            let decided = outcomes.into_iter().find(|(wanted, name, _)| {
                decision.criterion(name).is_some_and(|o| o.truth == *wanted)
            });
            match decided {
                // Without items there is nothing of which it could hold.
                Some((_, "when", _)) if find("for_each").is_some() && find("when").is_none() => {
                    silent(decision, explained)
                }
                Some((_, name, words)) => format!("Does not apply: {words}: {}", of(name)),
                None => silent(decision, explained),
            }
        }
    }
}

/// Why an alert is silent.
fn silent(decision: &Decision, explained: &[(&'static str, Clause)]) -> String {
    let find = |wanted: &str| explained.iter().find(|(name, _)| *name == wanted);
    match (find("for_each"), find("when"), find("acted_on")) {
        (Some((_, items)), None, _) => format!("Does not apply: {} has {NONE}", items.text),
        (_, _, Some((_, clause))) if decision.acted_on > 0 => {
            format!(
                "Does not apply: somebody acted on it already: {}",
                deciding(clause)
            )
        }
        (_, Some((_, clause)), _) => format!("Does not apply: {}", deciding(clause)),
        _ => "Does not apply".to_owned(),
    }
}
