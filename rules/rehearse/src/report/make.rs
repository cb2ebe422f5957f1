//! From counts to a report.

use std::collections::{BTreeMap, BTreeSet};

use engine_patient::program::PatientProgram;
use engine_population::evaluate::EvaluateStatistics;

use super::{
    Counted, Difference, HookCalls, LISTED, Named, Report, RuleReport, SampleCard, SampleReport,
    Together,
};
use crate::asked::Asked;
use crate::program::Candidate;
use crate::samples::Sample;
use crate::tally::{Count, DifferenceTally, RuleTally, Tally};

/// The report of a rehearsal.
pub(crate) fn of(
    asked: &Asked<'_>,
    tally: &Tally,
    statistics: &EvaluateStatistics,
    samples: &[Sample],
    span: Option<(String, String)>,
) -> Report {
    let settings = &asked.settings;
    let moment = |millis| settings.zone.moment(millis).to_string();
    let days = settings.days();
    let hooks = tally.hooks.iter();
    let hooks = hooks.map(|(hook, (calls, patients))| HookCalls {
        hook: hook.clone(),
        calls: *calls,
        patients: *patients,
        per_day: ratio(*calls, days, 1),
    });
    let id = |number: usize| {
        let candidate = asked.candidates.get(number);
        candidate.map_or_else(String::new, |c| c.rule.artifact.id.to_string())
    };
    let mut rules: Vec<RuleReport> = vec![];
    for (number, (candidate, counts)) in asked.candidates.iter().zip(&tally.rules).enumerate() {
        let own = samples.iter().filter(|s| s.rule == number);
        let own = own.map(sample).collect();
        rules.push(rule(asked, candidate, counts, statistics.patients, own));
    }
    rules.sort_by(|a, b| (b.cards, &a.id).cmp(&(a.cards, &b.id)));
    let mut together: Vec<Together> = tally
        .together
        .iter()
        .map(|((first, second), calls)| Together {
            first: id(*first),
            second: id(*second),
            calls: *calls,
        })
        .collect();
    together.sort_by(|a, b| (b.calls, &a.first, &a.second).cmp(&(a.calls, &b.first, &b.second)));
    together.truncate(LISTED);
    Report {
        period: (moment(settings.period.0), moment(settings.period.1)),
        days,
        time_zone: settings.zone.to_string(),
        snapshot: asked.lake.snapshot.number,
        seed: asked.seed,
        repeat_days: asked.repeat_days,
        assumed_days: settings.assumed_days,
        patients: statistics.patients,
        patients_called: tally.patients_called,
        span,
        unmatched: unmatched(asked, statistics),
        failed: tally.failed,
        hooks: hooks.collect(),
        months: tally.months.iter().map(named).collect(),
        rules,
        together,
        clinicians: most(&tally.clinicians),
        clinicians_count: tally.clinicians.keys().filter(|n| !n.is_empty()).count() as u64,
        sites: most(&tally.sites),
        sites_count: tally.sites.keys().filter(|n| !n.is_empty()).count() as u64,
        dating: tally.dating,
        differences: tally
            .difference
            .iter()
            .filter_map(|d| difference(asked, d))
            .collect(),
    }
}

/// Of what the rules themselves ask for: a rehearsal reads more, which a lake need not have.
fn unmatched(asked: &Asked<'_>, statistics: &EvaluateStatistics) -> Vec<String> {
    let all = asked.all();
    let own = all.iter().flat_map(|c| c.rule.data_requirements());
    let own: BTreeSet<String> = own.map(ToString::to_string).collect();
    let mut unmatched = statistics.unmatched();
    unmatched.retain(|requirement| own.contains(requirement));
    unmatched
}

