//! Official measures as CDS Hooks services: the gap that a measure leaves open, as a card.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::program::{EvaluationError, PatientProgram};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;
use measures::error::MeasureError;
use measures::gaps::{GapRow, GapStatus};
use measures::official::{ElmMeasures, Limits};
use measures::package::{
    Basis, GroupDefinition, ImprovementNotation, MeasureDefinition, PopulationCode, Scoring,
};
use measures::prepared::Packages;
use measures::structure::{MeasureStructure, plain_name};

use crate::hash;
use crate::service::{CardContent, CardService, Outcome, RuleName};
use crate::wire::{Indicator, OfMeasure, Source};

/// One measure of a program.
struct MeasureCard {
    program: Arc<ElmMeasures>,
    measure: usize,
    structure: Arc<MeasureStructure>,
    id: String,
    title: String,
    description: String,
    publisher: String,
    requirements: Vec<DataRequirement>,
}

/// A service for each measure of packages whose groups are proportions of patients, and of which it is
/// settled which way is better; `tell` is told of others, and what is wrong with the packages. `taken`:
/// ids of other services.
///
/// # Errors
/// Where no measure of the packages can be run, or one cannot and they are to be strict.
pub fn measure_services(
    packages: &Packages,
    taken: &[String],
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Arc<dyn CardService>>, MeasureError> {
    let prepared = packages.prepare(Limits::CALL, tell)?;
    for label in prepared.left_out() {
        tell(&format!(
            "{label}: no card, since it has errors (see above)"
        ));
    }
    let Some(program) = &prepared.built.program else {
        return Ok(vec![]);
    };
    let of = |structure: &MeasureStructure| {
        let same = |m: &&MeasureDefinition| {
            let url = m.url.as_deref().unwrap_or_default();
            let version = m.version.as_deref().unwrap_or_default();
            // Without a url the id is all there is.
            let id = m.id.as_deref().unwrap_or(m.label());
            (url, version) == (&*structure.artifact.url, &*structure.artifact.version)
                && (!url.is_empty() || id == &*structure.artifact.id)
        };
        prepared.loaded.package.measures.iter().find(same)
    };
    let handle = |structure: &MeasureStructure| of(structure).map_or("", |m| m.handle.as_str());
    let mut services: Vec<Arc<dyn CardService>> = vec![];
    let mut used = taken.to_vec();
    for (measure, structure) in prepared.built.structures.iter().enumerate() {
        let fits =
            |g: &GroupDefinition| g.scoring == Scoring::Proportion && g.basis == Basis::Boolean;
        if !structure.groups.iter().all(fits) {
            tell(&format!(
                "{}: no card, since it is not a proportion of patients",
                structure.name
            ));
            continue;
        }
        if !structure.is_settled() {
            tell(&format!(
                "{1}: no card, since which way is better is contradicted (see above); settle it with --better '{0}=increase' or --better '{0}=decrease'",
                handle(structure),
                structure.name
            ));
            continue;
        }
        let id = service_id(structure, &used);
        if id != *structure.artifact.id {
            tell(&format!("{} is the service {id}", structure.canonical()));
        }
        used.push(id.clone());
        let definition = of(structure);
        let text = |t: Option<&String>| t.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let title = title_for_people(&structure.artifact.title);
        let all = program.data_requirements();
        let own = program.requirements_of(measure);
        services.push(Arc::new(MeasureCard {
            measure,
            structure: Arc::clone(structure),
            id,
            description: text(definition.and_then(|d| d.description.as_ref()))
                .unwrap_or_else(|| title.clone()),
            title,
            publisher: text(definition.and_then(|d| d.publisher.as_ref()))
                .map(|publisher| without_entities(&publisher))
                .unwrap_or_else(|| structure.artifact.id.to_string()),
            requirements: own.iter().filter_map(|i| all.get(*i).cloned()).collect(),
            program: Arc::clone(program),
        }));
    }
    Ok(services)
}

/// Published titles end in the format of their package: `Breast Cancer ScreeningFHIR`.
fn title_for_people(title: &str) -> String {
    let title = without_entities(title.trim());
    match title.strip_suffix("FHIR").map(str::trim_end) {
        Some(front) if !front.is_empty() => front.to_owned(),
        _ => title,
    }
}

/// Packages have plain texts as HTML writes them: `Medicare &amp; Medicaid`.
fn without_entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 6] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        // The last: what comes of it is no entity.
        ("&amp;", "&"),
    ];
    let each = ENTITIES.iter();
    each.fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}

