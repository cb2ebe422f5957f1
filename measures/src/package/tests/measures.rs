//! The elements of a measure and of its groups.

use super::*;
use engine_patient::finding::{Blame, Code, Severity};

#[test]
fn a_plain_measure() {
    let measure = accepted(&proportion());
    assert_eq!(measure.label(), "M");
    assert_eq!(main_library_name(&measure), Some("M"));
    let group = &measure.groups[0];
    assert_eq!(
        (group.scoring, &group.basis),
        (Scoring::Proportion, &Basis::Boolean)
    );
    let codes: Vec<&str> = group.populations.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["initial-population", "denominator", "numerator"]);
    assert_eq!(group.populations[1].path, "Measure.group[0].population[1]");
}

#[test]
fn the_group_takes_precedence() {
    let mut measure = proportion();
    measure["scoring"] = code("cohort");
    measure["improvementNotation"] = code("increase");
    measure["rateAggregation"] = json!("sum it all");
    measure["extension"] = json!([extension("populationBasis", json!("Procedure"))]);
    let other = json!({"population": [population("initial-population")]});
    measure["group"][0]["extension"] = json!([
        extension("scoring", code("proportion")),
        extension("populationBasis", json!("Encounter")),
        extension("improvementNotation", code("decrease")),
        extension("rateAggregation", json!("None")),
    ]);
    measure["group"].as_array_mut().unwrap().push(other);
    let read = accepted(&measure);
    let [first, second] = read.groups.as_slice() else {
        panic!()
    };
    assert_eq!(
        (first.scoring, second.scoring),
        (Scoring::Proportion, Scoring::Cohort)
    );
    assert_eq!(first.basis, Basis::Resource("Encounter".into()));
    assert_eq!(second.basis.as_str(), "Procedure");
    assert_eq!(
        first.improvement_notation,
        Some(ImprovementNotation::Decrease)
    );
    assert_eq!(
        second.improvement_notation,
        Some(ImprovementNotation::Increase)
    );
    assert_eq!(second.rate_aggregation.as_deref(), Some("sum it all"));
    // `None` says nothing.
    assert_eq!(first.rate_aggregation.as_deref(), Some("sum it all"));
}

#[test]
fn extensions_of_crmi_are_the_same() {
    let mut measure = proportion();
    measure.as_object_mut().unwrap().remove("scoring");
    measure["group"][0]["extension"] = json!([
        {"url": "http://hl7.org/fhir/uv/crmi/StructureDefinition/crmi-scoring", "valueCodeableConcept": code("proportion")},
        {"url": "http://x.org/populationBasis", "valueCode": "Encounter"},
    ]);
    let group = &accepted(&measure).groups[0];
    assert_eq!(
        (group.scoring, group.basis.as_str()),
        (Scoring::Proportion, "boolean")
    );
}

#[test]
fn names_that_are_missing_are_warned_of() {
    let mut measure = proportion();
    for element in ["url", "version", "id", "name"] {
        measure.as_object_mut().unwrap().remove(element);
    }
    let loaded = read(&measure);
    assert_eq!(
        told(&loaded),
        [(Severity::Warning, Code::MeasureIdentity, "Measure"); 4]
    );
    assert!(loaded.package.measures[0].label().ends_with("measure.json"));
}

#[test]
fn without_group_or_library() {
    let mut measure = proportion();
    measure.as_object_mut().unwrap().remove("group");
    assert_eq!(refused(&measure).code, Code::NoGroup);
    let mut measure = proportion();
    measure.as_object_mut().unwrap().remove("library");
    assert_eq!(refused(&measure).code, Code::NoLibraryNamed);
    let mut measure = proportion();
    measure["library"] = json!(["http://x.org/Library/M", "http://x.org/Library/N"]);
    assert_eq!(warned(&measure).0.code, Code::SeveralLibraries);
}