fn rule(
    asked: &Asked<'_>,
    candidate: &Candidate,
    counts: &RuleTally,
    patients: u64,
    samples: Vec<SampleReport>,
) -> RuleReport {
    let artifact = &candidate.rule.artifact;
    RuleReport {
        id: artifact.id.to_string(),
        version: artifact.version.to_string(),
        title: artifact.title.to_string(),
        kind: candidate.rule.kind.as_str(),
        status: candidate.rule.status.as_str(),
        hooks: candidate.hooks.iter().map(|h| h.as_str()).collect(),
        calls: counts.calls,
        fired: counts.fired,
        with_card: counts.with_card,
        cards: counts.cards,
        per_100_calls: ratio(counts.with_card, counts.calls, 100),
        per_day: ratio(counts.with_card, asked.settings.days(), 1),
        patients: counts.patients,
        per_1000_patients: ratio(counts.with_card, patients, 1000),
        acted_on: counts.acted_on,
        unknown: counts.unknown,
        unknown_with_card: counts.unknown_with_card,
        failed: counts.failed,
        reasons: counted(&counts.reasons),
        indicators: counted(&counts.indicators),
        repeats: counts.repeats,
        cooldown_days: asked.cooldown_of(&candidate.rule),
        cards_with_cooldown: counts.kept,
        months: in_order(&counts.months),
        clinicians: counted(&counts.clinicians),
        sites: counted(&counts.sites),
        samples,
    }
}

fn sample(sample: &Sample) -> SampleReport {
    let details = sample.explained.details.iter();
    let cards = sample.cards.iter().zip(details);
    let cards = cards.map(|((indicator, summary), detail)| SampleCard {
        indicator: indicator.clone(),
        summary: summary.clone(),
        detail: detail.clone(),
    });
    SampleReport {
        patient: sample.patient.clone(),
        at: sample.call.moment.clone(),
        hook: sample.call.hook.clone(),
        encounter: sample.call.encounter.clone(),
        drafts: sample.call.drafts,
        cards: cards.collect(),
        why: sample.explained.why.clone(),
    }
}

fn difference(asked: &Asked<'_>, counts: &DifferenceTally) -> Option<Difference> {
    let (this, other) = counts.pair;
    let this = &asked.candidates.get(this)?.rule;
    let place = other.checked_sub(asked.candidates.len())?;
    let other = &asked.against.get(place)?.1.rule;
    Some(Difference {
        rule: this.artifact.id.to_string(),
        version: this.artifact.version.to_string(),
        against: other.artifact.id.to_string(),
        against_version: other.artifact.version.to_string(),
        against_file: other.file.clone(),
        both: counts.both,
        other_cards: counts.other_cards,
        only_this: counts.only_this,
        only_other: counts.only_other,
        other_unknown: counts.other_unknown,
        patients_only_this: counts.patients_only_this.clone(),
        patients_only_other: counts.patients_only_other.clone(),
    })
}

/// Of so many, times a factor, to two decimals; 0 of nothing.
pub(super) fn ratio(part: u64, whole: u64, factor: u64) -> f64 {
    let hundredths = |part: u64| u128::from(part) * u128::from(factor) * 100;
    let Some(rounded) = (hundredths(part) + u128::from(whole) / 2).checked_div(u128::from(whole))
    else {
        return 0.0;
    };
    #[expect(clippy::cast_precision_loss, reason = "for people, two decimals")]
    let shown = rounded as f64;
    shown / 100.0
}

fn named((name, count): (&String, &Count)) -> Named {
    Named {
        name: name.clone(),
        calls: count.calls,
        interrupted: count.interrupted,
        cards: count.cards,
        per_100_calls: ratio(count.cards, count.calls, 100),
    }
}

/// Those with the most cards.
fn most(counts: &BTreeMap<String, Count>) -> Vec<Named> {
    let mut all: Vec<Named> = counts.iter().map(named).collect();
    all.sort_by(|a, b| (b.cards, b.calls, &a.name).cmp(&(a.cards, a.calls, &b.name)));
    all.truncate(LISTED);
    all
}

fn in_order(counts: &BTreeMap<String, u64>) -> Vec<Counted> {
    let all = counts.iter().map(|(name, count)| Counted {
        name: name.clone(),
        count: *count,
    });
    all.collect()
}

/// The most frequent.
fn counted(counts: &BTreeMap<String, u64>) -> Vec<Counted> {
    let mut all = in_order(counts);
    all.sort_by(|a, b| (b.count, &a.name).cmp(&(a.count, &b.name)));
    all.truncate(LISTED);
    all
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn ratios_are_rounded_to_two_decimals() {
        for (part, whole, factor, expected) in [
            (1, 3, 100, 33.33),
            (2, 3, 100, 66.67),
            (1, 8, 1, 0.13),
            (0, 5, 100, 0.0),
            (5, 0, 100, 0.0),
        ] {
            assert_eq!(ratio(part, whole, factor), expected, "{part}/{whole}");
        }
    }
}
