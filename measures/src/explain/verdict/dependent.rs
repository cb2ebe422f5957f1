//! Why a population does not count although its own criterion holds: one that it depends on does not
//! count, or leaves the patient out.

use super::super::{Outcome, PopulationExplanation};
use super::Status;
use crate::package::Scoring;

/// Says so in the verdict of each such population.
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