#[test]
fn all_problems_at_once() {
    let mut measure = proportion();
    measure["library"] = json!("http://x.org/Library/M");
    measure["title"] = json!(7);
    measure["group"][0]["population"][0]["criteria"]["language"] = json!("text/fhirpath");
    measure["group"][0]["population"][2]["code"] = code("numerater");
    let found = read(&measure);
    let wanted = [
        (Severity::Error, Code::ElementType, "Measure.title"),
        (Severity::Error, Code::ElementType, "Measure.library"),
        (Severity::Error, Code::NoLibraryNamed, "Measure"),
        (
            Severity::Error,
            Code::CriteriaLanguage,
            "Measure.group[0].population[0].criteria.language",
        ),
        (
            Severity::Error,
            Code::PopulationCodeUnknown,
            "Measure.group[0].population[2].code",
        ),
    ];
    assert_eq!(told(&found), wanted);
    assert!(
        found.issues[0]
            .message
            .contains("expected text, found a number")
    );
}

#[test]
fn scoring_is_needed_and_known() {
    let mut measure = proportion();
    measure["scoring"] = code("propotion");
    let issue = refused(&measure);
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::UnknownScoring, Some("Measure.scoring"))
    );
    assert_eq!(issue.help.as_deref(), Some("did you mean `proportion`?"));
    measure.as_object_mut().unwrap().remove("scoring");
    assert_eq!(refused(&measure).code, Code::NoScoring);
    measure["group"][0]["extension"] = json!([extension("scoring", code("weighted"))]);
    let issue = refused(&measure);
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::UnknownScoring, Some("Measure.group[0].extension[0]"))
    );
}

#[test]
fn composite_measures_are_refused_with_their_components() {
    let mut measure = proportion();
    let object = measure.as_object_mut().unwrap();
    object.remove("group");
    object.remove("library");
    measure["scoring"] = code("composite");
    measure["relatedArtifact"] = json!([
        {"type": "composed-of", "resource": "http://x.org/Measure/A"},
        {"type": "documentation", "resource": "http://x.org/doc"},
        {"type": "composed-of", "resource": "http://x.org/Measure/B|1.0"},
    ]);
    let loaded = read(&measure);
    let issue = loaded
        .issues
        .iter()
        .find(|i| i.code == Code::CompositeScoring)
        .unwrap();
    assert_eq!(issue.blame, Blame::Unsupported);
    let help = issue.help.as_deref().unwrap();
    assert!(
        help.contains("`http://x.org/Measure/A`, `http://x.org/Measure/B|1.0`"),
        "{help}"
    );
    assert!(loaded.package.measures.is_empty());
}

#[test]
fn basis() {
    let with = |basis: &str| {
        let mut measure = proportion();
        measure["group"][0]["extension"] = json!([extension("populationBasis", json!(basis))]);
        measure
    };
    assert_eq!(accepted(&with("boolean")).groups[0].basis, Basis::Boolean);
    let issue = refused(&with("Encountr"));
    assert_eq!(issue.help.as_deref(), Some("did you mean `Encounter`?"));
    assert_eq!(
        (issue.code, issue.blame),
        (Code::PopulationBasis, Blame::User)
    );
    assert_eq!(
        refused(&with("Boolean")).help.as_deref(),
        Some("did you mean `boolean`?")
    );
    assert_eq!(refused(&with("dateTime")).blame, Blame::Unsupported);
    assert_eq!(refused(&with("Period")).blame, Blame::Unsupported);
    assert_eq!(refused(&with("Resource")).blame, Blame::Unsupported);
}

#[test]
fn an_extension_given_twice() {
    let mut measure = proportion();
    let basis = |b: &str| extension("populationBasis", json!(b));
    measure["group"][0]["extension"] = json!([basis("Encounter"), basis("Encounter")]);
    assert_eq!(accepted(&measure).groups[0].basis.as_str(), "Encounter");
    measure["group"][0]["extension"] = json!([basis("Encounter"), basis("boolean")]);
    assert_eq!(refused(&measure).code, Code::Extension);
    measure["group"][0]["extension"] = json!([{"url": format!("{CQFM}populationBasis")}]);
    assert_eq!(refused(&measure).code, Code::Extension);
}

