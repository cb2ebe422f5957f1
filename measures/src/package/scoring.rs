//! Which populations a scoring needs, allows and forbids.
//!
//! Quality Measure IG (STU 5), "Measure Populations Based on Types of Measure Scoring". Where that table
//! does not permit a population that would change the score if it were counted, the group is refused:
//! a number that the author did not mean is worse than none.

use super::definition::{PopulationCode, PopulationDefinition, Scoring};
use super::element::Report;
use engine_patient::finding::{Code, Finding};

/// The place of a population in a scoring.
enum Role {
    Required,
    Optional,
    /// It is counted, the score does not depend on it.
    Inert,
    Forbidden,
}

fn role(scoring: Scoring, code: PopulationCode) -> Role {
    use PopulationCode as P;
    use Scoring as S;
    match (scoring, code) {
        (_, P::InitialPopulation)
        | (S::Proportion | S::Ratio, P::Numerator | P::Denominator)
        | (S::ContinuousVariable, P::MeasurePopulation | P::MeasureObservation) => Role::Required,
        (S::Proportion | S::Ratio, P::NumeratorExclusion | P::DenominatorExclusion)
        | (S::Proportion, P::DenominatorException)
        | (S::Ratio, P::MeasureObservation)
        | (S::ContinuousVariable, P::MeasurePopulationExclusion) => Role::Optional,
        (S::Cohort, _) | (S::Proportion, P::MeasureObservation) => Role::Inert,
        _ => Role::Forbidden,
    }
}

/// Tells what is missing, too much or out of place.
pub(super) fn check(
    report: &mut Report,
    path: &str,
    scoring: Scoring,
    populations: &[PopulationDefinition],
) {
    let name = scoring.as_str();
    for code in PopulationCode::ALL {
        let these: Vec<_> = populations.iter().filter(|p| p.code == code).collect();
        let word = code.as_str();
        match (role(scoring, code), these.as_slice()) {
            (Role::Required, []) => {
                let message = format!("`{name}` scoring without `{word}`");
                let help = format!("add a population with the code `{word}`");
                report.add(
                    path,
                    Finding::error(Code::PopulationMissing, message).help(help),
                );
            }
            (Role::Forbidden, [first, ..]) => {
                let message = format!("`{name}` scoring has no place for `{word}`");
                let help = "remove the population, or correct its code or the scoring";
                report.add(
                    &first.path,
                    Finding::error(Code::PopulationNoPlace, message).help(help),
                );
            }
            (Role::Inert, [first, ..]) => {
                let message =
                    format!("`{word}` has no part in `{name}` scoring: it is counted, not scored");
                let help = "remove the population, or correct its code or the scoring";
                report.add(
                    &first.path,
                    Finding::warning(Code::PopulationNoPlace, message).help(help),
                );
            }
            (_, [_, second, ..]) => repeated(report, scoring, code, &these, second),
            _ => {}
        }
    }
}

/// Several populations of one code: told unless the scoring allows it.
fn repeated(
    report: &mut Report,
    scoring: Scoring,
    code: PopulationCode,
    these: &[&PopulationDefinition],
    second: &PopulationDefinition,
) {
    use PopulationCode as P;
    let word = code.as_str();
    let count = these.len();
    if scoring == Scoring::Ratio && code == P::InitialPopulation && count == 2 {
        // Which is whose is checked where the references are resolved.
        return;
    }
    if code == P::MeasureObservation {
        let same =
            |a: &&PopulationDefinition| a.reference.is_some() && a.reference == second.reference;
        match scoring {
            Scoring::Ratio if count == 2 && these.iter().filter(|p| same(p)).count() < 2 => {}
            Scoring::Ratio => {
                let message = "more than one `measure-observation` over the same population";
                let help = "a ratio observes the numerator once and the denominator once";
                report.add(
                    &second.path,
                    Finding::error(Code::PopulationRepeated, message).help(help),
                );
            }
            _ => {
                let message = format!("{count} `{word}`s in one group are not supported");
                let help = "give each observation a group of its own";
                let issue = Finding::error(Code::PopulationRepeated, message)
                    .not_supported()
                    .help(help);
                report.add(&second.path, issue);
            }
        }
        return;
    }
    let message = format!("{count} populations with the code `{word}` in one group");
    let help = match (scoring, code) {
        (Scoring::Ratio, P::InitialPopulation) => {
            "a ratio has at most two: of the numerator and of the denominator"
        }
        _ => "keep one, or give the others a group of their own",
    };
    report.add(
        &second.path,
        Finding::error(Code::PopulationRepeated, message).help(help),
    );
}
