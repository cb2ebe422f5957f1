//! Which way is better: what the measure says, what speaks against it, and what settles it.
//!
//! `improvementNotation` of published packages is often a default of the authoring tool. Gaps and cards
//! turn on it, so a contradiction keeps them from being made until it is settled, by the table of known
//! measures in `content/directions` or by the user (`--better`).

use std::collections::BTreeSet;

use engine_patient::finding::{Code, Finding};

use crate::package::{Basis, GroupDefinition, ImprovementNotation, MeasureDefinition, Scoring};

/// Where a direction comes from, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user said so.
    User,
    /// The table of known measures: what was read for it.
    Known(&'static str),
    /// The measure says so.
    Stated,
    /// Nobody says: `increase`.
    Assumed,
}

/// Which way is better, of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direction {
    /// The direction that counts.
    pub better: ImprovementNotation,
    /// Where it comes from.
    pub origin: Origin,
    /// What says otherwise: `the display says increase`.
    pub against: Vec<String>,
}

impl Direction {
    /// As a rule or an SQL measure states it.
    pub fn stated(better: ImprovementNotation) -> Self {
        Direction {
            better,
            origin: Origin::Stated,
            against: vec![],
        }
    }

    /// Whether gaps and cards may rest on it.
    pub fn is_settled(&self) -> bool {
        match self.origin {
            Origin::User | Origin::Known(_) => true,
            Origin::Stated | Origin::Assumed => self.against.is_empty(),
        }
    }

    /// For a column of a table: `lower`, `higher (assumed)`, `higher?` where it is contradicted.
    pub fn short(&self) -> String {
        let way = way(self.better);
        match (&self.origin, self.is_settled()) {
            (_, false) => format!("{way}?"),
            (Origin::Assumed, _) => format!("{way} (assumed)"),
            (Origin::Known(_), _) if !self.against.is_empty() => format!("{way} (table)"),
            (Origin::User, _) => format!("{way} (--better)"),
            _ => way.to_owned(),
        }
    }

    /// For programs: `higher` or `lower`, and where that comes from.
    pub fn cells(&self) -> [&'static str; 2] {
        [way(self.better), self.source()]
    }

    /// Where it comes from, in a word: `measure` (it says so), `assumed` (nobody does), `table` (of known
    /// measures, against the measure), `option` (`--better`), `contradicted`.
    fn source(&self) -> &'static str {
        match (&self.origin, self.is_settled()) {
            (_, false) => "contradicted",
            (Origin::Assumed, _) => "assumed",
            (Origin::Known(_), _) if !self.against.is_empty() => "table",
            (Origin::User, _) => "option",
            _ => "measure",
        }
    }

    /// A sentence for people.
    pub fn text(&self) -> String {
        let way = way(self.better);
        let from = match &self.origin {
            Origin::User => "as --better says".to_owned(),
            Origin::Known(source) => format!("by the table of known measures ({source})"),
            Origin::Stated => "as the measure says".to_owned(),
            Origin::Assumed => "assumed, since the measure does not say".to_owned(),
        };
        let against = match self.against.as_slice() {
            [] => String::new(),
            some => format!("; but {}", some.join(", ")),
        };
        format!("a {way} score is better, {from}{against}")
    }
}

fn way(better: ImprovementNotation) -> &'static str {
    match better {
        ImprovementNotation::Increase => "higher",
        ImprovementNotation::Decrease => "lower",
    }
}

/// The directions of a measure's groups.
pub fn directions(measure: &MeasureDefinition) -> Vec<Direction> {
    let known = known(measure);
    let of = |group: &GroupDefinition| {
        let stated = group.improvement_notation;
        let (better, origin) = match (measure.better, known, stated) {
            (Some(better), _, _) => (better, Origin::User),
            (None, Some((better, source)), _) => (better, Origin::Known(source)),
            (None, None, Some(better)) => (better, Origin::Stated),
            (None, None, None) => (ImprovementNotation::Increase, Origin::Assumed),
        };
        let mut against = vec![];
        let mut says = |what: &str, says: Option<ImprovementNotation>| {
            if let Some(says) = says.filter(|s| *s != better) {
                against.push(format!("{what} says `{}`", says.as_str()));
            }
        };
        says("the code of its improvement notation", stated);
        says(
            "the display of its improvement notation",
            group.notation.display,
        );
        let guidance = group.notation.guidance.as_deref();
        says(
            "the guidance on its improvement notation",
            guidance.and_then(said),
        );
        for (element, text) in &measure.texts {
            says(&format!("its {element}"), said(text));
        }
        says(
            "the table of known measures",
            known.map(|(better, _)| better),
        );
        Direction {
            better,
            origin,
            against,
        }
    };
    measure.groups.iter().map(of).collect()
}