#[test]
fn extensions_that_cannot_be_read() {
    let mut measure = proportion();
    measure["group"][0]["extension"] = json!("populationBasis");
    let issue = refused(&measure);
    let place = Some("Measure.group[0].extension");
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::ElementType, place)
    );
    measure["group"][0]["extension"] = json!([{"valueCode": "Encounter"}]);
    assert_eq!(refused(&measure).code, Code::Extension);
}

#[test]
fn improvement_notation() {
    let mut measure = proportion();
    measure["improvementNotation"] = code("up");
    assert_eq!(warned(&measure).0.code, Code::ImprovementNotation);
    let both = json!({"coding": [{"code": "decrease", "display": "increase"}]});
    measure["improvementNotation"] = both;
    let (issue, read) = warned(&measure);
    assert!(
        issue
            .message
            .contains("`decrease` but is displayed as `increase`")
    );
    assert_eq!(
        read.groups[0].improvement_notation,
        Some(ImprovementNotation::Decrease)
    );
}

#[test]
fn effective_period() {
    let mut measure = proportion();
    measure["effectivePeriod"] = json!({"start": "2026-01-01", "end": "2026-12-31"});
    let period = accepted(&measure).period.unwrap();
    assert_eq!(period.start.as_deref(), Some("2026-01-01"));
    assert_eq!(period.end.as_deref(), Some("2026-12-31"));
    measure["effectivePeriod"] = json!({"start": "2026-01-01", "end": "31.12.2026"});
    let (issue, read) = warned(&measure);
    assert_eq!(
        (issue.code, issue.place.path.as_deref()),
        (Code::EffectivePeriod, Some("Measure.effectivePeriod.end"))
    );
    assert_eq!(read.period.unwrap().end, None);
    measure["effectivePeriod"] = json!({"start": "2027-01-01", "end": "2026-12-31"});
    let (issue, read) = warned(&measure);
    assert_eq!((issue.code, read.period), (Code::EffectivePeriod, None));
}

#[test]
fn duplicates() {
    let files = Files::new();
    files.json("a.json", &proportion());
    files.json("b.json", &proportion());
    files.json("library.json", &library("M", "1.0.0"));
    let loaded = files.load();
    assert_eq!(told(&loaded), []);
    assert_eq!(loaded.issues[0].code, Code::MeasureTwice);
    assert_eq!(loaded.package.measures.len(), 1);

    let mut other = proportion();
    other["title"] = json!("edited");
    files.json("b.json", &other);
    let loaded = files.load();
    assert_eq!(
        told(&loaded),
        [(Severity::Error, Code::MeasureTwice, "Measure")]
    );
    assert_eq!(
        (loaded.package.measures.len(), loaded.package.refused.len()),
        (0, 2)
    );

    other["version"] = json!("2.0.0");
    files.json("b.json", &other);
    assert_eq!(files.load().package.measures.len(), 2);
}

#[test]
fn supplemental_data() {
    let mut measure = proportion();
    let criteria = json!({"language": "text/cql-identifier", "expression": "SDE Sex"});
    let both = json!([code("supplemental-data"), code("risk-adjustment-factor")]);
    measure["supplementalData"] = json!([
        {"id": "sde-sex", "criteria": criteria, "usage": both,
         "extension": [extension("includeInReportType", json!("summary"))]},
        {"criteria": criteria},
    ]);
    let all = accepted(&measure).supplemental_data;
    assert_eq!(
        all[0].usage,
        [Usage::SupplementalData, Usage::RiskAdjustment]
    );
    assert_eq!(all[0].report_types, ["summary"]);
    assert_eq!(all[1].usage, [Usage::SupplementalData]);
    assert_eq!(all[1].path, "Measure.supplementalData[1]");

    measure["supplementalData"] = json!([{"id": "x", "usage": [code("other")]}]);
    let loaded = read(&measure);
    let codes: Vec<Code> = told(&loaded).iter().map(|(_, code, _)| *code).collect();
    assert_eq!(codes, [Code::NoCriteria, Code::SupplementalLeftOut]);
    assert!(loaded.package.measures[0].supplemental_data.is_empty());
    measure["supplementalData"] = json!([{"criteria": criteria, "usage": [code("other")]}]);
    assert_eq!(warned(&measure).0.code, Code::SupplementalUsage);
}
