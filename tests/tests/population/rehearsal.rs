//! A replayed call gives what the service gives for the same call: byte for byte.
//!
//! Calls are taken at random out of a pass over the lake. Each is sent to the router again, as an EHR
//! would: with a prefetch that is made of all that was known then, read by itself, with the drafts, and the
//! clock at its moment. The answer must be the one of a service that says what the rule said in the pass.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use cds_hooks::{CardService, Config, Outcome, Templates, router, rule_services};
use datafusion::physical_plan::collect;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, ResultRow, RowOptions, Wanted,
};
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::{UTC, Zone};
use engine_population::evaluate::EvaluateTable;
use engine_population::lake::Lake;
use engine_population::lake::systems::systems_in_use;
use engine_population::session::session;
use rehearse::replay::{Call, replay};
use rehearse::{Asked, Candidate, HOOKS, Line, Rehearsal, Rehearsed, Settings};
use rules::{Hook, Rule};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fixture::{fixture, import_into};

/// Calls that are compared; half of them without regard to what came of them, half with a card.
const SAMPLE: usize = 120;

fn settings(year: u32) -> Settings {
    let day = |text: String| DateTime::parse(&text).unwrap();
    Settings {
        period: (
            day(format!("{year}-01-01")).earliest(&UTC),
            day(format!("{year}-12-31")).latest(&UTC),
        ),
        zone: UTC.clone(),
        hooks: HOOKS.to_vec(),
        last_updated: false,
        assumed_days: 30,
    }
}

/// Patient, number of the call, place of the service.
type Key = (String, u32, usize);

/// Keeps what services say at some of the calls.
#[derive(Debug)]
struct Sampled {
    /// What is read is what a rehearsal reads.
    like: Rehearsal,
    settings: Settings,
    services: Services,
    kept: Mutex<[BTreeMap<u64, (Key, Outcome)>; 2]>,
}

struct Services(Vec<Arc<dyn CardService>>);

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services")
    }
}

impl Sampled {
    fn ask(&self, patient: &str, call: &Call, now: &PatientRecord) {
        for (place, service) in self.services.0.iter().enumerate() {
            if service.hook().name != call.hook.as_str() {
                continue;
            }
            let outcome = service.decide(now, &call.context);
            let key = (patient.to_owned(), call.number, place);
            let mut hash = DefaultHasher::new();
            key.hash(&mut hash);
            let half = usize::from(has_card(&outcome));
            let mut kept = self.kept.lock().unwrap();
            for half in [0, half] {
                kept[half].insert(hash.finish(), (key.clone(), outcome.clone()));
                if kept[half].len() > SAMPLE / 2 {
                    kept[half].pop_last();
                }
            }
        }
    }
}

fn has_card(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Cards(cards) | Outcome::Unknown { cards, .. } => !cards.is_empty(),
        Outcome::Failed(bug) => panic!("{bug}"),
    }
}

impl PatientProgram for Sampled {
    fn artifacts(&self) -> &[Artifact] {
        self.like.artifacts()
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        self.like.data_requirements()
    }

    fn absent(&self, _: usize, _: RowOptions, _: &mut Vec<ResultRow>) {}

    fn evaluate(
        &self,
        record: &PatientRecord,
        _: &Wanted<'_>,
        _: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let id = record.patient().unwrap().get_str("id").unwrap();
        replay(record, &self.settings, &mut |call, now| {
            self.ask(&id, call, now);
            Ok(())
        })?;
        Ok(())
    }
}

/// A service as the live one has it, or one that says what was said before. One on trial shows what it has to
/// say, too.
struct Shown(Arc<dyn CardService>, Option<Outcome>);

impl CardService for Shown {
    fn id(&self) -> &str {
        self.0.id()
    }
    fn hook(&self) -> &'static cds_hooks::Hook {
        self.0.hook()
    }
    fn title(&self) -> &str {
        self.0.title()
    }
    fn description(&self) -> &str {
        self.0.description()
    }
    fn requirements(&self) -> &[DataRequirement] {
        self.0.requirements()
    }
    fn judges_code_systems(&self) -> bool {
        self.0.judges_code_systems()
    }
    fn is_shadow(&self) -> bool {
        false
    }
    fn decide(&self, record: &PatientRecord, context: &EvaluationContext) -> Outcome {
        let before = self.1.clone();
        before.unwrap_or_else(|| self.0.decide(record, context))
    }
}