/// What a user should know about them: each once.
pub fn issues(measure: &MeasureDefinition) -> Vec<Finding> {
    let mut out: Vec<Finding> = vec![];
    let name = &measure.handle;
    for (group, direction) in measure.groups.iter().zip(directions(measure)) {
        // What counts visits is no card: see `cds_hooks::measure_services`.
        let made = match measure.groups.iter().all(|g| g.basis == Basis::Boolean) {
            true => "gaps and cards",
            false => "gaps",
        };
        let scored = group.scoring == Scoring::Proportion;
        let (message, help) = match (&direction.origin, direction.against.is_empty()) {
            (Origin::Assumed, true) if scored => (
                "the measure does not say which way is better: a higher score is assumed"
                    .to_owned(),
                format!("if a lower one is, say `--better {name}=decrease`"),
            ),
            (Origin::Stated | Origin::Assumed, false) => (
                format!("which way is better is contradicted: {}", direction.text()),
                format!(
                    "there are no {made} of it until you say `--better {name}=increase` or `--better {name}=decrease`"
                ),
            ),
            (Origin::Known(_) | Origin::User, false) => (
                format!("which way is better: {}", direction.text()),
                format!(
                    "`--better {name}={}` says otherwise",
                    other(direction.better)
                ),
            ),
            _ => continue,
        };
        // What the table of known measures or the user settles decides gaps and cards: nothing is open.
        let issue = match direction.is_settled() && direction.origin != Origin::Assumed {
            true => Finding::info(Code::Direction, message),
            false => Finding::warning(Code::Direction, message),
        };
        let mut issue = issue.help(help).in_file(&*measure.source);
        issue.measures = vec![measure.label().to_owned()];
        if out.iter().any(|i| i.message == issue.message) {
            continue;
        }
        out.push(issue.at(&group.path));
    }
    out
}

/// A line for people: of which measures the table of known measures settles the direction, over what
/// they say themselves.
pub fn settled_by_table<'m>(
    measures: impl IntoIterator<Item = &'m MeasureDefinition>,
) -> Option<String> {
    let mut settled: Vec<String> = vec![];
    for measure in measures {
        let mut ways: Vec<&str> = vec![];
        for direction in directions(measure) {
            let by_table = matches!(direction.origin, Origin::Known(_));
            if by_table && !direction.against.is_empty() {
                ways.push(way(direction.better));
            }
        }
        ways.dedup();
        if !ways.is_empty() {
            settled.push(format!("{} ({})", measure.handle, ways.join(", ")));
        }
    }
    (!settled.is_empty()).then(|| {
        format!(
            "note: which way is better is by the table of known measures, not as the package says: {}; --better says otherwise",
            settled.join(", ")
        )
    })
}

fn other(better: ImprovementNotation) -> &'static str {
    match better {
        ImprovementNotation::Increase => ImprovementNotation::Decrease.as_str(),
        ImprovementNotation::Decrease => ImprovementNotation::Increase.as_str(),
    }
}

/// CMS number, name, direction, what was read; tabs between.
const TABLE: &str = include_str!("../content/directions/directions.tsv");

/// What the table says of a measure.
fn known(measure: &MeasureDefinition) -> Option<(ImprovementNotation, &'static str)> {
    let last = measure.url.as_deref().and_then(|u| u.rsplit('/').next());
    let names = [measure.name.as_deref(), measure.id.as_deref(), last];
    let names = names.into_iter().flatten();
    let names: Vec<&str> = names
        .chain(measure.identifiers.iter().map(String::as_str))
        .collect();
    TABLE
        .lines()
        .filter(|l| !l.starts_with('#'))
        .find_map(|line| {
            let mut cells = line.split('\t');
            let (number, name) = (cells.next()?, cells.next()?);
            let better = ImprovementNotation::of(cells.next()?)?;
            let source = cells.next()?;
            let is = |n: &&str| n.eq_ignore_ascii_case(name) || cms(n) == Some(number);
            names.iter().any(is).then_some((better, source))
        })
}

