//! The rules that come with Tandem.
#![cfg(test)]

use std::sync::Arc;

use engine_cel::Words;
use engine_patient::context::EvaluationContext;
use engine_patient::finding::Finding;
use engine_patient::hook_call::HookCall;
use engine_patient::now::Ahead;
use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use engine_patient::terminology::{TerminologyBuilder, TerminologyStore};
use rules::{
    BuiltInShared, Library, Rule, Surroundings, built_in, built_in_drugs, built_in_file,
    built_in_terminology, load, load_with,
};

fn built_in_or_why() -> Vec<Arc<Rule>> {
    match built_in() {
        Ok(rules) => rules,
        Err(problems) => panic!(
            "{}",
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n\n")
        ),
    }
}

fn rule(id: &str) -> Arc<Rule> {
    built_in_or_why()
        .into_iter()
        .find(|r| r.artifact.id.as_ref() == id)
        .unwrap()
}

fn content(path: &str) -> String {
    std::fs::read_to_string(format!("{}/content/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A rule as it would be built in, with what the built-in ones share.
fn load_shared(file: &str, text: &str) -> Result<Rule, Vec<Finding>> {
    let terminology = built_in_terminology();
    let shared = BuiltInShared::new(&terminology).unwrap();
    shared.beside(file, |beside| load_with(file, text, beside))
}

const FILES: [&str; 3] = [
    "cancer-screening/colorectal-cancer-screening.yaml",
    "diabetes/hba1c-control.yaml",
    "hypertension/blood-pressure-control.yaml",
];

#[test]
fn load_without_warnings_and_pass_their_cases() {
    let (mut failures, mut count) = (vec![], 0);
    for rule in built_in_or_why() {
        assert!(rule.warnings.is_empty(), "{:?}", rule.warnings);
        assert_eq!(rule.coverage(), [], "{}", rule.file);
        for case in rule.run_cases() {
            count += 1;
            failures.extend(
                case.failures
                    .iter()
                    .map(|f| format!("{}:{} {}: {f}", rule.file, case.line, case.name)),
            );
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(count > 100, "{count}");
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let root = format!("{}/content", env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    for topic in std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
    {
        let files = std::fs::read_dir(topic).unwrap().map(|e| e.unwrap().path());
        found.extend(files.filter(|p| p.extension().is_some_and(|e| e == "yaml")));
    }
    assert_eq!(found.len(), built_in_or_why().len(), "{found:?}");
    for rule in built_in_or_why() {
        assert!(
            found
                .iter()
                .any(|p| p.ends_with(rule.file.strip_prefix("rules/content/").unwrap())),
            "{}",
            rule.file
        );
        if rule.is_measure() {
            assert_eq!(
                *rule.artifact.url,
                format!("https://tandem-cds.dev/Measure/{}", rule.artifact.id)
            );
        }
    }
}

/// Cases are worth something only if a slip in the rule fails one of them.
#[test]
fn a_slip_in_a_rule_fails_a_case() {
    let slips = [
        (0, "\nexcluded:", "\ninclude_deceased: true\nexcluded:"),
        (1, "\nexcluded:", "\ninclude_deceased: true\nexcluded:"),
        (2, "\nexcluded:", "\ninclude_deceased: true\nexcluded:"),
        (1, ">= 18", "> 18"),
        (1, "<= 75", "< 75"),
        (1, "<= 75", "<= 76"),
        (1, "<= 9.0", "< 9.0"),
        (1, ".completed()", ""),
        (1, ".withResult()", ""),
        (1, ".asOf(at)", ""),
        (1, "inLast(months(12))", "inLast(months(11))"),
        (1, "inLast(months(12))", "inLast(months(13))"),
        (
            1,
            "results.inLast(months(12))",
            "results.during(at - months(12), at)",
        ),
        (1, "results.inLast(months(12))", "results"),
        (1, "\"diabetes\").active()", "\"diabetes\").ever()"),
        (1, "recent.exists() && latest_value", "latest_value"),
        (1, "orElse(recent.latestValue(", "orElse(recent.highest("),
        (1, ".latest()", ".earliest()"),
        (0, ">= 45", "> 45"),
        (0, "<= 75", "<= 76"),
        (0, "years(1)", "years(2)"),
        (0, "years(3)", "years(1)"),
        (0, "years(5)", "years(7)"),
        (0, "years(5)", "years(3)"),
        (0, "years(10)", "years(11)"),
        (0, "years(10)", "years(9)"),
        (0, "\"colonoscopy\").completed()", "\"colonoscopy\")"),
        (0, "\"fobt\").completed()", "\"fobt\")"),
        (0, ".withResult()", ""),
        (
            0,
            "\"colorectal-cancer\").ever()",
            "\"colorectal-cancer\").active()",
        ),
        (0, "\"colorectal-cancer\").ever()", "\"colorectal-cancer\")"),
        (0, "stool_blood_test ||", ""),
        (0, "|| ct_colonography", ""),
        (2, ">= 18", ">= 17"),
        (2, "<= 85", "<= 86"),
        (2, "< 140.0", "<= 140.0"),
        (2, "< 90.0", "<= 90.0"),
        (2, "hours(12)", "hours(24)"),
        (2, "hours(12)", "hours(0)"),
        (
            2,
            "kidney-disease\").active()",
            "kidney-disease\").filter(c, !active(c))",
        ),
    ];
    let mut survivors = vec![];
    for (file, from, to) in slips {
        let text = content(FILES[file]);
        let (criteria, cases) = text.split_at(text.find("\ncases:").unwrap());
        assert!(criteria.contains(from), "{from}");
        let text = format!("{}{cases}", criteria.replace(from, to));
        let rule = match load_shared(FILES[file], &text) {
            Ok(rule) => rule,
            Err(problems) => panic!("{from} → {to}: {}", problems[0]),
        };
        let failed = rule
            .run_cases()
            .iter()
            .any(|case| !case.failures.is_empty());
        if !failed {
            survivors.push(format!(
                "{}: no case fails with `{to}` for `{from}`",
                FILES[file]
            ));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// What the rules share is no rule of its own: their cases have to find a slip in it.
#[test]
fn a_slip_in_what_the_rules_share_fails_a_case() {
    let status = ".filter(p, p.status in [\"in-progress\", \"completed\"])";
    let slips = [
        (status, ""),
        ("Procedure(\"hospice\") + ", ""),
        (" + Procedure(\"palliative-care\")", ""),
        (".inLast(years(1)).exists()", ".inLast(years(2)).exists()"),
        (".inLast(years(1)).exists()", ".inLast(months(11)).exists()"),
        (
            "(\"palliative-care\").active()",
            "(\"palliative-care\").ever()",
        ),
        ("start(o.value).since(at) && ", ""),
        (" && start(o.value).before(at + weeks(42))", ""),
        ("start(c) > at - weeks(42)", "start(c) < at"),
        ("at - weeks(42), true)", "at - weeks(42), false)"),
        ("due_dates.exists()\n    || ", ""),
        (
            "(\"statin-intolerance\").active()",
            "(\"statin-intolerance\").ever()",
        ),
        ("\"class:statin\"", "\"class:maoi\""),
        ("(\"liver-disease\").active()", "(\"liver-disease\")"),
        (
            "(\"dialysis-dependence\").active()",
            "(\"dialysis-dependence\")",
        ),
        ("daysBetween(c, e) >= 0", "daysBetween(c, e) >= 1000"),
        ("daysBetween(o, e) >= 0", "daysBetween(o, e) >= 1000"),
        (".filter(m, hasDrugCode(m)).exists", ".exists"),
        (", reference(a) == \"\")", ", false)"),
        ("\n    || pregnant\n", "\n"),
        ("(\"breastfeeding\").active()", "(\"breastfeeding\").ever()"),
        ("\n    || end_of_life\n", "\n"),
        ("inDrugClass(m, \"statin\")", "inDrugClass(m, \"maoi\")"),
        ("(\"smoking-status\").completed()", "(\"smoking-status\")"),
        ("withResult().asOf(at)\n  ever", "withResult()\n  ever"),
        ("inValueSet(o.value, \"smoker\") || ", ""),
        (" || inValueSet(o.value, \"former-smoker\")", ""),
        (
            "(\"nicotine-dependence\").ever()",
            "(\"nicotine-dependence\").active()",
        ),
        ("(\"former-smoker\").ever()", "(\"former-smoker\")"),
        ("creatinine_newer ? ckdEpi2021(creatinine)", "false ? 1.0"),
        ("egfr_newer ? egfr", "false ? egfr"),
    ];
    let text = content("library.yaml");
    let terminology = built_in_terminology();
    // Those of orders last: they have the most cases, and few of these slips are theirs.
    let mut ids = built_in_or_why();
    ids.sort_by_key(|rule| rule.file.contains("/drug-safety/"));
    let passes = |library: &Library| {
        let drugs = library.drugs(&built_in_drugs()).unwrap();
        ids.iter().all(|rule| {
            let (file, text) = built_in_file(&rule.artifact.id).unwrap();
            let surroundings = Surroundings {
                terminology: &terminology,
                drugs: Arc::clone(&drugs),
                library: Some(library),
                tables: &|name| rules::built_in_table(file, name),
            };
            let rule = load_with(file, text, &surroundings);
            let rule = rule.unwrap_or_else(|problems| panic!("{}", problems[0]));
            rule.run_cases().iter().all(|case| case.failures.is_empty())
        })
    };
    let mut survivors = vec![];
    for (from, to) in slips {
        assert!(text.contains(from), "{from}");
        let library = Library::load("rules/content/library.yaml", &text.replace(from, to));
        if passes(&library.unwrap()) {
            survivors.push(format!("no case fails with `{to}` for `{from}`"));
        }
    }
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

const AT: &str = "2025-12-31T12:00:00Z";
const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15"}"#;
const DIABETES: &str = r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]}}"#;
const UNSURE_DIABETES: &str = r#"{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}]}}"#;
const HOSPICE: &str = r#"{"resourceType":"Procedure","id":"h","status":"completed","performedDateTime":"2025-11-01","code":{"coding":[{"system":"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets","code":"G0182"}]}}"#;
const GOOD_HBA1C: &str = r#"{"resourceType":"Observation","id":"o","status":"final","effectiveDateTime":"2025-11-01","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"valueQuantity":{"value":7,"system":"http://unitsofmeasure.org","code":"%"}}"#;

/// The rule of HbA1c, that tells what it cannot.
fn telling() -> Rule {
    let text = content(FILES[1]).replace("unknown: silent", "unknown: card");
    let rule = load_shared(FILES[1], &text).unwrap();
    assert_eq!(rule.on_unknown, rules::OnUnknown::Card);
    rule
}

fn record(resources: &[&str]) -> PatientRecord {
    let mut record = PatientRecord::new();
    for json in resources {
        record.push(json).unwrap();
    }
    record
}

fn context() -> EvaluationContext {
    EvaluationContext::at(DateTime::parse(AT).unwrap())
}

fn rows(rule: &Rule, resources: &[&str]) -> String {
    let rows = rule.rows(&record(resources), &context()).unwrap();
    let names: Vec<_> = rows.iter().map(|r| r.kind.as_str()).collect();
    assert_eq!(
        names,
        [
            "initial-population",
            "denominator",
            "denominator-exclusion",
            "numerator"
        ]
    );
    assert!(
        rows.iter()
            .all(|r| (r.outcome == Truth::Unknown) == r.unknown_reason.is_some())
    );
    rows.iter()
        .map(|r| r.outcome.as_str().chars().next().unwrap())
        .collect()
}

/// Eligible, denominator, exclusion, numerator: t, f, u.
#[test]
fn rows_are_gated_as_a_proportion_measure_wants() {
    let rule = rule("hba1c-control");
    assert_eq!(rows(&rule, &[PATIENT, DIABETES]), "ttff");
    assert_eq!(rows(&rule, &[PATIENT, DIABETES, GOOD_HBA1C]), "ttft");
    assert_eq!(
        rows(&rule, &[PATIENT, DIABETES, HOSPICE, GOOD_HBA1C]),
        "tttf"
    );
    // Not eligible: nothing else.
    assert_eq!(rows(&rule, &[PATIENT, HOSPICE, GOOD_HBA1C]), "ffff");
    // Eligible is unknown: the others too, unless they are false for sure.
    assert_eq!(rows(&rule, &[PATIENT, UNSURE_DIABETES, HOSPICE]), "uuuf");
    assert_eq!(rows(&rule, &[PATIENT, UNSURE_DIABETES]), "uuff");
    assert_eq!(rows(&rule, &[PATIENT, UNSURE_DIABETES, GOOD_HBA1C]), "uufu");
    assert_eq!(rows(&rule, &[]), "ffff");
}

#[test]
fn necessary_requirements_leave_out_only_whom_nothing_concerns() {
    for (id, expected) in [
        (
            "hba1c-control",
            "Condition: code in https://tandem-cds.dev/ValueSet/diabetes",
        ),
        (
            "blood-pressure-control",
            "Condition: code in https://tandem-cds.dev/ValueSet/essential-hypertension",
        ),
        ("colorectal-cancer-screening", ""),
    ] {
        let rule = rule(id);
        let named: Vec<_> = rule
            .necessary_requirements(0, RowOptions::default())
            .iter()
            .flatten()
            .map(|i| rule.data_requirements()[*i].to_string())
            .collect();
        assert_eq!(named.join(" "), expected);
    }
}

#[test]
fn a_rule_is_the_same_on_every_thread() {
    let rule = rule("hba1c-control");
    let decide = || rule.decide(&record(&[PATIENT, DIABETES]), &context());
    let here = decide().unwrap();
    let there = std::thread::scope(|s| s.spawn(decide).join().unwrap());
    assert_eq!(Ok(&here), there.as_ref());
    let detail = &here.card().unwrap().detail;
    assert!(
        !detail.contains("unknown") && detail.contains("\n- Results in the last 12 months: 0\n"),
        "{detail}"
    );
    assert_eq!(
        here.card().unwrap().summary,
        "HbA1c is due: none in the last 12 months"
    );
    assert_eq!(
        rule.explain(&record(&[PATIENT, DIABETES]), &context())
            .unwrap()
            .len(),
        3
    );
}

/// `why: true`: of each value set that the question asks for the latest up to the moment, whatever its offset,
/// with its day in the zone of the run; or that there is none.
#[test]
fn a_card_says_what_is_on_record() {
    let colonoscopy = |id: &str, day: &str| {
        format!(
            r#"{{"resourceType":"Procedure","id":"{id}","status":"completed","performedDateTime":"{day}","code":{{"coding":[{{"system":"https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets","code":"G0121"}}]}}}}"#
        )
    };
    let (first, second, later) = (
        colonoscopy("a", "2011-03-02T00:30:00+05:00"),
        colonoscopy("b", "2011-03-01T22:00:00Z"),
        colonoscopy("c", "2030-01-01"),
    );
    let fit = r#"{"resourceType":"Observation","id":"f","status":"final","effectiveDateTime":"2022-02-01T23:00:00-05:00","code":{"coding":[{"system":"http://loinc.org","code":"14563-1"}]},"valueString":"*neg*"}"#;
    let rule = rule("colorectal-cancer-screening");
    let chart = record(&[PATIENT, &first, &second, &later, fit]);
    // In a call one that is said to be done years ahead contradicts itself.
    let decision = rule.decide(&chart, &context()).unwrap();
    assert_eq!(decision.applicability, rules::Applicability::Unknown);
    let given = context().with_ahead(Ahead::GIVEN);
    let decision = rule.decide(&chart, &given).unwrap();
    let detail = &decision.card().unwrap().detail;
    let (_, on_record) = detail.split_once("On record:\n\n").unwrap();
    assert_eq!(
        on_record.lines().collect::<Vec<_>>(),
        [
            "- Fecal occult blood test: \\*neg\\*, 2022-02-02",
            "- Stool DNA test with FIT: nothing",
            "- CT colonography: nothing",
            "- Flexible sigmoidoscopy: nothing",
            "- Colonoscopy: 2011-03-01, the latest of 2",
        ]
    );
    // A rule that does not ask for it has none.
    let silent = self::rule("hba1c-control").decide(&record(&[PATIENT, DIABETES]), &context());
    assert!(!silent.unwrap().card().unwrap().detail.contains("On record"));
}

/// A reviewer who knows no CEL reads what is asked, with the titles of value sets.
#[test]
fn a_rule_is_read_out_in_words() {
    let said = |words: &Words| -> Vec<String> {
        fn gather(words: &Words, all: &mut Vec<String>) {
            match words {
                Words::Said(text) => all.push(text.clone()),
                Words::All(parts) | Words::Any(parts) => parts.iter().for_each(|p| gather(p, all)),
            }
        }
        let mut all = vec![];
        gather(words, &mut all);
        all
    };
    let kidney = rule("kidney-health-evaluation").read_out(None);
    let (field, eligible) = &kidney.questions[0];
    assert_eq!(*field, "eligible");
    assert!(matches!(eligible, Words::All(_)));
    assert_eq!(
        said(eligible),
        [
            "the age in years is at least 18",
            "the age in years is at most 85",
            "there are diagnoses in “Diabetes” (280 codes) that are active",
        ]
    );
    let done = kidney
        .definitions
        .iter()
        .find(|(name, _)| name == "egfr_done");
    let (_, done) = done.unwrap();
    let text = said(done).join("");
    assert!(
        text.starts_with("there are results in “Estimated glomerular filtration rate”")
            && text.ends_with("that are completed, with a result, of the last 12 months"),
        "{text}"
    );
    // No rule of ours keeps more than a part of an expression as code.
    for rule in built_in_or_why() {
        let read = rule.read_out(Some("order"));
        for (field, words) in &read.questions {
            for text in said(words) {
                assert!(
                    !text.is_empty() && !text.starts_with('`'),
                    "{} {field}: {text}",
                    rule.artifact.id
                );
            }
        }
        assert_eq!(
            read.rows.is_empty(),
            read.columns.is_empty(),
            "{}",
            rule.artifact.id
        );
    }
}

/// Beside each part stands which value set, drugs or class it was compared with.
#[test]
fn an_explanation_names_value_sets_and_drugs() {
    let compared = |id: &str, resources: &[&str]| {
        let explained = rule(id).explain(&record(resources), &context()).unwrap();
        let (mut all, mut open): (Vec<String>, Vec<_>) =
            (vec![], explained.iter().map(|(_, c)| c).collect());
        while let Some(clause) = open.pop() {
            all.extend(clause.compared.clone());
            open.extend(&clause.clauses);
        }
        all
    };
    let all = compared("hba1c-control", &[PATIENT, DIABETES]);
    let sets = "value set “Diabetes”, https://tandem-cds.dev/ValueSet/diabetes";
    assert!(
        all.iter()
            .any(|c| c.starts_with(sets) && c.ends_with(" codes")),
        "{all:#?}"
    );
    let statin = r#"{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"83367"}]}}"#;
    let all = compared("statin-in-diabetes", &[PATIENT, DIABETES, statin]);
    assert!(
        all.iter()
            .any(|c| c.starts_with("drugs “") && c.contains(" ingredients")),
        "{all:#?}"
    );
}

#[test]
fn an_unknown_outcome_says_what_is_missing() {
    let decision = telling()
        .decide(&record(&[PATIENT, UNSURE_DIABETES]), &context())
        .unwrap();
    let card = decision.card().unwrap();
    assert_eq!(card.summary, "HbA1c control could not be checked");
    // To a clinician; to an author the reason itself, with its element.
    let plain =
        "whether it is for this patient: the clinical status of a diagnosis or problem is missing";
    assert!(card.detail.contains(plain), "{}", card.detail);
    let reason = decision.unknown_reason.as_deref().unwrap();
    assert_eq!(reason, "`Condition.clinicalStatus` is missing");
    assert!(!card.detail.contains("left out"));
}

/// Under a population's name each criterion that could not be told stands with its own.
#[test]
fn an_unknown_row_names_the_criterion() {
    let undated = HOSPICE.replace(r#""performedDateTime":"2025-11-01","#, "");
    let no_unit = GOOD_HBA1C.replace(r#","system":"http://unitsofmeasure.org","code":"%""#, "");
    let rule = rule("hba1c-control");
    let told = |resources: &[&str]| -> Vec<Option<String>> {
        let rows = rule.rows(&record(resources), &context()).unwrap();
        let reasons = rows.iter().map(|r| r.unknown_reason.as_deref());
        reasons.map(|r| r.map(str::to_owned)).collect()
    };
    let both = told(&[PATIENT, DIABETES, &undated, &no_unit]);
    assert_eq!(both[0], None);
    let (exclusion, numerator) = (both[2].as_deref().unwrap(), both[3].as_deref().unwrap());
    assert!(exclusion.starts_with("excluded: "), "{exclusion}");
    assert!(
        numerator.starts_with(&format!("{exclusion}; satisfied: ")),
        "{numerator}"
    );
    let satisfied = told(&[PATIENT, DIABETES, &no_unit]);
    assert_eq!(satisfied[2], None);
    let numerator = satisfied[3].as_deref().unwrap();
    assert!(numerator.starts_with("satisfied: "), "{numerator}");
    // Where nobody knows whether it is for the patient, that is the first of them.
    let eligible = told(&[PATIENT, UNSURE_DIABETES]);
    let missing = "`Condition.clinicalStatus` is missing";
    assert_eq!(eligible[0].as_deref(), Some(missing));
    assert_eq!(eligible[3], None);
}

/// Nor a file with a slip of the keyboard anywhere.
#[test]
fn no_slip_of_the_keyboard_panics() {
    let terminology = built_in_terminology();
    let shared = BuiltInShared::new(&terminology).unwrap();
    let junk: Vec<char> = "{}[]\"'|>&*!%@`:#-\t\n é\u{0}(.,".chars().collect();
    let mut seed = 7usize;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for file in FILES {
        let good: Vec<char> = content(file).chars().collect();
        for _ in 0..60 {
            let mut text = good.clone();
            for _ in 0..=random(3) {
                let at = random(text.len());
                match random(3) {
                    0 => drop(text.remove(at)),
                    1 => text.insert(at, junk[random(junk.len())]),
                    _ => text.truncate(at.max(2)),
                }
            }
            let text: String = text.into_iter().collect();
            let loaded = shared.beside(file, |beside| load_with(file, &text, beside));
            if let Ok(rule) = loaded {
                rule.run_cases();
            }
        }
    }
}

/// What is typed so far must never crash the checker of an editor.
#[test]
fn no_prefix_of_a_file_panics() {
    let terminology = TerminologyStore::default();
    for file in FILES {
        let text = content(file);
        let cases = text.find("\ncases:").unwrap() + 1500;
        let ends = text
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at < cases);
        // Each prefix is checked whole, every expression on a stack of its own: not all of them.
        for end in ends.step_by(19).chain([text.len() - 1]) {
            let prefix = &text[..end];
            if let Err(problems) = load(file, prefix, &terminology) {
                assert!(!problems.is_empty());
                let lines = prefix.lines().count() + 1;
                assert!(
                    problems.iter().all(|p| p
                        .place
                        .span
                        .as_ref()
                        .is_some_and(|s| s.line <= lines && s.length >= 1)),
                    "{problems:?}"
                );
            }
        }
    }
}

const DEAD: &str = r#"{"resourceType":"Patient","id":"p","birthDate":"1960-06-15","deceasedDateTime":"2025-11-30T10:00:00Z"}"#;

/// By default: nothing of the dead, in rows and in cards; the explanation says why.
#[test]
fn the_dead_are_in_no_population_and_get_no_card() {
    let own = rule("hba1c-control");
    assert_eq!(rows(&own, &[DEAD, DIABETES]), "ffff");
    let record = record(&[DEAD, DIABETES]);
    let decision = own.decide(&record, &context()).unwrap();
    assert_eq!(decision.card(), None);
    let (criterion, clause) = own.explain(&record, &context()).unwrap().remove(0);
    assert_eq!((criterion, clause.truth), ("eligible", Some(Truth::False)));
    assert_eq!(clause.clauses[0].text, "!deceased(at)");
    assert_eq!(clause.clauses[0].truth, Some(Truth::False));
    assert_eq!(clause.clauses[0].clauses[0].text, "deceased(at)");
    // Unless the author says otherwise, as for a measure of mortality.
    let text = content(FILES[1]).replace("\nexcluded:", "\ninclude_deceased: true\nexcluded:");
    let all = load_shared(FILES[1], &text).unwrap();
    assert!(all.include_deceased && !own.include_deceased);
    assert_eq!(rows(&all, &[DEAD, DIABETES]), "ttff");
}

/// Measure and card: coded in systems that no set of the criterion has is not "no".
#[test]
fn care_coded_in_other_systems_is_not_evaluable() {
    let condition = r#"{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"coding":[{"system":"urn:local","code":"1"}]}}"#;
    let rule = telling();
    assert_eq!(rows(&rule, &[PATIENT, condition]), "uuuf");
    assert_eq!(rows(&rule, &[PATIENT, condition, GOOD_HBA1C]), "uuuu");
    let decision = rule
        .decide(&record(&[PATIENT, condition]), &context())
        .unwrap();
    assert_eq!(
        decision.card().unwrap().summary,
        "HbA1c control could not be checked"
    );
    // Too old, whatever the codes are.
    let old = PATIENT.replace("1960", "1930");
    assert_eq!(rows(&rule, &[&old, condition]), "ffff");
    let elements: Vec<_> = rule
        .coded_elements()
        .iter()
        .map(|(ty, path)| format!("{}.{path}", ty.as_str()))
        .collect();
    assert_eq!(
        elements,
        ["Condition.code", "Observation.code", "Procedure.code"]
    );
}

/// What every eligible patient has a match of: by it a run leaves out the others.
#[test]
fn what_an_eligible_patient_must_have() {
    let needed = |rule: &Rule| {
        let groups = rule.necessary_requirements(0, RowOptions::default());
        assert!(groups.iter().all(|group| group.len() == 1));
        let shown = groups.concat().into_iter().map(|index| {
            let requirement = &rule.data_requirements()[index];
            let set = &requirement.codes.as_ref().unwrap().value_set;
            let set = set.url.rsplit('/').next().unwrap();
            format!("{}:{set}", requirement.resource_type.as_str())
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    let of = |id| needed(&rule(id));
    assert_eq!(of("hba1c-control"), "Condition:diabetes");
    let hypertension = of("blood-pressure-control");
    assert_eq!(hypertension, "Condition:essential-hypertension");
    assert_eq!(of("colorectal-cancer-screening"), "");
    // A medication's code may stand in a resource that is no patient's, which a run finds by reference.
    let diabetes = "Condition(\"diabetes\").active().exists()";
    for (eligible, expected) in [
        ("Encounter(\"diabetes\").size() > 0", "Encounter:diabetes"),
        ("MedicationRequest(\"hospice\").size() > 0", ""),
        ("Medication(\"hospice\").size() > 0", ""),
        ("Encounter().size() > 0", ""),
    ] {
        let text = content(FILES[1]).replace(diabetes, eligible);
        assert!(text.contains(eligible));
        let own = load_shared(FILES[1], &text);
        let own = own.unwrap_or_else(|problems| panic!("{eligible}: {problems:?}"));
        assert_eq!(needed(&own), expected, "{eligible}");
    }
}

/// Families look rows and lists up by drug; asked one after the other they say the same. Where outcomes of
/// conditions are noted, nothing is looked up.
#[test]
fn what_is_looked_up_by_drug_is_what_is_gone_through() {
    /// Of so many at the end it is not known in full which drug they are.
    const UNKNOWN: usize = 6;
    // Of RxNorm: products, ingredients, an ingredient of which a salt is in a set, a salt of which no ingredient is
    // known; by text, known in full or in part; codes of a table, for a drug, a class and that salt.
    const CODES: [&str; 21] = [
        "855332",
        "310965",
        "833528",
        "21212",
        "312961",
        "860975",
        "11289",
        "5640",
        "10829",
        "6851",
        "314076",
        "243670",
        "6057",
        "=warfarin sodium 5 MG Oral Tablet",
        "#W",
        "2708",
        "=ibuprofen",
        "#BB",
        "#C",
        "1",
        "",
    ];
    const TABLE: &str = "system,code,display,drug\nurn:ehr,W,,warfarin\nurn:ehr,BB,,class:beta_blocker\nurn:ehr,C,,colistimethate\n";
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let order = |id: &str, status: &str, code: &str| {
        let coded = |system: &str, code: &str| {
            format!(
                r#","medicationCodeableConcept":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}"#
            )
        };
        let medication = match (code, code.strip_prefix('='), code.strip_prefix('#')) {
            ("", ..) => String::new(),
            (_, Some(text), _) => {
                format!(r#","medicationCodeableConcept":{{"text":"{text}"}}"#)
            }
            (_, _, Some(code)) => coded("urn:ehr", code),
            _ => coded("http://www.nlm.nih.gov/research/umls/rxnorm", code),
        };
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"{status}","intent":"order","subject":{{"reference":"Patient/1"}},"authoredOn":"2025-01-01"{medication}}}"#
        )
    };
    let mut of_table = TerminologyBuilder::new();
    of_table.add_table("codes.csv", TABLE.as_bytes());
    let mut terminology = rules::built_in_terminology();
    terminology.unite(of_table.build().0);
    let families: Vec<Arc<Rule>> = rules::built_in_with(&terminology)
        .unwrap()
        .into_iter()
        .filter(|rule| rule.hooks.contains(&rules::Hook::OrderSign))
        .collect();
    let at = DateTime::parse("2025-06-01T12:00:00Z").unwrap();
    let (mut cards, mut unknown) = (0, 0);
    for round in 0..12 {
        let mut record = PatientRecord::new();
        record
            .push(
                r#"{"resourceType":"Patient","id":"1","birthDate":"1950-01-01","gender":"female"}"#,
            )
            .unwrap();
        let mut call = HookCall {
            hook: "order-sign".into(),
            ..HookCall::default()
        };
        for n in 0..12 {
            let code = CODES[next(CODES.len() - UNKNOWN * (round % 2))];
            record
                .push(&order(&format!("m{n}"), "active", code))
                .unwrap();
            let code = CODES[next(CODES.len())];
            call.drafts
                .push(&order(&format!("d{n}"), "draft", code))
                .unwrap();
        }
        record.seal();
        let looked_up = EvaluationContext::at(at).with_call(Arc::new(call));
        let gone_through = looked_up.clone().noting(Arc::default());
        for rule in &families {
            let decision = rule.decide(&record, &looked_up).unwrap();
            let expected = rule.decide(&record, &gone_through).unwrap();
            assert_eq!(decision, expected, "{}", rule.artifact.id);
            unknown += usize::from(decision.has_unknown_card);
            cards += decision.cards.len();
        }
    }
    assert!(cards > 200 && unknown > 12, "{cards} {unknown}");
}