/// The name of a measure as part of a URL; where another service has it, with the version, and then with
/// a number.
fn service_id(structure: &MeasureStructure, taken: &[String]) -> String {
    let versioned = plain_name(&format!(
        "{}-{}",
        structure.name, structure.artifact.version
    ));
    let numbered = (2_u64..).map(|n| format!("{versioned}-{n}"));
    let ids = [plain_name(&structure.name), versioned.clone()];
    let mut ids = ids.into_iter().chain(numbered);
    ids.find(|id| !taken.contains(id)).unwrap_or(versioned)
}

/// The measurement period of a card: the calendar year of the call.
fn calendar_year(at: DateTime, zone: &Zone) -> EvaluationContext {
    let at = zone.moment(at.earliest(zone));
    let (year, _, _) = at.civil();
    let bounds = DateTime::date(year, 1, 1).zip(DateTime::date(year, 12, 31));
    let mut context = match bounds {
        Some((start, end)) => EvaluationContext::for_period(start, end, zone.clone()),
        None => EvaluationContext::at(at),
    };
    context.at = at;
    context
}

impl CardService for MeasureCard {
    fn id(&self) -> &str {
        &self.id
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn rule(&self) -> RuleName {
        let artifact = &self.structure.artifact;
        RuleName {
            id: self.id.clone(),
            version: artifact.version.to_string(),
            hash: hash::short(&[&artifact.url, &artifact.version]),
        }
    }

    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let context = calendar_year(context.at, &context.zone);
        let gaps = self
            .program
            .gaps_of(self.measure, &self.structure, record, &context);
        outcome(gaps, |group| self.card(group, &context))
    }
}

/// The card of a gap that is open.
fn outcome(
    gaps: Result<Vec<GapRow>, EvaluationError>,
    card: impl FnOnce(usize) -> CardContent,
) -> Outcome {
    let gaps = match gaps {
        Ok(gaps) => gaps,
        Err(bug @ EvaluationError::Bug(_)) => return Outcome::Failed(bug),
        Err(error @ (EvaluationError::Budget(_) | EvaluationError::Raised(_))) => {
            // What a library raised is its text: for all we know with data in it.
            let reason = match error {
                EvaluationError::Raised(_) => "the logic of the measure raised an error".to_owned(),
                other => other.to_string(),
            };
            return Outcome::Unknown {
                reason: Some(reason),
                cards: vec![],
            };
        }
    };
    let of = |status| gaps.iter().find(|g| g.status == status);
    if let Some(gap) = of(GapStatus::Open) {
        return Outcome::Cards(vec![card(gap.group)]);
    }
    match of(GapStatus::NotEvaluable) {
        Some(gap) => Outcome::Unknown {
            // Where the logic gives null there may be nothing more to say of it.
            reason: Some(gap.reason.as_ref().map_or_else(
                || "a criterion of the measure gives null, neither true nor false".to_owned(),
                ToString::to_string,
            )),
            cards: vec![],
        },
        None => Outcome::Cards(vec![]),
    }
}

impl MeasureCard {
    fn card(&self, group: usize, context: &EvaluationContext) -> CardContent {
        let artifact = &self.structure.artifact;
        let several = self.structure.groups.len() > 1;
        let name = self.structure.groups.get(group).filter(|_| several);
        // `Group_1` is for whoever built the package: what is open tells which it is.
        let name = name.map(|g| g.name(group)).filter(|n| !n.contains('_'));
        let name = name.map_or_else(String::new, |name| format!(" ({name})"));
        let year = context.period.map_or(0, |(start, _)| start.civil().0);
        let summary = format!("Open care gap {year}: {}{name}", self.title);
        let own = self.structure.groups.get(group);
        let open = own.map_or_else(String::new, |own| open(own, year));
        let detail = format!("{open}\n\n{}", self.description);
        let source = Source {
            label: self.publisher.clone(),
            url: Some(artifact.url.to_string()),
            topic: None,
        };
        let direction = self.structure.directions.get(group);
        let mut content = CardContent::text(Indicator::Info, &summary, detail.trim(), source);
        content.extension.measure = Some(OfMeasure {
            canonical: format!("{}|{}", artifact.url, artifact.version),
            group: own
                .filter(|_| self.structure.groups.len() > 1)
                .map(|own| own.name(group)),
            direction: direction.map(|direction| direction.text()),
        });
        content
    }
}

