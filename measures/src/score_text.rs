//! Scores in words: what a score is, and what it could be if all that could not be told were known.

use crate::package::{Basis, GroupDefinition, Scoring, StratifierDefinition};
use crate::rate_bounds::Extent;
use crate::result::{Counts, Score};

/// A rate in percent; of other scores at most four digits after the point, and the unit.
pub fn score(definition: &GroupDefinition, counts: &Counts) -> String {
    let none = || match definition.scoring {
        Scoring::Cohort => String::new(),
        _ => "–".to_owned(),
    };
    let Some((score, unit)) = counts.measured(definition) else {
        return none();
    };
    let number = match score {
        Score::Fraction(..) if definition.scoring == Scoring::Proportion => percent(score.as_f64()),
        Score::Fraction(..) => format!("{:.4}", score.as_f64()),
        Score::Number(n) => n.round_dp(4).normalize().to_string(),
    };
    match unit {
        Some(unit) => format!("{number} {unit}"),
        None => number,
    }
}

fn percent(rate: f64) -> String {
    format!("{:.1} %", rate * 100.0)
}

/// What the score of a group, or of one of a stratifier's strata, could be: its bounds, or why there are
/// none. Empty where everybody could be told, and where there is no score.
pub fn could_be(
    definition: &GroupDefinition,
    counts: &Counts,
    by: Option<&StratifierDefinition>,
) -> String {
    let scored = definition.scoring != Scoring::Cohort && definition.is_scored(by);
    if counts.unknown == 0 || !scored {
        return String::new();
    }
    let Some(bounds) = &counts.bounds else {
        let why = match (definition.scoring, &definition.basis) {
            // Rows of resources within strata tell how many, not which.
            (Scoring::Proportion, Basis::Resource(name)) => format!("counts {name}"),
            (scoring, _) => scoring.as_str().to_owned(),
        };
        return format!("no bounds ({why})");
    };
    match bounds.extent() {
        // What could not be told does not bear on the score.
        None => match counts.score(definition) {
            Some(_) => score(definition, counts),
            None => "no score".to_owned(),
        },
        Some(Extent::Rates(low, high)) if high > low => {
            format!("{:.1}–{}", low * 100.0, percent(high))
        }
        Some(Extent::Rates(rate, _)) => percent(rate),
        Some(Extent::RateOrNone(rate)) => format!("{} or no score", percent(rate)),
        Some(Extent::NoRate) => "no score".to_owned(),
        Some(Extent::Open) => format!("no bounds (how many {} is unknown)", definition.unit()),
    }
}
