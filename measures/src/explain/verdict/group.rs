//! The verdict of a population, and of a group over its populations.

use engine_elm::Expression;
use engine_elm::value::Val;

use super::super::{Fact, Outcome, PopulationExplanation};
use super::{Cause, Scope, Status, Verdict, Verdicts, joined, within};
use crate::package::Scoring;

impl<'u> Verdicts<'_, 'u, '_> {
    /// What decided a criterion.
    pub fn of_criterion(&mut self, expression: Expression) -> Vec<Cause> {
        let Some(statement) = self.libraries.statement(expression) else {
            return vec![];
        };
        let name = Some(statement.name);
        let value = self.trace.value_of(expression);
        let outcome = value.map_or(Outcome::NotEvaluated, |value| {
            Outcome::of(engine_elm::trace::holds(&value))
        });
        let causes = match outcome {
            Outcome::True => self.why(statement.body, Scope::default()),
            Outcome::False if self.is_list(statement.body) => {
                self.empty(statement.body, Scope::default(), name)
            }
            Outcome::False => self.why_not(statement.body, Scope::default()),
            Outcome::Unknown if self.is_list(statement.body) => {
                self.empty(statement.body, Scope::default(), name)
            }
            Outcome::Unknown => self.unknown(statement.body, Scope::default()),
            Outcome::NotEvaluated => vec![],
        };
        within(causes, statement.name)
    }

    /// Of a criterion that gives resources, those that count are told: it may give others.
    pub fn by_members(
        &mut self,
        expression: Expression,
        members: &[Fact],
        causes: &mut Vec<Cause>,
    ) {
        let value = self.trace.value_of(expression);
        let (Some(statement), Some(Val::List(_)), false) = (
            self.libraries.statement(expression),
            value,
            members.is_empty(),
        ) else {
            return;
        };
        let body = statement.body.unconverted();
        let noun = match body.referred() {
            Some(named) => format!("\"{}\"", named.name),
            None => self.noun_of(body, members),
        };
        let told = self.listed_facts(body, &noun, members.to_vec(), members.len());
        *causes = within(vec![told], statement.name);
    }
}

/// The populations in words.
pub fn words(code: &str) -> &str {
    match code {
        "initial-population" => "initial population",
        "denominator" => "denominator",
        "denominator-exclusion" => "denominator exclusion",
        "denominator-exception" => "denominator exception",
        "numerator" => "numerator",
        "numerator-exclusion" => "numerator exclusion",
        "measure-population" => "measure population",
        "measure-population-exclusion" => "measure population exclusion",
        "measure-observation" => "measure observation",
        other => other,
    }
}

fn after(head: &str, told: &str) -> String {
    match told.is_empty() {
        true => head.to_owned(),
        false => format!("{head}: {told}"),
    }
}

/// What is missing, and what the criterion came to.
fn both(reason: &str, null: bool, told: &str) -> String {
    match (reason, told) {
        ("", told) => told.to_owned(),
        // Both say what is null; the verdict says it with what the patient has.
        (_, told) if null && !told.is_empty() => told.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, told) => format!("{reason}; {told}"),
    }
}

/// The verdict of a population. `null`: its reason only says which part of the criterion is null.
pub fn of_population(p: &PopulationExplanation, causes: Vec<Cause>, null: bool) -> Verdict {
    let told = joined(&causes);
    let reason = p.reason.as_deref().unwrap_or_default();
    let criterion = p.criterion.as_ref().map(|c| c.outcome);
    let (status, head, told) = match (p.count, p.outcome) {
        (None, _) => (
            Status::Unknown,
            "Could not be told",
            both(reason, null, &told),
        ),
        (Some(0), Outcome::Unknown) => (
            Status::Unknown,
            "Not counted, but not certain",
            both(reason, null, &told),
        ),
        (Some(0), _) if criterion == Some(Outcome::True) => (
            Status::Out,
            "Out",
            "its criterion holds, but what it depends on does not count".to_owned(),
        ),
        (Some(0), _) => (Status::Out, "Out", told),
        (Some(_), outcome) => {
            let (status, head) = match p.code {
                "denominator-exclusion"
                | "numerator-exclusion"
                | "measure-population-exclusion" => (Status::Excluded, "Excluded"),
                "denominator-exception" => (Status::Exception, "Exception"),
                _ => (Status::In, "In"),
            };
            match outcome {
                Outcome::Unknown => (status, head, format!("{told} (not certain: {reason})")),
                _ => (status, head, told),
            }
        }
    };
    Verdict {
        status,
        text: after(head, &told),
        because: causes,
        told,
    }
}