/// The request of an EHR that sends all it knows; resources as they stand, with all digits of a number.
fn request(service: &dyn CardService, patient: &str, call: &Call, now: &PatientRecord) -> String {
    let bundle = |kind: &str, entries: Vec<String>| {
        let entries = entries.join(",");
        format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#)
    };
    let entry = |e: Element<'_>, mode: &str| {
        format!(r#"{{"resource":{},"search":{{"mode":"{mode}"}}}}"#, e.raw())
    };
    let mut prefetch = vec![];
    for template in Templates::of_service(service).list {
        let all = now.of_type(template.resource_type);
        let data = match template.is_read {
            true => now.patient().unwrap().raw().to_owned(),
            false => {
                let mut entries: Vec<String> = all.map(|e| entry(e, "match")).collect();
                let drugs = now.of_type_named("Medication");
                entries.extend(drugs.map(|e| entry(e, "include")));
                bundle("searchset", entries)
            }
        };
        prefetch.push(format!("{}:{data}", json!(template.key)));
    }
    let own = call.context.call.as_ref().unwrap();
    let user = own.user.as_deref().unwrap_or("Practitioner/unknown");
    let mut context = vec![
        format!(r#""patientId":{}"#, json!(patient)),
        format!(r#""userId":{}"#, json!(user)),
    ];
    if let Some(encounter) = &own.encounter {
        context.push(format!(r#""encounterId":{}"#, json!(**encounter)));
    }
    if call.hook != Hook::PatientView {
        let drafts = own.drafts.resources();
        let entries = drafts.map(|d| format!(r#"{{"resource":{}}}"#, d.raw()));
        let drafts = bundle("collection", entries.collect());
        context.push(format!(r#""draftOrders":{drafts}"#));
    }
    if let Some(selections) = &own.selections {
        context.push(format!(r#""selections":{}"#, json!(selections)));
    }
    format!(
        r#"{{"hook":"{}","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea","context":{{{}}},"prefetch":{{{}}}}}"#,
        call.hook.as_str(),
        context.join(","),
        prefetch.join(","),
    )
}

async fn post(service: Arc<dyn CardService>, at: DateTime, body: &str) -> (StatusCode, String) {
    let path = format!("/cds-services/{}", service.id());
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let config = Config::new(Arc::new(move || at));
    let response = router(config, vec![service])
        .oneshot(request)
        .await
        .unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

/// What a rehearsal lists: by patient, moment, hook and rule the indicator and text of each card.
type Listed = HashMap<(String, String, String, String), Vec<(String, String)>>;

async fn rehearsed(asked: &Asked<'_>) -> (Rehearsed, Listed) {
    let mut listed = Listed::new();
    let mut list = |line: &Line<'_>| {
        let owned = |text: &str| text.to_owned();
        let key = (
            owned(line.patient),
            owned(line.at),
            owned(line.hook),
            line.rule.artifact.id.to_string(),
        );
        let own = listed.entry(key).or_default();
        if !line.indicator.is_empty() {
            own.push((owned(line.indicator), owned(line.text)));
        }
        Ok(())
    };
    let done = rehearse::rehearse(asked, &mut list).await.unwrap();
    (done, listed)
}

/// Compares; gives how many calls were, and how many of them had a card.
async fn compare(lake: &Lake, rules: Vec<Arc<Rule>>, settings: &Settings) -> (usize, usize) {
    let candidates: Vec<Candidate> = rules
        .iter()
        .map(|rule| Candidate::of(Arc::clone(rule), settings))
        .collect();
    let elements = Rehearsal::coded_elements_of(&candidates);
    let used = systems_in_use(lake, &elements).await.unwrap();
    let services = rule_services(rules.clone());
    let program = Arc::new(Sampled {
        like: Rehearsal::new(candidates.clone(), settings.clone(), &used),
        settings: settings.clone(),
        services: Services(services.clone()),
        kept: Mutex::default(),
    });
    let context = EvaluationContext::at(UTC.moment(settings.period.1));
    let table = EvaluateTable::new(lake.clone(), vec![Arc::clone(&program) as _], context);
    let session = session(lake, 2).unwrap();
    session.register_table("said", Arc::new(table)).unwrap();
    let frame = session.table("said").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    collect(plan, session.task_ctx()).await.unwrap();
    let kept = std::mem::take(&mut *program.kept.lock().unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let asked = Asked {
        lake,
        candidates,
        against: vec![],
        settings: settings.clone(),
        threads: 2,
        seed: 1,
        samples: 2,
        repeat_days: 30,
        scratch: scratch.path(),
    };
    let (_, listed) = rehearsed(&asked).await;
    let (mut compared, mut with_card) = (0, 0);
    let all: BTreeMap<u64, (Key, Outcome)> = kept.into_iter().flatten().collect();
    let along: Vec<Name> = Name::of("Medication").into_iter().collect();
    for ((patient, number, place), outcome) in all.into_values() {
        let service = &services[place];
        let record = engine_population::patient::record(lake, &patient, &along).await;
        let record = record.unwrap().unwrap();
        let (mut made, mut calls) = (None, vec![]);
        replay(&record, settings, &mut |call, now| {
            calls.push((call.at, call.hook));
            if call.number == number {
                let body = request(service.as_ref(), &patient, call, now);
                made = Some((call.at, call.hook, body));
            }
            Ok(())
        })
        .unwrap();
        let (at, hook, body) = made.expect("the call of the pass");
        let shown = |said| Arc::new(Shown(Arc::clone(service), said));
        let live = post(shown(None), at, &body).await;
        let replayed = post(shown(Some(outcome)), at, &body).await;
        assert_eq!(live, replayed, "{} at {at}", service.id());
        assert_eq!(live.0, StatusCode::OK, "{}", live.1);
        let answer: Value = serde_json::from_str(&live.1).unwrap();
        let cards = answer["cards"].as_array().unwrap();
        let text = |card: &Value, name: &str| card[name].as_str().unwrap().to_owned();
        let shown: Vec<_> = cards
            .iter()
            .map(|card| (text(card, "indicator"), text(card, "summary")))
            .collect();
        let of_hook = |rule: &&Arc<Rule>| {
            let id = &*rule.artifact.id;
            service.id() == id || service.id() == format!("{id}-{}", hook.as_str())
        };
        let rule = rules.iter().find(of_hook).unwrap();
        let key = (
            patient,
            at.to_string(),
            hook.as_str().to_owned(),
            rule.artifact.id.to_string(),
        );
        let listed = listed.get(&key).cloned().unwrap_or_default();
        // Visits that begin at one instant share their lines of the list.
        match calls.iter().filter(|c| **c == (at, hook)).count() {
            1 => assert_eq!(listed, shown, "{} at {at}", service.id()),
            at_once => {
                let all = shown.iter().all(|card| listed.contains(card));
                let most = at_once * (1 + shown.len());
                assert!(all && listed.len() <= most, "{listed:?}, {shown:?}");
            }
        }
        compared += 1;
        with_card += usize::from(!cards.is_empty());
    }
    (compared, with_card)
}

#[test]
fn a_replayed_call_is_answered_as_the_live_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let rules = rules::built_in().unwrap();
    let (compared, with_card) = runtime.block_on(compare(&lake, rules, &settings(2025)));
    assert!(compared >= 100, "{compared} calls");
    assert!(with_card >= 50, "{with_card} with a card");
}

/// Orders are drafts of the call: an alert at two hooks, with something to do about it.
const ORDERED_AGAIN: &str = r#"
id: ordered-again
version: 1.0.0
kind: alert
title: Taken already
description: The drug that is ordered is taken already.
rationale: Two prescriptions of one drug are rarely meant.
hooks: [order-sign, order-select]
source: {title: T, publisher: P, year: 2025, url: "https://example.org", strength: A}
for_each: {order: selections("MedicationRequest")}
when: medications().exists(m, sameDrug(m, order))
unknown: card
card:
  indicator: warning
  summary: "{{ drugName(order) }} is taken already"
  detail: "{{ medications().size() }} drugs are taken."
  unknown_summary: Whether it is taken already could not be checked
  selection: at-most-one
  suggestions:
    - label: Remove the order
      actions:
        - {description: "Remove {{ drugName(order) }}", delete: order}
cases:
  - name: taken already
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, authoredOn: 2025-12-01}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|11289}
    expect: {applies: yes, cards: 1}
  - name: nothing is taken
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medication: rxnorm|11289}
    expect: {applies: no}
  - name: a drug that is not known
    at: 2025-12-31T12:00:00Z
    patient: {birthDate: 1960-01-01}
    resources:
      - {resourceType: MedicationRequest, status: active, intent: order, medication: rxnorm|11289, authoredOn: 2025-12-01}
    drafts:
      - {resourceType: MedicationRequest, status: draft, intent: order, medicationCodeableConcept: {text: a pill}}
    expect: {applies: unknown}
"#;

#[test]
fn a_replayed_order_is_answered_as_the_live_one() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let store = rules::built_in_terminology();
    let rule = rules::load("ordered-again.yaml", ORDERED_AGAIN, &store).unwrap();
    let rules = vec![Arc::new(rule)];
    let (compared, with_card) = runtime.block_on(compare(&lake, rules, &settings(2025)));
    assert!(compared >= 100, "{compared} calls");
    assert!(with_card >= 50, "{with_card} with a card");
}

/// Charts as people have them: `TANDEM_SYNTHEA` names a folder of FHIR files, else those of `../shared`
/// beside the repository are taken.
#[test]
fn a_replayed_call_of_a_real_chart_is_answered_as_the_live_one() {
    let beside = || {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/samples/synthea-r4"
        )
        .into()
    };
    let data = PathBuf::from(std::env::var_os("TANDEM_SYNTHEA").unwrap_or_else(beside));
    if !data.is_dir() {
        return println!("skipped: {} is not there", data.display());
    }
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    import_into(&data, &lake, 4, 1_700_000_000_000);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let pack = root.join("datasets/content/snomed-optional");
    let store = measures_run::rule_files::terminology(&[pack], &mut |_| {}).unwrap();
    let rules = rules::built_in_with(&store).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&lake, None)).unwrap();
    let (compared, _) = runtime.block_on(compare(&lake, rules, &settings(2019)));
    assert!(compared >= 100, "{compared} calls");
    let store = rules::built_in_terminology();
    let rule = rules::load("ordered-again.yaml", ORDERED_AGAIN, &store).unwrap();
    let rules = vec![Arc::new(rule)];
    let (compared, _) = runtime.block_on(compare(&lake, rules, &settings(2019)));
    assert!(compared >= 50, "{compared} calls with orders");
}

/// The same inputs give the same bytes, whatever the threads.
#[test]
fn a_rehearsal_is_the_same_whatever_the_threads() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let settings = settings(2025);
    let candidates: Vec<Candidate> = rules::built_in()
        .unwrap()
        .into_iter()
        .map(|rule| Candidate::of(rule, &settings))
        .collect();
    let scratch = tempfile::tempdir().unwrap();
    let mut pages = vec![];
    for threads in [1, 3] {
        let asked = Asked {
            lake: &lake,
            candidates: candidates.clone(),
            against: vec![(0, candidates[0].clone())],
            settings: settings.clone(),
            threads,
            seed: 1,
            samples: 2,
            repeat_days: 30,
            scratch: scratch.path(),
        };
        let mut lines = vec![];
        let done = runtime.block_on(rehearse::rehearse(&asked, &mut |line| {
            lines.push(format!(
                "{} {} {} {}",
                line.patient, line.at, line.rule.artifact.id, line.text
            ));
            Ok(())
        }));
        let report = done.unwrap().report;
        assert!(lines.is_sorted_by_key(|line| line.split(' ').next().unwrap().to_owned()));
        let json = serde_json::to_string(&report).unwrap();
        let d = &report.differences[0];
        assert_eq!((d.only_this, d.only_other, d.other_cards), (0, 0, 0));
        assert!(d.both > 0 && d.patients_only_this.is_empty() && d.patients_only_other.is_empty());
        let calls: u64 = report.hooks.iter().map(|h| h.calls).sum();
        let months: u64 = report.months.iter().map(|m| m.calls).sum();
        assert!(calls > 0 && calls == months);
        let fired = report.rules.iter().filter(|rule| rule.fired > 0);
        assert!(fired.clone().count() > 15, "{}", fired.count());
        for rule in fired {
            assert!(rule.cards_with_cooldown <= rule.cards && rule.repeats < rule.cards);
            assert!(!rule.samples.is_empty(), "{}", rule.id);
            assert!(
                rule.samples
                    .iter()
                    .all(|s| !s.why.is_empty() && !s.cards.is_empty())
            );
        }
        pages.push((lines, json, rehearse::report::page(&report)));
    }
    assert!(pages[0] == pages[1]);
}

/// The calls of a month are those of a year that lie in it, though only who has one is read: dates without a
/// time and without an offset, visits that end before they begin, orders without a date included.
#[test]
fn a_month_has_the_calls_that_the_year_has_in_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let rule = ordered_again(|text| {
        text.replace("[order-sign, order-select]", "[order-sign, patient-view]")
            .replace(
                "selections(\"MedicationRequest\")",
                "draftOrders(\"MedicationRequest\")",
            )
    });
    let zone = Zone::parse("America/New_York").unwrap();
    let run = |from: &str, to: &str| {
        let day = |text: &str| DateTime::parse(text).unwrap();
        let settings = Settings {
            period: (day(from).earliest(&zone), day(to).latest(&zone)),
            zone: zone.clone(),
            ..settings(2025)
        };
        let asked = asked(&lake, &rule, &settings, scratch.path());
        let done = runtime.block_on(rehearse::rehearse(&asked, &mut |_| Ok(())));
        done.unwrap()
    };
    let whole = run("2025-01-01", "2025-12-31");
    let mut read = vec![];
    for (month, last) in [("01", "31"), ("06", "30"), ("12", "31")] {
        let month = format!("2025-{month}");
        let own = run(&format!("{month}-01"), &format!("{month}-{last}"));
        let of = |done: &Rehearsed| {
            let mut all = done.report.months.iter().filter(|m| m.name == month);
            all.next().map(|m| (m.calls, m.cards))
        };
        assert!(of(&whole).is_some_and(|(calls, _)| calls > 0), "{month}");
        assert_eq!(of(&own), of(&whole), "{month}");
        assert_eq!(own.report.months.len(), 1, "{month}");
        read.push(own.statistics.resources);
    }
    let less = |own: &u64| own * 2 < whole.statistics.resources;
    assert!(
        read.iter().all(less),
        "{read:?} of {}",
        whole.statistics.resources
    );
}

/// What is rehearsed, with nothing to compare, and one sample.
fn asked<'a>(
    lake: &'a Lake,
    rule: &Arc<Rule>,
    settings: &Settings,
    scratch: &'a Path,
) -> Asked<'a> {
    Asked {
        lake,
        candidates: vec![Candidate::of(Arc::clone(rule), settings)],
        against: vec![],
        settings: settings.clone(),
        threads: 2,
        seed: 1,
        samples: 1,
        repeat_days: 30,
        scratch,
    }
}

