//! What decided a criterion, in words.

use engine_patient::system::truth::Truth;

use super::explain::Clause;

/// Most parts that are said.
const SAID: usize = 2;

/// The parts of a criterion that made it what it is: those of the same outcome, down to what names data,
/// with the values that they were compared on.
pub fn deciding(clause: &Clause) -> String {
    let mut found: Vec<&Clause> = vec![];
    gather(clause, &mut found);
    // A number says more than a count.
    found.sort_by_key(|clause| clause.clauses.iter().any(|part| !part.items.is_empty()));
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

fn in_words(clause: &Clause) -> String {
    let outcome = match clause.truth {
        Some(Truth::True) => "holds",
        Some(Truth::False) => "does not hold",
        _ => "cannot be told",
    };
    let values = clause.clauses.iter().filter_map(|part| {
        let value = part.value.as_ref()?;
        let last = part
            .items
            .first()
            .map(|item| format!(", the latest {item}"));
        Some(format!(
            "{} is {value}{}",
            part.text,
            last.unwrap_or_default()
        ))
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
            reason: None,
            value: value.map(str::to_owned),
            items: vec![],
            clauses: parts,
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
        let dead = clause("deceased(at)", Some(Truth::True), None, vec![]);
        let alive = clause("!deceased(at)", Some(Truth::False), None, vec![dead]);
        assert_eq!(deciding(&alive), "`deceased(at)` holds");
    }
}
