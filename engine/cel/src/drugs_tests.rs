//! Drugs, drafts and rows of tables, from the text to the value.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::finding::Finding;
use engine_patient::hook_call::HookCall;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::terminology::{DrugDictionary, DrugSet};

use super::explain::show;
use super::*;

const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

fn medication(code: &str) -> String {
    format!(r#""medicationCodeableConcept":{{"coding":[{{"system":"{RXNORM}","code":"{code}"}}]}}"#)
}

fn record_of(resources: &[String]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in resources {
        record.push(json).unwrap();
    }
    record.seal();
    record
}

/// Warfarin (a product and a statement), ibuprofen of last year, a text.
fn record() -> PatientRecord {
    let order = |id: &str, status: &str, drug: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"{status}","intent":"order","authoredOn":"2025-01-01",{drug}}}"#
        )
    };
    record_of(&[
        r#"{"resourceType":"Patient","id":"p"}"#.to_owned(),
        order("w", "active", &medication("855332")),
        order("i", "stopped", &medication("5640")),
        format!(r#"{{"resourceType":"MedicationStatement","id":"s","status":"active",{}}}"#, medication("11289")),
        format!(r#"{{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{{"coding":[{{"code":"active"}}]}},"code":{{"coding":[{{"system":"{RXNORM}","code":"723"}}]}}}}"#),
        r#"{"resourceType":"AllergyIntolerance","id":"f","category":["food"],"clinicalStatus":{"coding":[{"code":"active"}]},"code":{"text":"Peanut"}}"#.to_owned(),
    ])
}

fn call() -> HookCall {
    let draft = |id: &str, drug: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"draft","intent":"order",{drug}}}"#
        )
    };
    HookCall {
        hook: "order-select".into(),
        user: Some("Practitioner/1".into()),
        drafts: record_of(&[
            draft("nsaid", &medication("5640")),
            draft("text", r#""medicationCodeableConcept":{"text":"tea"}"#),
            draft(
                "not",
                &format!(r#""doNotPerform":true,{}"#, medication("11289")),
            ),
            draft(
                "there",
                r#""medicationReference":{"reference":"Medication/m"}"#,
            ),
            format!(
                r#"{{"resourceType":"Medication","id":"m","code":{{"coding":[{{"system":"{RXNORM}","code":"855332"}}]}}}}"#
            ),
        ]),
        selections: Some(["MedicationRequest/nsaid".to_owned()].into()),
        ..HookCall::default()
    }
}

struct Case {
    record: PatientRecord,
    context: EvaluationContext,
    columns: Vec<(String, Ty)>,
    row: Vec<Val<'static>>,
}

fn case() -> Case {
    let context = EvaluationContext::at(DateTime::parse("2025-06-15T12:00:00Z").unwrap());
    Case {
        record: record(),
        context: context.with_call(Arc::new(call())),
        columns: vec![],
        row: vec![],
    }
}

impl Case {
    fn checker(&self) -> Checker {
        let mut checker = Checker::new(vec![]);
        let item = ("order".to_owned(), Ty::Element("MedicationRequest"));
        checker.iterate(Some(item), self.columns.clone());
        checker
    }

    /// About the draft of ibuprofen, and the row.
    fn eval(&self, source: &str) -> String {
        let mut checker = self.checker();
        let compiled = match checker.compile(source, None) {
            Ok(compiled) => compiled,
            Err(problems) => panic!("{source}: {problems:?}"),
        };
        let requirements = checker.requirements();
        let evaluation = Evaluation::new(&self.record, &self.context, requirements, &[], &[]);
        let drafts = &self.context.call.as_ref().unwrap().drafts;
        let mut orders = drafts.of_type_named("MedicationRequest");
        let order = orders
            .find(|o| o.get_str("id").unwrap() == "nsaid")
            .unwrap();
        evaluation.turn_to(Val::Element(order), &self.row);
        show(&evaluation.evaluate(&compiled).unwrap())
    }
}

#[test]
fn drugs_of_orders_and_of_what_is_taken() {
    let case = case();
    let no_code = "unknown: a MedicationRequest has no code that the drug dictionary knows";
    for (source, expected) in [
        (r#"medications().size()"#, "2"),
        (r#"medicationsEver().size()"#, "3"),
        (r#"medications().exists(m, isDrug(m, "warfarin"))"#, "true"),
        (r#"medications().isDrug("Warfarin").size()"#, "2"),
        (r#"medications().exists(m, isDrug(m, "5640"))"#, "false"),
        (r#"medicationsEver().exists(m, isDrug(m, "5640"))"#, "true"),
        (
            r#"medications().exists(m, isDrug(m, "class:nsaid|11289"))"#,
            "true",
        ),
        (r#"medications().exists(m, start(m) < at)"#, "true"),
        (r#"inDrugClass(order, "nsaid")"#, "true"),
        (r#"order.inDrugClass("class:maoi")"#, "false"),
        (r#"drugName(order)"#, "ibuprofen"),
        (r#"ingredients(order)"#, "1 [ibuprofen]"),
        (r#"hasDrugCode(order)"#, "true"),
        (r#"medications().exists(m, sameDrug(order, m))"#, "false"),
        (r#"medicationsEver().exists(m, sameDrug(order, m))"#, "true"),
        // When the ibuprofen of last year was stopped is not known.
        (
            r#"medicationsEver().takenInLast(days(14)).doubtful().isDrug("5640").size()"#,
            "1",
        ),
        (r#"medicationsEver().doubtful().size()"#, "0"),
        (
            r#"medicationsEver().takenInLast(days(14)).size() >= 2"#,
            "true",
        ),
        (
            r#"medicationsEver().isDrug("11289").takenInLast(days(14)).exists()"#,
            "true",
        ),
        (
            r#"medicationsEver().isDrug("5640").takenInLast(days(14)).exists()"#,
            "unknown: a MedicationRequest that is over does not say when it was last taken",
        ),
        (
            r#"medicationsEver().isDrug("5640").takenInLast(years(1)).exists()"#,
            "true",
        ),
        (
            r#"medicationsEver().isDrug("class:maoi").takenInLast(days(14)).exists()"#,
            "false",
        ),
        (
            r#"MedicationAdministration().takenInLast(days(14)).exists()"#,
            "false",
        ),
        (r#"sharedClass(order, order)"#, "true"),
        // Without what must not be done; one of them is text only, one refers to its drug.
        (r#"draftOrders("MedicationRequest").size()"#, "3"),
        (
            r#"draftOrders("MedicationRequest").exists(d, isDrug(d, "warfarin"))"#,
            "true",
        ),
        (
            r#"draftOrders("MedicationRequest").exists(d, isDrug(d, "class:maoi"))"#,
            no_code,
        ),
        (
            r#"draftOrders("MedicationRequest").exists(d, drugName(d) == "tea")"#,
            "true",
        ),
        (
            r#"draftOrders("MedicationRequest").all(d, hasDrugCode(d))"#,
            "false",
        ),
        (
            r#"draftOrders("MedicationRequest").exists(d, isDrug(d, "warfarin") && sameDrug(d, order))"#,
            no_code,
        ),
        (r#"selections("MedicationRequest").size()"#, "1"),
        (
            r#"selections("MedicationRequest").exists(s, sameResource(s, order))"#,
            "true",
        ),
        (r#"sameResource(order, patient)"#, "false"),
        (r#"draftOrders("ServiceRequest").size()"#, "0"),
        (r#"reference(order)"#, "MedicationRequest/nsaid"),
        (
            r#"hook == "order-select" && userId == "Practitioner/1""#,
            "true",
        ),
        (r#"allergies().size()"#, "2"),
        (
            r#"allergies().exists(a, isAllergen(a, "amoxicillin"))"#,
            "true",
        ),
        (r#"allergies().isAllergen("class:nsaid").size()"#, "0"),
    ] {
        assert_eq!(case.eval(source), expected, "{source}");
    }
}

#[test]
fn without_a_call_there_are_no_drafts() {
    let at = DateTime::parse("2025-06-15T12:00:00Z").unwrap();
    let (record, context) = (record(), EvaluationContext::at(at));
    for (source, expected) in [
        (r#"selections("MedicationRequest").size()"#, "0"),
        ("hook", "unknown: no hook was called"),
        ("userId", "unknown: no hook was called"),
    ] {
        let mut checker = Checker::new(vec![]);
        let compiled = checker.compile(source, None).unwrap();
        assert!(checker.requirements().is_empty() && !compiled.varies);
        let evaluation = Evaluation::new(&record, &context, &[], &[], &[]);
        assert_eq!(show(&evaluation.evaluate(&compiled).unwrap()), expected);
    }
}

#[test]
fn what_nobody_could_be_asked_for_is_unknown_unless_another_decides() {
    let mut case = case();
    case.record
        .set_unavailable(Name::of("MedicationStatement").unwrap());
    let taken = |drug: &str| format!(r#"medications().exists(m, isDrug(m, "{drug}"))"#);
    let unknown = "unknown: no MedicationStatement data was given";
    assert_eq!(case.eval(&taken("warfarin")), "true");
    assert_eq!(case.eval(&taken("5640")), unknown);
    assert_eq!(case.eval("medications().size() > 2"), unknown);
    case.record
        .set_unavailable(Name::of("MedicationRequest").unwrap());
    assert!(
        case.eval(&taken("warfarin"))
            .starts_with("unknown: no Medication")
    );
    // What is ordered together is told all the same.
    let both = |drug: &str| {
        format!(
            r#"(medications() + draftOrders("MedicationRequest")).exists(m, isDrug(m, "{drug}"))"#
        )
    };
    assert_eq!(case.eval(&both("warfarin")), "true");
    assert!(case.eval(&both("class:maoi")).starts_with("unknown: "));
    assert!(
        case.eval("medications().isEmpty()")
            .starts_with("unknown: ")
    );
}

#[test]
fn what_a_draft_changes_or_takes_back() {
    let mut case = case();
    let draft = |id: &str, status: &str, more: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"{status}","intent":"order"{more},{}}}"#,
            medication("5640")
        )
    };
    let drafted = r#"draftOrders("MedicationRequest").size()"#;
    let prior = r#","priorPrescription":{"reference":"MedicationRequest/w"}"#;
    for (draft, taken, drafts) in [
        (draft("new", "draft", ""), "2", "1"),
        (draft("new", "active", ""), "2", "1"),
        (draft("w", "draft", ""), "1", "1"),
        (draft("w", "cancelled", ""), "1", "0"),
        (draft("w", "stopped", ""), "1", "0"),
        (draft("new", "draft", prior), "1", "1"),
        (draft("new", "entered-in-error", prior), "2", "0"),
        (draft("new", "completed", ""), "2", "0"),
    ] {
        let call = HookCall {
            hook: "order-sign".into(),
            drafts: record_of(std::slice::from_ref(&draft)),
            ..HookCall::default()
        };
        case.context.call = Some(Arc::new(call));
        let mut checker = Checker::new(vec![]);
        let mut eval = |source: &str| {
            let compiled = checker.compile(source, None).unwrap();
            let evaluation = Evaluation::new(
                &case.record,
                &case.context,
                checker.requirements(),
                &[],
                &[],
            );
            show(&evaluation.evaluate(&compiled).unwrap())
        };
        assert_eq!(eval("medications().size()"), taken, "{draft}");
        assert_eq!(eval(drafted), drafts, "{draft}");
        assert_eq!(eval("medicationsEver().size()"), "3", "{draft}");
    }
}

#[test]
fn of_a_part_what_is_here_counts() {
    let mut case = case();
    let requests = Name::of("MedicationRequest").unwrap();
    case.record.set_incomplete(requests);
    assert!(!case.record.is_available(requests) && case.record.is_known_in_part(requests));
    let unknown = "unknown: not all MedicationRequest data was given";
    let taken = |drug: &str| format!(r#"medications().exists(m, isDrug(m, "{drug}"))"#);
    for (source, expected) in [
        (taken("warfarin").as_str(), "true"),
        (&taken("5640"), unknown),
        ("medications().isEmpty()", "false"),
        ("medications().size() > 0", "true"),
        ("medications().size() < 100", unknown),
        ("medications().size()", unknown),
    ] {
        assert_eq!(case.eval(source), expected, "{source}");
    }
    case.record.set_unavailable(requests);
    assert!(!case.record.is_known_in_part(requests));
}

#[test]
fn requirements_are_those_of_the_lists() {
    let mut checker = case().checker();
    let source = r#"medications().exists(m, isDrug(m, "warfarin")) && isDrug(order, "5640")"#;
    let compiled = checker.compile(source, Some(&Ty::Bool)).unwrap();
    let all: Vec<String> = checker
        .requirements()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        all,
        ["MedicationRequest", "MedicationStatement", "Medication"]
    );
    assert!(compiled.varies);
    // A request or a statement: neither must be there.
    assert!(compiled.needs(&[]).is_empty());
    assert!(
        !checker
            .compile("medications().size() > 0", None)
            .unwrap()
            .varies
    );
}

/// A family of two rows, one with empty cells.
fn family() -> Case {
    let drugs = DrugDictionary::built_in_arc();
    let cell = |text: &str| Val::Drugs(Arc::new(DrugSet::parse_cell(text, &drugs).unwrap()));
    Case {
        columns: vec![
            ("object".into(), Ty::Drugs),
            ("precipitant".into(), Ty::Drugs),
            ("severity".into(), Ty::String),
            ("limit".into(), Ty::Double),
        ],
        row: vec![
            cell("warfarin"),
            cell("class:nsaid"),
            Val::Str(" ".into()),
            Val::unknown("the cell is empty"),
        ],
        ..case()
    }
}

#[test]
fn rows_of_a_table() {
    let family = family();
    for (source, expected) in [
        ("isDrug(order, row.precipitant)", "true"),
        (
            "medications().exists(m, isDrug(m, row.object)) && isDrug(order, row.precipitant)",
            "true",
        ),
        (
            "medications().filter(m, isDrug(m, row.precipitant)).size()",
            "0",
        ),
        (
            "has(row.object) && !has(row.severity) && !has(row.limit)",
            "true",
        ),
        ("row.limit > 1.0", "unknown: the cell is empty"),
    ] {
        assert_eq!(family.eval(source), expected, "{source}");
        assert!(
            family.checker().compile(source, None).unwrap().varies,
            "{source}"
        );
    }
}

#[test]
fn an_explanation_names_drugs_and_cells() {
    let family = family();
    let mut checker = family.checker();
    let source = "isDrug(order, row.object) || medications().exists(m, isDrug(m, row.object))";
    let compiled = checker.compile(source, None).unwrap();
    let requirements = checker.requirements();
    let evaluation = Evaluation::new(&family.record, &family.context, requirements, &[], &[]);
    let drafts = &family.context.call.as_ref().unwrap().drafts;
    let order = drafts.of_type_named("MedicationRequest").next().unwrap();
    evaluation.turn_to(Val::Element(order), &family.row);
    let text = format!("{:?}", evaluation.explain(&compiled).unwrap());
    assert!(
        text.contains(r#"text: "row.object", truth: None, reason: None, value: Some("warfarin")"#),
        "{text}"
    );
    assert!(text.contains("2 items"), "{text}");
}

#[test]
fn mistakes_with_drugs_are_told_where_they_are() {
    let family = family();
    let told = |source: &str| -> Vec<String> {
        let problems = family.checker().compile(source, None).unwrap_err();
        let one = |p: &Finding| {
            format!(
                "{:?} {} | {}",
                p.chars(),
                p.message,
                p.help.as_deref().unwrap_or("")
            )
        };
        problems.iter().map(one).collect()
    };
    for (source, expected) in [
        (
            r#"isDrug(order, "warfarine|5640|class:nsaids")"#,
            &[
                "(15, 24) no ingredient of RxNorm is named `warfarine` | did you mean `warfarin`?",
                "(30, 42) there is no drug class `nsaids` | did you mean `nsaid`?",
            ][..],
        ),
        (
            r#"inDrugClass(order, "mao")"#,
            &["(19, 24) there is no drug class `mao` | did you mean `maoi`?"],
        ),
        (
            r#"isDrug(order, "nsaid")"#,
            &[
                "(15, 20) no ingredient of RxNorm is named `nsaid` | for the class write `class:nsaid`",
            ],
        ),
        (
            "isDrug(order, row.severity)",
            &[
                "(14, 26) `isDrug` needs drugs in quotes, such as \"warfarin\" or \"class:maoi\", or a column of drugs here, this is a text | as in `medications().exists(m, isDrug(m, \"warfarin\"))`",
            ],
        ),
        (
            r#"draftOrders("MedicationOrder").size() > 0"#,
            &[
                "(12, 29) `MedicationOrder` is no type of draft orders | drafts are `AllergyIntolerance`, `Appointment`, `Condition`, `DeviceRequest`, `MedicationRequest`, `NutritionOrder`, `ServiceRequest`, `Task`, `VisionPrescription`",
            ],
        ),
        (
            "medications().exists(m, m.status == \"active\")",
            &[
                "(26, 32) `Resource` has no element `status` | items of `medications()` are requests and statements: ask `isDrug(x, …)`, `drugName(x)`, `start(x)`, or take `MedicationRequest()`",
            ],
        ),
    ] {
        assert_eq!(told(source), expected, "{source}");
    }
}

/// A draft that could not be used may have been any. What holds of those that are there holds.
#[test]
fn drafts_of_which_some_are_there() {
    let mut incomplete = call();
    let requests = Name::of("MedicationRequest").unwrap();
    incomplete.drafts.set_incomplete(requests);
    let mut case = case();
    case.context.call = Some(Arc::new(incomplete));
    let unknown = "unknown: not every draft could be used";
    for (source, expected) in [
        (r#"draftOrders("MedicationRequest").exists()"#, "true"),
        (
            r#"selections("MedicationRequest").exists(d, isDrug(d, "ibuprofen"))"#,
            "true",
        ),
        (
            r#"selections("MedicationRequest").exists(d, isDrug(d, "amiodarone"))"#,
            unknown,
        ),
        (r#"draftOrders("ServiceRequest").size()"#, "0"),
    ] {
        assert_eq!(case.eval(source), expected, "{source}");
    }
}

/// A draft that could not be used may have been any: of its type nothing is told, of others all.
#[test]
fn drafts_that_are_not_all_there() {
    let mut incomplete = call();
    let requests = Name::of("MedicationRequest").unwrap();
    incomplete.drafts.set_unavailable(requests);
    let mut case = case();
    case.context.call = Some(Arc::new(incomplete));
    let unknown = "unknown: not every draft could be used";
    for (source, expected) in [
        (r#"draftOrders("MedicationRequest").size() > 0"#, unknown),
        (
            r#"selections("MedicationRequest").exists(d, isDrug(d, "ibuprofen"))"#,
            unknown,
        ),
        (r#"draftOrders("ServiceRequest").size()"#, "0"),
    ] {
        assert_eq!(case.eval(source), expected, "{source}");
    }
}

/// Every resource is a `Resource`, and not every one is a medication.
#[test]
fn only_a_medication_has_a_drug() {
    let case = case();
    let told = |source: &str| case.checker().compile(source, None);
    for source in [
        r#"Condition().exists(c, isDrug(c, "warfarin"))"#,
        r#"Condition().isDrug("warfarin").exists()"#,
        "allergies().exists(a, hasDrugCode(a))",
        "Observation().exists(o, sameDrug(o, order))",
    ] {
        let problems = told(source).unwrap_err();
        assert!(
            problems[0].message.contains("a medication"),
            "{source}: {problems:?}"
        );
    }
    assert_eq!(
        case.eval("allergies().exists(a, sameDrug(a, order))"),
        "false"
    );
    assert_eq!(
        case.eval(r#"medications().exists(m, isDrug(m, "warfarin"))"#),
        "true"
    );
}

/// Where nobody could be asked there may be any number.
#[test]
fn what_could_not_be_asked_has_no_date() {
    let mut case = case();
    let statements = Name::of("MedicationStatement").unwrap();
    case.record.set_unavailable(statements);
    let unknown = "unknown: no MedicationStatement data was given";
    for source in [
        "medications().during(at - days(1), at).size()",
        "medications().during(at - days(1), at).exists()",
        "medications().inLast(days(1)).size()",
    ] {
        assert_eq!(case.eval(source), unknown, "{source}");
    }
}

/// A table's classes: of an order one drug of the class, of an allergy all, and perhaps more than the list has.
#[test]
fn classes_of_a_table_in_orders_and_allergies() {
    let mut drugs = (*DrugDictionary::built_in_arc()).clone();
    let table = "system,code,display,drug\nurn:ehr,BB,,class:beta_blocker\n";
    drugs.add_codes(("codes.csv", table.as_bytes())).unwrap();
    let drugs = Arc::new(drugs);
    let class = r#"{"coding":[{"system":"urn:ehr","code":"BB"}]}"#;
    let record = record_of(&[
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"c","status":"active","intent":"order","medicationCodeableConcept":{class}}}"#
        ),
        format!(
            r#"{{"resourceType":"MedicationStatement","id":"m","status":"active",{}}}"#,
            medication("6918")
        ),
        format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{{"coding":[{{"code":"active"}}]}},"code":{class}}}"#
        ),
    ]);
    let context = EvaluationContext::at(DateTime::parse("2025-06-15T12:00:00Z").unwrap());
    let is_class = "unknown: a code stands for a drug class, not for one drug of it";
    let more =
        "unknown: an AllergyIntolerance is to a drug class, and not every drug of it is known";
    let order = "MedicationRequest().first()";
    let taken = "MedicationStatement().first()";
    let allergy = "AllergyIntolerance().first()";
    for (source, expected) in [
        (format!(r#"isDrug({order}, "class:beta_blocker")"#), "true"),
        (format!(r#"isDrug({order}, "metoprolol")"#), is_class),
        (format!(r#"isDrug({order}, "warfarin")"#), is_class),
        (format!("hasDrugCode({order})"), "false"),
        (format!("sameDrug({order}, {taken})"), is_class),
        (format!("sharedClass({order}, {taken})"), "true"),
        (format!("sameDrug({allergy}, {taken})"), "true"),
        (format!("sameDrug({allergy}, {order})"), "true"),
        (format!(r#"isAllergen({allergy}, "metoprolol")"#), "true"),
        (format!(r#"isAllergen({allergy}, "sotalol")"#), more),
    ] {
        let mut checker = Checker::new(vec![]).with_drugs(Arc::clone(&drugs));
        let compiled = checker.compile(&source, None);
        let compiled = compiled.unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
        let evaluation = Evaluation::new(&record, &context, checker.requirements(), &[], &[])
            .with_drugs(Arc::clone(&drugs));
        assert_eq!(
            show(&evaluation.evaluate(&compiled).unwrap()),
            expected,
            "{source}"
        );
    }
}