fn ordered_again(change: impl Fn(&str) -> String) -> Arc<Rule> {
    let store = rules::built_in_terminology();
    Arc::new(rules::load("ordered-again.yaml", &change(ORDERED_AGAIN), &store).unwrap())
}

/// A shadow rule has counts of its own, and interrupts nobody.
#[test]
fn a_shadow_rule_interrupts_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let (settings, scratch) = (settings(2025), tempfile::tempdir().unwrap());
    let active = ordered_again(str::to_owned);
    let shadow = ordered_again(|text| text.replace("kind: alert", "kind: alert\nstatus: shadow"));
    let run = |rule: Arc<Rule>| {
        let asked = asked(&lake, &rule, &settings, scratch.path());
        runtime.block_on(rehearsed(&asked)).0.report
    };
    let (active, shadow) = (run(active), run(shadow));
    let cards = |all: &[rehearse::report::Named]| all.iter().map(|n| n.cards).sum::<u64>();
    assert!(active.rules[0].cards > 0 && active.rules[0].cards == shadow.rules[0].cards);
    assert_eq!(cards(&active.months), active.rules[0].cards);
    for all in [&shadow.months, &shadow.clinicians, &shadow.sites] {
        assert_eq!(cards(all), 0);
    }
    let shown = rehearse::report::table::short(&shadow);
    assert_eq!(shown.rows[0][0], "ordered-again (shadow)");
    assert!(rehearse::report::page(&shadow).contains("nobody sees its cards"));
}