/// The verdict of a group: what its populations come to. `missing`: why episodes of the denominator are
/// not in the numerator, where others are.
pub fn of_group(populations: &[PopulationExplanation], missing: Vec<Cause>) -> Verdict {
    let find = |code: &str| populations.iter().find(|p| p.code == code);
    let counts = |code: &str| {
        let mut own = populations.iter().filter(|p| p.code == code);
        own.any(|p| p.count.is_some_and(|n| n > 0))
    };
    let unknown = populations.iter().find(|p| p.count.is_none());
    if let Some(p) = unknown {
        if let Some(head) = beside(p.code, find, &counts) {
            return with_head(Status::Unknown, p, |told| after(&head, told));
        }
        return with_head(Status::Unknown, p, |told| {
            after(
                &format!("{} could not be told", capital(words(p.code))),
                told,
            )
        });
    }
    let several = populations.iter().any(|p| p.count.is_some_and(|n| n > 1))
        || populations.iter().any(|p| !p.members.is_empty());
    // Where nobody is in, the population that is furthest from the start says why not.
    let base = ["initial-population", "denominator", "measure-population"];
    for code in base {
        let Some(p) = find(code) else { continue };
        if counts(code) {
            continue;
        }
        if p.outcome == Outcome::Unknown {
            return with_head(Status::Unknown, p, |told| {
                after(&format!("Not certain whether in the {}", words(code)), told)
            });
        }
        return with_head(Status::Out, p, |told| match code {
            "initial-population" => after("Out", told),
            _ => after(
                &format!("Out: in the initial population, not in the {}", words(code)),
                told,
            ),
        });
    }
    if several {
        return of_episodes(populations, missing);
    }
    let parts = [
        ("denominator-exclusion", Status::Excluded, "Excluded"),
        ("measure-population-exclusion", Status::Excluded, "Excluded"),
        (
            "numerator-exclusion",
            Status::Excluded,
            "Excluded from the numerator",
        ),
        ("numerator", Status::In, "In the numerator"),
        ("denominator-exception", Status::Exception, "Exception"),
    ];
    for (code, status, head) in parts {
        let found = populations
            .iter()
            .find(|p| p.code == code && p.count.is_some_and(|n| n > 0));
        if let Some(p) = found {
            return with_head(status, p, |told| after(head, told));
        }
    }
    if let Some(p) = find("numerator") {
        let uncertain = p.outcome == Outcome::Unknown;
        let status = if uncertain {
            Status::Unknown
        } else {
            Status::In
        };
        let head = match uncertain {
            true => "In the denominator, numerator not certain",
            false => "In the denominator, numerator not met",
        };
        return with_head(status, p, |told| after(head, told));
    }
    let last = find("measure-population").or_else(|| find("initial-population"));
    match last {
        Some(p) => with_head(Status::In, p, |told| {
            after(&format!("In the {}", words(p.code)), told)
        }),
        None => plain(Status::Unknown, "The group has no population".to_owned()),
    }
}

/// What counts all the same where a population could not be told that comes after the others: an
/// exclusion takes away from what counts, an exception from what does not.
fn beside<'p>(
    code: &str,
    find: impl Fn(&str) -> Option<&'p PopulationExplanation>,
    counts: &impl Fn(&str) -> bool,
) -> Option<String> {
    let what = match code {
        "denominator-exclusion" | "measure-population-exclusion" => "whether excluded",
        "numerator-exclusion" => "whether excluded from the numerator",
        "denominator-exception" => "whether an exception",
        _ => return None,
    };
    let base = match code {
        "measure-population-exclusion" => "measure-population",
        _ => "denominator",
    };
    let told = |code: &str| find(code).is_some_and(|p| p.count.is_some());
    let counted = match (counts("numerator"), counts(base)) {
        (true, _) => "In the numerator".to_owned(),
        (false, true) if told("numerator") => "In the denominator, numerator not met,".to_owned(),
        (false, true) => format!("In the {}", words(base)),
        (false, false) => return None,
    };
    Some(format!("{counted} as counted; {what} could not be told"))
}

