//! What decided a criterion, in words.

use engine_patient::system::truth::Truth;

use super::explain::{Clause, NONE};

/// Most parts that are said.
const SAID: usize = 2;

/// The parts of a criterion that made it what it is: those of the same outcome, down to what names data,
/// with the values that they were compared on.
pub fn deciding(clause: &Clause) -> String {
    let mut found: Vec<&Clause> = vec![];
    gather(clause, &mut found);
    // A number says more than a count.
    found.sort_by_key(|clause| clause.clauses.iter().any(counts));
    let mut said: Vec<String> = vec![];
    for clause in &found {
        let words = in_words(clause);
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let more = said.len().saturating_sub(SAID);
    said.truncate(SAID);
    let mut line = said.join("; ");
    if more > 0 {
        line.push_str(&format!("; and {more} more"));
    }
    line
}

/// The resource that the value is taken of which decided a criterion.
pub fn deciding_resource(clause: &Clause) -> Option<&str> {
    let mut found: Vec<&Clause> = vec![];
    gather(clause, &mut found);
    found
        .into_iter()
        .flat_map(|clause| &clause.clauses)
        .find_map(resource_of)
}

fn gather<'c>(clause: &'c Clause, found: &mut Vec<&'c Clause>) {
    let same = clause
        .clauses
        .iter()
        .filter(|part| part.truth == clause.truth);
    let before = found.len();
    same.for_each(|part| gather(part, found));
    if found.len() > before {
        return;
    }
    // `!x`
    if let ([only], true) = (&*clause.clauses, clause.text.starts_with('!'))
        && only.truth.is_some()
    {
        return gather(only, found);
    }
    found.push(clause);
}

/// Whether it is a list, or counted from one.
fn counts(part: &Clause) -> bool {
    let listed = |c: &Clause| !c.items.is_empty();
    listed(part) || part.clauses.iter().any(listed)
}

/// The resource that a value is taken of.
fn resource_of(part: &Clause) -> Option<&str> {
    part.clauses.iter().find_map(|below| {
        let of_type = |v: &&str| {
            v.split_once('/').is_some_and(|(ty, _)| {
                engine_patient::fhir::model::Model::r4()
                    .resource(ty)
                    .is_some()
            })
        };
        let value = below.value.as_deref();
        value.filter(of_type).or_else(|| resource_of(below))
    })
}

fn in_words(clause: &Clause) -> String {
    // A list or a value, and no question.
    if let (None, Some(value)) = (clause.truth, &clause.value) {
        let of = clause
            .items
            .first()
            .map(|item| format!(", the latest {item}"));
        return format!("`{}` is {value}{}", clause.text, of.unwrap_or_default());
    }
    let outcome = match clause.truth {
        Some(Truth::True) => "holds",
        Some(Truth::False) => "does not hold",
        _ => "cannot be told",
    };
    let values = clause.clauses.iter().filter_map(|part| {
        let value = part.value.as_ref()?;
        if value == NONE {
            return Some(format!("{} has {value}", part.text));
        }
        let last = part
            .items
            .first()
            .map(|item| format!(", the latest {item}"));
        {
            let of = resource_of(part).map(|resource| format!(" ({resource})"));
            let beside = last.or(of).unwrap_or_default();
            Some(format!("{} is {value}{beside}", part.text))
        }
    });
    let values: Vec<String> = values.collect();
    let reason = clause.reason.iter().cloned();
    let told: Vec<String> = values.into_iter().chain(reason).collect();
    match told.is_empty() {
        true => format!("`{}` {outcome}", clause.text),
        false => format!("`{}` {outcome}: {}", clause.text, told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(text: &str, truth: Option<Truth>, value: Option<&str>, parts: Vec<Clause>) -> Clause {
        Clause {
            text: text.into(),
            truth,
            value: value.map(str::to_owned),
            clauses: parts,
            ..Clause::default()
        }
    }

    #[test]
    fn the_part_that_decides_is_named_with_its_value() {
        let value = |text: &str, value: &str| clause(text, None, Some(value), vec![]);
        let adult = clause(
            "age >= 18",
            Some(Truth::True),
            None,
            vec![value("age", "80")],
        );
        let young = clause(
            "age <= 75",
            Some(Truth::False),
            None,
            vec![value("age", "80")],
        );
        let both = clause(
            "age >= 18 && age <= 75",
            Some(Truth::False),
            None,
            vec![adult, young],
        );
        assert_eq!(deciding(&both), "`age <= 75` does not hold: age is 80");
        assert_eq!(
            deciding(&value("selections(\"MedicationRequest\")", "1 item")),
            "`selections(\"MedicationRequest\")` is 1 item"
        );
        let dead = clause("deceased(at)", Some(Truth::True), None, vec![]);
        let alive = clause("!deceased(at)", Some(Truth::False), None, vec![dead]);
        assert_eq!(deciding(&alive), "`deceased(at)` holds");
    }
}