/// The number of `CMS122FHIR…`, `CMS0122v12`.
fn cms(name: &str) -> Option<&str> {
    let head = name.get(..3)?;
    let rest = name.get(3..)?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let digits = rest.get(..end)?.trim_start_matches('0');
    (head.eq_ignore_ascii_case("CMS") && !digits.is_empty()).then_some(digits)
}

/// Which way a text says is better: "higher score indicates better quality", "an inverse measure".
/// `None` where it says nothing, or both.
fn said(text: &str) -> Option<ImprovementNotation> {
    use ImprovementNotation::{Decrease, Increase};
    let text = text.to_lowercase();
    let mut found: BTreeSet<ImprovementNotation> = BTreeSet::new();
    for sentence in text.split(['.', ';', '\n', '!']) {
        let words = sentence.split(|c: char| !c.is_alphanumeric());
        let words: Vec<&str> = words.filter(|w| !w.is_empty()).collect();
        for (at, word) in words.iter().enumerate() {
            let after = |n: usize| words.iter().skip(at + 1).take(n);
            let up = match *word {
                "higher" | "increased" | "increasing" | "greater" => true,
                "lower" | "decreased" | "decreasing" | "fewer" => false,
                "inverse" if after(1).any(|w| *w == "measure") => {
                    found.insert(Decrease);
                    continue;
                }
                "poor" if after(1).any(|w| *w == "control") => {
                    found.insert(Decrease);
                    continue;
                }
                _ => continue,
            };
            let of_score = after(3).any(|w| SCORE.contains(w)) || after(1).any(|w| *w == "is");
            let verdict = after(7).find_map(|w| match *w {
                "not" | "no" => Some(None),
                "better" | "improvement" | "improved" | "desirable" | "desired" | "preferred"
                | "preferable" => Some(Some(true)),
                "worse" => Some(Some(false)),
                _ => None,
            });
            if let (true, Some(Some(good))) = (of_score, verdict) {
                found.insert(if up == good { Increase } else { Decrease });
            }
        }
    }
    match found.len() {
        1 => found.into_iter().next(),
        _ => None,
    }
}

/// Words for the score of a measure.
const SCORE: [&str; 13] = [
    "score",
    "scores",
    "rate",
    "rates",
    "percentage",
    "percentages",
    "performance",
    "value",
    "values",
    "ratio",
    "proportion",
    "number",
    "result",
];

#[cfg(test)]
mod tests {

    use serde_json::{Value, json};

    use super::*;
    use ImprovementNotation::{Decrease, Increase};

    fn measure(name: &str, notation: Value, more: &[(&str, Value)]) -> MeasureDefinition {
        let population = |code: &str| {
            json!({
                "code": { "coding": [{ "code": code }] },
                "criteria": { "language": "text/cql-identifier", "expression": code },
            })
        };
        let all = ["initial-population", "denominator", "numerator"];
        let mut measure = json!({
            "resourceType": "Measure", "id": name, "name": name, "version": "1",
            "url": format!("http://example.org/Measure/{name}"),
            "library": ["http://example.org/Library/L"],
            "scoring": { "coding": [{ "code": "proportion" }] },
            "group": [{ "population": all.map(population) }],
        });
        if !notation.is_null() {
            measure["improvementNotation"] = json!({ "coding": [notation] });
        }
        for (key, value) in more {
            measure[*key] = value.clone();
        }
        alone(&measure)
    }

    /// The measure, with an empty library.
    fn alone(measure: &Value) -> MeasureDefinition {
        let mut measure = measure.clone();
        measure["library"] = json!(["http://example.org/Library/L"]);
        let folder = tempfile::tempdir().unwrap();
        let elm =
            json!({ "library": { "identifier": { "id": "L" }, "statements": { "def": [] } } });
        std::fs::write(folder.path().join("m.json"), measure.to_string()).unwrap();
        std::fs::write(folder.path().join("l.json"), elm.to_string()).unwrap();
        let loaded = crate::package::load(&[folder.path()]);
        let issues: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
        let mut measures = loaded.package.measures.into_iter();
        measures.next().unwrap_or_else(|| panic!("{issues:?}"))
    }

    fn of(measure: &MeasureDefinition) -> Direction {
        directions(measure).remove(0)
    }