/// Of several episodes each may come out in another way: the numbers say how many.
fn of_episodes(populations: &[PopulationExplanation], missing: Vec<Cause>) -> Verdict {
    let of = |code: &str| {
        let found = populations.iter().find(|p| p.code == code);
        found.map(|p| (p, p.count.unwrap_or(0)))
    };
    let numbers = numbers(populations);
    let excluded = ["denominator-exclusion", "measure-population-exclusion"];
    let excluded = excluded.into_iter().find_map(of);
    let base = of("denominator").or_else(|| of("measure-population"));
    if let (Some((p, n)), Some((_, all))) = (excluded, base)
        && n > 0
        && n >= all
    {
        return with_head(Status::Excluded, p, |told| {
            after(&format!("Excluded ({numbers})"), told)
        });
    }
    if let (Some((p, n)), Some((_, met))) = (of("numerator-exclusion"), of("numerator"))
        && n > 0
        && n >= met
    {
        return with_head(Status::Excluded, p, |told| {
            after(&format!("Excluded from the numerator ({numbers})"), told)
        });
    }
    // What the numerator could still have: one exception does not make all episodes exceptions.
    let count = |found: Option<(_, i64)>| found.map_or(0, |(_, n)| n);
    let left = count(base) - count(excluded);
    let open = left - count(of("denominator-exception"));
    match (of("numerator"), of("denominator-exception")) {
        (Some((_, 0)), Some((p, n))) if n > 0 && n >= left => {
            with_head(Status::Exception, p, |told| {
                after(&format!("Exception ({numbers})"), told)
            })
        }
        (Some((p, 0)), _) if p.outcome == Outcome::Unknown => {
            let head = format!("In the denominator, numerator not certain ({numbers})");
            with_head(Status::Unknown, p, |told| after(&head, told))
        }
        (Some((p, 0)), _) if missing.is_empty() || open == count(base) => {
            let head = format!("In the denominator, numerator not met ({numbers})");
            with_head(Status::In, p, |told| after(&head, told))
        }
        (Some((_, 0)), _) => {
            let head = format!("In the denominator, numerator not met ({numbers})");
            let told = joined(&missing);
            Verdict {
                status: Status::In,
                text: after(&head, &told),
                because: missing,
                told,
            }
        }
        (Some((p, met)), _) if met >= open => with_head(Status::In, p, |told| {
            after(&format!("In the numerator ({numbers})"), told)
        }),
        (Some(_), _) => Verdict {
            status: Status::In,
            text: after(
                &format!("In the numerator in part ({numbers})"),
                &joined(&missing),
            ),
            told: joined(&missing),
            because: missing,
        },
        (None, _) => {
            let last = of("measure-population").or_else(|| of("initial-population"));
            match last {
                Some((p, _)) => with_head(Status::In, p, |told| {
                    after(&format!("In the {} ({numbers})", words(p.code)), told)
                }),
                None => plain(Status::In, format!("In ({numbers})")),
            }
        }
    }
}

fn plain(status: Status, text: String) -> Verdict {
    Verdict {
        status,
        text,
        ..Verdict::default()
    }
}

/// `initial population 3, denominator 2, numerator 1`
fn numbers(populations: &[PopulationExplanation]) -> String {
    let all = populations
        .iter()
        .filter(|p| p.code != "measure-observation");
    let told = all
        .filter(|p| p.count != Some(0))
        .map(|p| format!("{} {}", words(p.code), p.count.unwrap_or(0)));
    told.collect::<Vec<_>>().join(", ")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn with_head(
    status: Status,
    p: &PopulationExplanation,
    head: impl FnOnce(&str) -> String,
) -> Verdict {
    Verdict {
        status,
        text: head(&p.verdict.told),
        because: p.verdict.because.clone(),
        told: p.verdict.told.clone(),
    }
}

/// Says of each population whose own criterion holds and that does not count what keeps it from that: one
/// that it depends on does not count, or leaves the patient out.
pub fn dependent(populations: &mut [PopulationExplanation], scoring: Scoring) {
    let all: Vec<(&'static str, Option<i64>)> =
        populations.iter().map(|p| (p.code, p.count)).collect();
    for p in populations {
        let holds = p.criterion.as_ref().map(|c| c.outcome) == Some(Outcome::True);
        if p.count != Some(0) || p.verdict.status != Status::Out || !holds {
            continue;
        }
        if let Some(why) = held_back(p.code, scoring, &all) {
            p.held_back = Some(why);
            p.verdict.told = format!("{why}; its own criterion holds");
            p.verdict.text = format!("Out: {}", p.verdict.told);
        }
    }
}

/// The first of those it depends on that keeps it from counting.
fn held_back(
    code: &str,
    scoring: Scoring,
    all: &[(&'static str, Option<i64>)],
) -> Option<&'static str> {
    let any = |code: &str| {
        let mut own = all.iter().filter(|(c, _)| *c == code);
        own.any(|(_, count)| count.is_some_and(|n| n > 0))
    };
    let ratio = scoring == Scoring::Ratio;
    let side = matches!(code, "numerator" | "numerator-exclusion") && ratio;
    if code != "initial-population" && !any("initial-population") {
        return Some("not in the initial population");
    }
    let of_denominator = match code {
        "numerator" | "numerator-exclusion" => !ratio,
        "denominator-exclusion" | "denominator-exception" => true,
        _ => false,
    };
    if of_denominator && !any("denominator") {
        return Some("not in the denominator");
    }
    let excludable = matches!(
        code,
        "numerator" | "numerator-exclusion" | "denominator-exception"
    );
    if excludable && !side && any("denominator-exclusion") {
        return Some("excluded");
    }
    match code {
        "numerator-exclusion" if !any("numerator") => Some("not in the numerator"),
        "denominator-exception" if any("numerator") => Some("in the numerator"),
        "measure-population-exclusion" if !any("measure-population") => {
            Some("not in the measure population")
        }
        _ => None,
    }
}