/// A period without calls is said, with the days that have some; and what the lake has nothing of.
#[test]
fn nothing_is_said_to_be_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let flagged = ordered_again(|text| {
        text.replace(
            "medications().exists(m, sameDrug(m, order))",
            "Flag().size() > 0",
        )
    });
    let run = |year: u32| {
        let asked = asked(&lake, &flagged, &settings(year), scratch.path());
        runtime.block_on(rehearsed(&asked)).0.report
    };
    let report = run(1801);
    let (first, last) = report.span.clone().unwrap();
    assert!(first < last && first.as_str() > "1900", "{first} {last}");
    let told = rehearse::report::table::no_call(&report).unwrap();
    assert!(told.contains("1801-01-01 to 1801-12-31"), "{told}");
    assert!(told.contains(first.split('T').next().unwrap()), "{told}");
    assert!(rehearse::report::page(&report).contains(&told));
    let report = run(2025);
    assert!(report.span.is_none() && rehearse::report::table::no_call(&report).is_none());
    let flag = |what: &String| what == "Flag";
    assert!(report.unmatched.iter().any(flag), "{:?}", report.unmatched);
}

/// Cards that say that something could not be checked are calls with a card; lines of the list tell cards
/// from silence, and versions of one number apart.
#[test]
fn what_could_not_be_checked_is_a_card() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lake = runtime.block_on(Lake::open(&fixture().lake, None)).unwrap();
    let (settings, scratch) = (settings(2025), tempfile::tempdir().unwrap());
    let when = "medications().exists(m, sameDrug(m, order))";
    let loud = ordered_again(|text| text.replace(when, r#"order.priority == "stat""#));
    let silent = ordered_again(|text| {
        text.replace(when, r#"order.priority == "stat""#)
            .replace("unknown: card", "unknown: silent")
    });
    let mut asked = asked(&lake, &loud, &settings, scratch.path());
    asked.against = vec![(0, Candidate::of(silent, &settings))];
    let mut lines = vec![];
    let done = runtime.block_on(rehearse::rehearse(&asked, &mut |line| {
        lines.push((line.of.to_owned(), line.card));
        Ok(())
    }));
    let report = done.unwrap().report;
    let rule = &report.rules[0];
    assert_eq!(rule.fired, 0);
    assert!(rule.with_card > 0 && rule.with_card == rule.unknown_with_card);
    assert!(rule.per_100_calls > 0.0 && rule.patients > 0);
    let count =
        |of: &str, card: bool| lines.iter().filter(|l| l.0 == of && l.1 == card).count() as u64;
    assert_eq!((count("this", true), count("this", false)), (rule.cards, 0));
    assert_eq!(
        (count("against", true), count("against", false)),
        (0, rule.unknown)
    );
    let d = &report.differences[0];
    assert_eq!((d.only_this, d.only_other, d.both), (rule.with_card, 0, 0));
    assert_eq!(d.patients_only_this.len() as u64, rule.patients);
}