    #[test]
    fn what_texts_say() {
        for (text, says) in [
            ("Higher score indicates better quality", Some(Increase)),
            ("A lower rate is better.", Some(Decrease)),
            ("Decreased score indicates improvement", Some(Decrease)),
            (
                "This is an inverse measure; as such the higher the value the worse the performance",
                Some(Decrease),
            ),
            (
                "Diabetes: Hemoglobin A1c (HbA1c) Poor Control (> 9%)",
                Some(Decrease),
            ),
            ("Lower is better", Some(Decrease)),
            ("higher percentages are preferred", Some(Increase)),
            ("a higher score does not mean better care", None),
            ("Lower blood pressure with medication", None),
            ("Glycemic status assessment greater than 9%", None),
            ("a higher BMI in the elderly may be beneficial", None),
            ("A higher rate is better. A lower rate is better.", None),
        ] {
            assert_eq!(said(text), says, "{text}");
        }
    }

    #[test]
    fn contradictions_are_settled_by_the_table_or_the_user() {
        // CMS122 says increase; its numerator is poor control. The table is right, and is used.
        let inverse = measure("CMS122FHIRDiabetes", json!({ "code": "increase" }), &[]);
        let direction = of(&inverse);
        assert_eq!(direction.better, Decrease);
        assert!(direction.is_settled() && direction.short() == "lower (table)");
        assert_eq!(direction.cells(), ["lower", "table"]);
        assert_eq!(issues(&inverse).len(), 1);
        // Nobody else's 122: another number, or no number at all.
        for name in ["CMS1221FHIR", "CMS12FHIR", "ACMS122", "M122"] {
            let other = measure(name, json!({ "code": "increase" }), &[]);
            assert_eq!(of(&other).origin, Origin::Stated, "{name}");
            assert_eq!(issues(&other), []);
        }
        // The display and the texts of others are believed no more than the code.
        let notation =
            json!({ "code": "decrease", "display": "Increased score indicates improvement" });
        let display = measure("M", notation, &[]);
        assert!(!of(&display).is_settled());
        assert_eq!(of(&display).short(), "lower?");
        assert_eq!(of(&display).cells(), ["lower", "contradicted"]);
        let title = json!("Readmissions, lower rate is better");
        let titled = measure("M", json!({ "code": "increase" }), &[("title", title)]);
        assert!(!of(&titled).is_settled());
        assert!(
            issues(&titled)[0]
                .help
                .as_ref()
                .unwrap()
                .contains("--better M=")
        );
        let mut said = titled;
        said.better = Some(Decrease);
        assert!(of(&said).is_settled() && of(&said).better == Decrease);
    }

    #[test]
    fn what_is_not_stated_is_assumed_and_told() {
        let none = measure("M", Value::Null, &[]);
        let direction = of(&none);
        assert_eq!(
            (direction.better, &direction.origin),
            (Increase, &Origin::Assumed)
        );
        assert!(direction.is_settled());
        assert_eq!(direction.short(), "higher (assumed)");
        assert_eq!(direction.cells(), ["higher", "assumed"]);
        assert!(issues(&none)[0].message.contains("does not say"));
        let title = json!("Falls: this is an inverse measure");
        assert!(!of(&measure("M", Value::Null, &[("title", title)])).is_settled());
    }