/// What is open, for the clinician. A gap is open where the patient counts and the numerator is not met,
/// or is met where lower is better.
fn open(group: &GroupDefinition, year: i32) -> String {
    let verdict = match group.improvement_notation {
        Some(ImprovementNotation::Decrease) => {
            "the criterion of its numerator is met, and lower is better"
        }
        Some(ImprovementNotation::Increase) | None => "the criterion of its numerator is not met",
    };
    let numerator = group
        .populations
        .iter()
        .find(|p| p.code == PopulationCode::Numerator);
    let text = numerator.and_then(|numerator| numerator.description.as_deref());
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let said = text.map_or_else(|| ".".to_owned(), |text| format!(":\n\n{text}"));
    format!("This patient counts in the measure for {year}, and {verdict}{said}")
}

#[cfg(test)]
mod tests {
    use engine_patient::program::Artifact;
    use measures::result::Improvement;

    use super::*;

    /// A bug of ours is never "nothing to do"; a budget that is used up is "could not tell".
    #[test]
    fn a_bug_is_a_failure() {
        let none = |_| unreachable!("no card");
        let text = || "x".to_owned();
        let of = |error| outcome(Err(error), none);
        assert!(matches!(
            of(EvaluationError::Bug(text())),
            Outcome::Failed(EvaluationError::Bug(_))
        ));
        for error in [
            EvaluationError::Budget(text()),
            EvaluationError::Raised(text()),
        ] {
            let Outcome::Unknown { cards, .. } = of(error) else {
                panic!("it could not tell")
            };
            assert!(cards.is_empty());
        }
        let Outcome::Cards(cards) = outcome(Ok(vec![]), none) else {
            panic!("there is no gap")
        };
        assert!(cards.is_empty());
    }

    /// A criterion that is null is in the log with a reason, too.
    #[test]
    fn an_unknown_has_a_reason() {
        let row = |reason: Option<&str>| GapRow {
            group: 0,
            patient: "p".to_owned(),
            resource: None,
            status: GapStatus::NotEvaluable,
            reason: reason.map(Into::into),
            due: None,
            evidence: None,
        };
        for (given, said) in [(None, "gives null"), (Some("no value"), "no value")] {
            let out = outcome(Ok(vec![row(given)]), |_| unreachable!("no card"));
            let Outcome::Unknown { reason, cards } = out else {
                panic!("{out:?}")
            };
            assert!(cards.is_empty());
            assert!(reason.is_some_and(|r| r.contains(said)), "{said}");
        }
    }

    #[test]
    fn titles_without_the_format_of_their_package() {
        for (title, shown) in [
            ("Breast Cancer ScreeningFHIR", "Breast Cancer Screening"),
            ("Greater Than 9%FHIR", "Greater Than 9%"),
            ("in Adults - Clinician FHIR", "in Adults - Clinician"),
            ("FHIR", "FHIR"),
            ("Use of FHIR in care", "Use of FHIR in care"),
        ] {
            assert_eq!(title_for_people(title), shown);
        }
    }

    /// FHIR versions hold what a part of a URL does not: `+a` and `-a` are the same there.
    #[test]
    fn ids_of_services_are_their_own() {
        let mut taken = vec!["a".to_owned()];
        for (name, id) in [("a", "a-1.0.0-b"), ("a", "a-1.0.0-b-2"), ("c", "c")] {
            let artifact = Artifact {
                id: name.into(),
                url: "u".into(),
                version: "1.0.0+b".into(),
                title: "".into(),
            };
            let structure =
                MeasureStructure::simple(artifact, Improvement::Increase, Basis::Boolean);
            let found = service_id(&structure, &taken);
            assert_eq!(found, id);
            taken.push(found);
        }
    }
}