    /// Proportions of the published decks of which the package is right, each read by its numerator:
    /// what they say is used.
    const READ: [(&str, ImprovementNotation); 34] = [
        ("CMS0334FHIRPCCesareanBirth", Decrease),
        ("CMS1028FHIRPCSevereOBComps", Decrease),
        ("CMS104FHIRSTKDCAntithrombotic", Increase),
        ("CMS108FHIRVTEProphylaxis", Increase),
        ("CMS1218FHIRHHRF", Decrease),
        ("CMS1244FHIRECATHOQR", Decrease),
        ("CMS1264FHIRECATREHQR", Decrease),
        (
            "CMS142FHIRDRCommunicationWithPhysicianManagingDiabetes",
            Increase,
        ),
        ("CMS144FHIRHFBetaBlockerTherapyforLVSD", Increase),
        ("CMS145FHIRCADBetaBlockerTherapyPriorMIorLVSD", Increase),
        ("CMS146FHIRAppropriateTestingforPharyngitis", Increase),
        ("OncologyPainIntensityQuantifiedFHIR", Increase),
        ("CMS159FHIRDepressionRemissionatTwelveMonths", Increase),
        ("CMS190VTEProphylaxisICUFHIR", Increase),
        (
            "CMS56FHIRFunctionalStatusAssessmentforTotalHipReplacement",
            Increase,
        ),
        (
            "CMS646FHIRIntravesicalBacillusCalmetteGuerinForBladderCancer",
            Increase,
        ),
        ("CMS72FHIRSTKAntithromboticDay2", Increase),
        (
            "CMS74FHIRPrimaryCariesPreventionasOfferedbyDentists",
            Increase,
        ),
        (
            "CMS771FHIRUrinarySymptomScoreChangeBenignProstaticHyperplasia",
            Increase,
        ),
        ("CMS816FHIRHHHypo", Decrease),
        ("CMS819FHIRHHORAE", Decrease),
        ("CMS826FHIRHHPI", Decrease),
        ("CMS996FHIRAptTxforSTEMI", Increase),
        ("AntidepressantMedicationManagementFHIR", Increase),
        ("CADBetaBlockerTherapyPriorMIorLVSDFHIR", Increase),
        ("CMS108VTEProphylaxisFHIR", Increase),
        ("CMS1244ECCQHOQRFHIR", Decrease),
        ("CMS1264ECCQREHQRFHIR", Decrease),
        ("CMS334FHIRPCCesareanBirth", Decrease),
        ("CMS816HHHypoFHIR", Decrease),
        ("CMS826HHPIFHIR", Decrease),
        ("DepressionRemissionatTwelveMonthsFHIR", Increase),
        ("HFBetaBlockerTherapyforLVSDFHIR", Increase),
        (
            "IntravesicalBacillusCalmetteGuerinForBladderCancerFHIR",
            Increase,
        ),
    ];

    /// Every proportion of the published decks is in the table, or in doubt and so without gaps, or was
    /// read and found right.
    #[test]
    fn directions_of_the_published_decks() {
        let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance").to_owned();
        let root = std::env::var("TANDEM_CONFORMANCE").unwrap_or_else(|_| beside());
        let mut found = 0;
        for folder in ["ecqm", "ecqm-2024"] {
            let Ok(decks) = std::fs::read_dir(format!("{root}/{folder}")) else {
                println!("skipped: {root}/{folder} is not there");
                continue;
            };
            for deck in decks {
                let file = deck.unwrap().path().join("measure.json");
                let Ok(text) = std::fs::read_to_string(&file) else {
                    continue;
                };
                // A direction needs nothing of the logic.
                let resource: Value = serde_json::from_str(&text).unwrap();
                let measure = alone(&resource);
                let name = measure.name.as_deref().unwrap();
                for (group, direction) in measure.groups.iter().zip(directions(&measure)) {
                    if group.scoring != Scoring::Proportion {
                        continue;
                    }
                    found += 1;
                    let known = matches!(direction.origin, Origin::Known(_));
                    let read = READ.iter().find(|(n, _)| *n == name);
                    let right = read.is_some_and(|(_, better)| *better == direction.better);
                    assert!(
                        known || !direction.is_settled() || right,
                        "{folder} {name}: {}",
                        direction.text()
                    );
                }
            }
        }
        println!("{found} proportions");
    }

    #[test]
    fn what_is_to_be_avoided_is_better_lower() {
        // The packages say `increase`; their numerators count decay, and CT exams out of range.
        for name in [
            "CMS75FHIRChildrenWhoHaveDentalDecayOrCavities",
            "ChildrenWhoHaveDentalDecayOrCavitiesFHIR",
            "CMS1056CTClinicalFHIR",
            "CMS1074FHIRCTIQR",
            "CMS1206ALARACTOQRFHIR",
        ] {
            let notation =
                json!({ "code": "increase", "display": "Increased score indicates improvement" });
            let direction = of(&measure(name, notation, &[]));
            assert_eq!(direction.better, Decrease, "{name}");
            assert!(direction.is_settled() && direction.short() == "lower (table)");
        }
    }

    #[test]
    fn the_table_is_well_formed() {
        let lines = TABLE.lines().filter(|l| !l.starts_with('#'));
        for line in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), 4, "{line}");
            assert!(
                cells[0].parse::<u32>().is_ok() && !cells[3].is_empty(),
                "{line}"
            );
            assert!(ImprovementNotation::of(cells[2]).is_some(), "{line}");
        }
    }
}
