use super::*;
use crate::now::{Ahead, Now};
use crate::record::{Element, PatientRecord};
use crate::system::date_time::DateTime;
use crate::system::zone::UTC;
use crate::terminology::{DrugDictionary, DrugFiles};

const AT: &str = "2025-06-15T10:00:00Z";

fn told(json: &str, judge: fn(Element<'_>, Now<'_>) -> Result<bool, Reason>) -> String {
    told_in(json, Ahead::PAST, judge)
}

fn told_in(
    json: &str,
    ahead: Ahead,
    judge: fn(Element<'_>, Now<'_>) -> Result<bool, Reason>,
) -> String {
    let mut record = PatientRecord::new();
    record.push(json).unwrap();
    let at = DateTime::parse(AT).unwrap();
    let resource = record.resources().next().unwrap();
    let now = Now {
        at,
        zone: &UTC,
        ahead,
    };
    match judge(resource, now) {
        Ok(told) => told.to_string(),
        Err(reason) => reason.into_owned(),
    }
}

pub(super) fn request(more: &str) -> String {
    format!(r#"{{"resourceType":"MedicationRequest","id":"m"{more}}}"#)
}

const ORDER: &str = r#","status":"active","intent":"order""#;

#[test]
fn what_a_request_tells() {
    let dosage =
        |end: &str| format!(r#"{{"timing":{{"repeat":{{"boundsPeriod":{{"end":"{end}"}}}}}}}}"#);
    let bounds = |ends: &[&str]| {
        let all: Vec<String> = ends.iter().map(|end| dosage(end)).collect();
        format!(r#"{ORDER},"dosageInstruction":[{}]"#, all.join(","))
    };
    let dispense = |text: &str| format!(r#"{ORDER},"dispenseRequest":{{{text}}}"#);
    for (more, now, ever) in [
        (ORDER.to_owned(), "true", "true"),
        // As US Core writes what a patient reports; what is proposed or an option is not taken.
        (
            r#","status":"active","intent":"plan","reportedBoolean":true"#.into(),
            "true",
            "true",
        ),
        (
            r#","status":"active","intent":"plan""#.into(),
            "true",
            "true",
        ),
        (
            r#","status":"completed","intent":"plan""#.into(),
            "false",
            "true",
        ),
        (
            r#","status":"active","intent":"proposal","reportedBoolean":true"#.into(),
            "false",
            "false",
        ),
        (
            r#","status":"active","intent":"option""#.into(),
            "false",
            "false",
        ),
        (format!(r#"{ORDER},"doNotPerform":true"#), "false", "false"),
        (
            format!(r#"{ORDER},"doNotPerform":1"#),
            "`MedicationRequest.doNotPerform` cannot be read",
            "`MedicationRequest.doNotPerform` cannot be read",
        ),
        (
            r#","status":"stopped","intent":"order""#.into(),
            "false",
            "true",
        ),
        (
            r#","status":"draft","intent":"order""#.into(),
            "false",
            "false",
        ),
        (
            r#","status":"unknown","intent":"order""#.into(),
            "`MedicationRequest.status` says that it is not known",
            "`MedicationRequest.status` says that it is not known",
        ),
        (
            r#","intent":"order""#.into(),
            "`MedicationRequest.status` is missing",
            "`MedicationRequest.status` is missing",
        ),
        (
            r#","status":"active""#.into(),
            "`MedicationRequest.intent` is missing",
            "`MedicationRequest.intent` is missing",
        ),
        // By the day it was written.
        (
            format!(r#"{ORDER},"authoredOn":"2025-06-15""#),
            "true",
            "true",
        ),
        (
            format!(r#"{ORDER},"authoredOn":"2025-06-15T10:00:01Z""#),
            "false",
            "false",
        ),
        (
            format!(r#"{ORDER},"authoredOn":"2025-06-16""#),
            "false",
            "false",
        ),
        // Known to the month or the year: it is there, so it was written, unless all of that is to come.
        (format!(r#"{ORDER},"authoredOn":"2025""#), "true", "true"),
        (format!(r#"{ORDER},"authoredOn":"2025-06""#), "true", "true"),
        (
            format!(r#"{ORDER},"authoredOn":"2025-07""#),
            "false",
            "false",
        ),
        (format!(r#"{ORDER},"authoredOn":"2026""#), "false", "false"),
        (
            format!(r#"{ORDER},"authoredOn":"15/06/2025""#),
            "`MedicationRequest.authoredOn` cannot be read",
            "`MedicationRequest.authoredOn` cannot be read",
        ),
        // And over on the day after its last.
        (bounds(&["2025-06-15"]), "true", "true"),
        (bounds(&["2025-06-14"]), "false", "true"),
        (bounds(&["2025-06-14", "2025-07-01"]), "true", "true"),
        (
            bounds(&["2025-06"]),
            "`MedicationRequest.dosageInstruction.timing.repeat.bounds` is too imprecise",
            "true",
        ),
        (
            format!(
                r#"{ORDER},"dosageInstruction":[{},{{"text":"as needed"}}]"#,
                dosage("2025-06-14")
            ),
            "true",
            "true",
        ),
        // The time to dispense it is not the time to take it.
        (
            dispense(r#""validityPeriod":{"end":"2025-06-01"}"#),
            "true",
            "true",
        ),
    ] {
        assert_eq!(told(&request(&more), is_taken), now, "{more}");
        assert_eq!(told(&request(&more), was_taken), ever, "{more}");
    }
}

#[test]
fn what_a_statement_tells() {
    for (more, now, ever) in [
        (r#""status":"active""#, "true", "true"),
        (
            r#""status":"active","effectiveDateTime":"2020-01-01""#,
            "true",
            "true",
        ),
        (
            r#""status":"intended","effectivePeriod":{"start":"2025-06-16"}"#,
            "false",
            "false",
        ),
        (
            r#""status":"active","effectivePeriod":{"start":"2025-01-01","end":"2025-06-14"}"#,
            "false",
            "true",
        ),
        (
            r#""status":"completed","effectivePeriod":{"start":"2025-01-01","end":"2025-06-30"}"#,
            "true",
            "true",
        ),
        (
            r#""status":"completed","effectivePeriod":{"start":"2025-01-01"}"#,
            "false",
            "true",
        ),
        (r#""status":"not-taken""#, "false", "false"),
        (
            r#""status":"active","effectivePeriod":{"start":"x"}"#,
            "`MedicationStatement.effective` cannot be read",
            "`MedicationStatement.effective` cannot be read",
        ),
    ] {
        let json = format!(r#"{{"resourceType":"MedicationStatement","id":"m",{more}}}"#);
        assert_eq!(told(&json, is_taken), now, "{more}");
        assert_eq!(told(&json, was_taken), ever, "{more}");
    }
    assert_eq!(
        told(r#"{"resourceType":"Procedure","id":"p"}"#, is_taken),
        "false"
    );
}

/// In a call what is there has begun, as far as clocks may differ; beyond that its date contradicts it.
#[test]
fn what_is_dated_ahead_of_a_call() {
    let order = |on: &str| request(&format!(r#"{ORDER},"authoredOn":"{on}""#));
    let statement = |status: &str, on: &str| {
        format!(
            r#"{{"resourceType":"MedicationStatement","id":"m","status":"{status}","effectivePeriod":{{"start":"{on}"}}}}"#
        )
    };
    let allergy = |on: &str| {
        format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"a","clinicalStatus":{{"coding":[{{"code":"active"}}]}},"recordedDate":"{on}"}}"#
        )
    };
    let (soon, hours, tomorrow) = ("2025-06-15T10:14:00Z", "2025-06-15T14:00:00Z", "2025-06-17");
    let ahead = |path: &str| format!("`{path}` lies in the future");
    let authored = ahead("MedicationRequest.authoredOn");
    for (json, judge, expected) in [
        (
            order(soon),
            is_taken as fn(Element<'_>, Now<'_>) -> _,
            "true",
        ),
        (order(soon), was_taken, "true"),
        (order(hours), is_taken, &*authored),
        (order(tomorrow), is_taken, &*authored),
        (order("2025-06"), is_taken, "true"),
        // Whatever its date, it is not taken.
        (
            request(r#","status":"draft","intent":"order","authoredOn":"2026-01-01""#),
            is_taken,
            "false",
        ),
        (statement("active", soon), is_taken, "true"),
        (
            statement("active", hours),
            is_taken,
            &*ahead("MedicationStatement.effective"),
        ),
        (statement("intended", hours), is_taken, "false"),
        (allergy(soon), is_current, "true"),
        (
            allergy(tomorrow),
            is_current,
            &*ahead("AllergyIntolerance.onset"),
        ),
    ] {
        assert_eq!(told_in(&json, Ahead::CALL, judge), expected, "{json}");
        let then = told_in(&json, Ahead::PAST, judge);
        let is_past = json.contains("\"2025-06\"");
        assert_eq!(then, if is_past { "true" } else { "false" }, "{json}");
    }
}

#[test]
fn whether_an_allergy_stands() {
    let status = |code: &str| format!(r#","clinicalStatus":{{"coding":[{{"code":"{code}"}}]}}"#);
    for (more, expected) in [
        (status("active"), "true"),
        (status("resolved"), "false"),
        // Beside a code of the EHR itself.
        (
            r#","clinicalStatus":{"coding":[{"system":"urn:ehr","code":"1"},{"code":"active"}]}"#
                .into(),
            "true",
        ),
        (
            r#","clinicalStatus":{"coding":[{"system":"urn:ehr","code":"1"},{"code":"inactive"}]}"#
                .into(),
            "false",
        ),
        (
            r#","clinicalStatus":{"coding":[{"code":"active"},{"code":"resolved"}]}"#.into(),
            "`AllergyIntolerance.clinicalStatus` contradicts itself",
        ),
        (
            status("1"),
            "`AllergyIntolerance.clinicalStatus` cannot be read",
        ),
        (
            String::new(),
            "`AllergyIntolerance.clinicalStatus` is missing",
        ),
        (
            r#","verificationStatus":{"coding":[{"code":"refuted"}]}"#.into(),
            "false",
        ),
        (
            status("active") + r#","recordedDate":"2025-06-16""#,
            "false",
        ),
        (status("active") + r#","recordedDate":"2025-06-15""#, "true"),
    ] {
        let json = format!(r#"{{"resourceType":"AllergyIntolerance","id":"a"{more}}}"#);
        assert_eq!(told(&json, is_current), expected, "{more}");
    }
}

fn dictionary() -> DrugDictionary {
    let built_in = DrugDictionary::built_in_arc();
    let products = "rxcui,tty,name,ingredients,precise_ingredients\n855332,SCD,warfarin sodium 5 MG Oral Tablet,11289,114194\n";
    DrugDictionary::from_csv(&DrugFiles {
        ingredients: ("i.csv", b"rxcui,tty,name,in_rxcui\n11289,IN,warfarin,\n1191,IN,aspirin,\n114194,PIN,warfarin sodium,11289\n"),
        products: ("p.csv", products.as_bytes()),
        classes: None,
        ndc: Some(("n.csv", b"ndc,rxcui\n00056017270,855332\n")),
    })
    .unwrap()
    .with_classes_from(&built_in)
}

const KNOWN: &str = r#"{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"855332","display":"Warfarin daily"}]}"#;
const OTHER: &str =
    r#"{"coding":[{"system":"http://snomed.info/sct","code":"1"}],"text":"Marevan"}"#;

#[test]
fn which_drug_it_is_wherever_it_stands() {
    let drugs = dictionary();
    let concept = |concept: &str| request(&format!(r#","medicationCodeableConcept":{concept}"#));
    let reference = |to: &str| request(&format!(r#","medicationReference":{to}"#));
    let ndc = |code: &str| {
        concept(&format!(
            r#"{{"coding":[{{"system":"http://hl7.org/fhir/sid/ndc","code":"{code}"}}]}}"#
        ))
    };
    let contained = |inner: &str| {
        request(&format!(
            r##","contained":[{{"resourceType":"Medication","id":"c",{inner}}}],"medicationReference":{{"reference":"#c"}}"##
        ))
    };
    let no_code = "a MedicationRequest has no code that the drug dictionary knows";
    let not_given = "a MedicationRequest refers to its code in a resource that was not given";
    let name = "warfarin sodium 5 MG Oral Tablet";
    for (json, missing, called) in [
        (concept(KNOWN), "", name),
        (concept(OTHER), no_code, "Marevan"),
        (concept(r#"{"coding":[]}"#), no_code, ""),
        (concept(r#"{"coding":[{}],"text":" "}"#), no_code, ""),
        (
            concept(&KNOWN.replace("855332", "1")),
            no_code,
            "Warfarin daily",
        ),
        (ndc("0056-0172-70"), "", name),
        (ndc("00056017270"), "", name),
        (ndc("56-172-70"), "", name),
        (ndc("00056017271"), no_code, ""),
        (request(""), "`MedicationRequest.medication` is missing", ""),
        (contained(&format!(r#""code":{KNOWN}"#)), "", name),
        (
            contained(&format!(
                r#""code":{OTHER},"ingredient":[{{"itemCodeableConcept":{KNOWN}}}]"#
            )),
            "",
            "Marevan",
        ),
        (
            contained(&format!(
                r#""ingredient":[{{"itemCodeableConcept":{KNOWN}}},{{"itemCodeableConcept":{OTHER}}}]"#
            )),
            "an ingredient of a Medication has no code that the drug dictionary knows",
            "warfarin sodium 5 MG Oral Tablet / Marevan",
        ),
        (contained(r#""code":{}"#), no_code, ""),
        // Of what it contains one part may be another; a drug without a name is that of its parts.
        (
            request(&format!(
                r##","contained":[{{"resourceType":"Medication","id":"i","code":{KNOWN}}},{{"resourceType":"Medication","id":"c","ingredient":[{{"itemReference":{{"reference":"#i"}}}}]}}],"medicationReference":{{"reference":"#c"}}"##
            )),
            "",
            name,
        ),
        (
            contained(&format!(
                r#""ingredient":[{{"itemCodeableConcept":{KNOWN}}},{{"itemCodeableConcept":{KNOWN}}}]"#
            )),
            "",
            "warfarin sodium 5 MG Oral Tablet / warfarin sodium 5 MG Oral Tablet",
        ),
        (reference(r#"{"reference":"Medication/here"}"#), "", name),
        (reference(r#"{"reference":"urn:uuid:here"}"#), "", name),
        (
            reference(r#"{"reference":"http://x.org/fhir/Medication/there"}"#),
            "",
            name,
        ),
        (
            reference(r#"{"reference":"Medication/nowhere","display":"Coumadin"}"#),
            not_given,
            "Coumadin",
        ),
        (
            reference(r#"{"display":"Coumadin"}"#),
            not_given,
            "Coumadin",
        ),
    ] {
        let (mut record, mut other) = (PatientRecord::new(), PatientRecord::new());
        record.push(&json).unwrap();
        let medication =
            |id: &str| format!(r#"{{"resourceType":"Medication","id":"{id}","code":{KNOWN}}}"#);
        record.push(&medication("here")).unwrap();
        other.push(&medication("there")).unwrap();
        let rx = record.of_type_named("MedicationRequest").next().unwrap();
        let found = drug(rx, &[&other], &drugs);
        assert_eq!(
            found.missing.as_deref().unwrap_or_default(),
            missing,
            "{json}"
        );
        let known = missing.is_empty() || missing.starts_with("an ingredient");
        assert_eq!(
            found.substances.names(&drugs),
            if known { vec!["warfarin"] } else { vec![] },
            "{json}"
        );
        assert_eq!(
            super::name(rx, &[&other], &drugs).unwrap_or_default(),
            called,
            "{json}"
        );
    }
}

#[test]
fn what_an_allergy_is_to() {
    let drugs = dictionary();
    let no_code = "an AllergyIntolerance has no code that the drug dictionary knows";
    let text = |text: &str| format!(r#","code":{{"text":"{text}"}}"#);
    let coded = |system: &str, code: &str, text: &str| {
        format!(r#","code":{{"coding":[{{"system":"{system}","code":"{code}"}}],"text":"{text}"}}"#)
    };
    const KNOWN_NOT_HOW_BAD: &str = r#","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"11289"}],"text":"No known allergies"}"#;
    for (more, names, missing) in [
        (format!(r#","code":{KNOWN}"#), vec!["warfarin"], ""),
        (format!(r#","code":{OTHER}"#), vec![], no_code),
        (
            format!(r#","code":{OTHER},"category":["medication","food"]"#),
            vec![],
            no_code,
        ),
        (
            format!(r#","code":{OTHER},"category":["food"]"#),
            vec![],
            "",
        ),
        (
            format!(r#","code":{OTHER},"reaction":[{{"substance":{KNOWN}}}]"#),
            vec!["warfarin"],
            no_code,
        ),
        // None are known: by the whole text, or by the code alone.
        (text("No Known Drug Allergies"), vec![], ""),
        (text(" NKDA "), vec![], ""),
        (text("No known allergy (situation)"), vec![], ""),
        (text("No known severity: aspirin"), vec![], no_code),
        (
            text("No known allergies except penicillin"),
            vec![],
            no_code,
        ),
        (text("No known drug"), vec![], no_code),
        // A code of SNOMED CT says it where its words do.
        (
            coded("http://snomed.info/sct", "716186003", ""),
            vec![],
            no_code,
        ),
        (
            coded("http://snomed.info/sct", "716186003", "No known allergy"),
            vec![],
            "",
        ),
        (
            coded(
                "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips",
                "no-known-allergies",
                "",
            ),
            vec![],
            "",
        ),
        (coded("urn:ehr", "716186003", ""), vec![], no_code),
        (
            coded("http://snomed.info/sct", "716186003", "Aspirin"),
            vec!["aspirin"],
            "",
        ),
        (KNOWN_NOT_HOW_BAD.to_owned(), vec!["warfarin"], ""),
        (String::new(), vec![], no_code),
    ] {
        let mut record = PatientRecord::new();
        record
            .push(&format!(
                r#"{{"resourceType":"AllergyIntolerance","id":"a"{more}}}"#
            ))
            .unwrap();
        let found = allergen(record.resources().next().unwrap(), &drugs);
        assert_eq!(found.substances.names(&drugs), names, "{more}");
        assert_eq!(
            found.missing.as_deref().unwrap_or_default(),
            missing,
            "{more}"
        );
    }
}

/// Within the 14 days up to the moment of evaluation: from 1 June, 10:00.
#[test]
fn what_was_taken_lately() {
    let lately = |json: &str| {
        told(json, |resource, now| {
            let limit = DateTime::parse("2025-06-01T10:00:00Z").unwrap();
            taken_since(resource, limit, now)
        })
    };
    let unknown = |ty: &str| format!("a {ty} that is over does not say when it was last taken");
    let of = |ty: &str, more: &str| format!(r#"{{"resourceType":"{ty}","id":"m",{more}}}"#);
    let dosage = |end: &str| {
        format!(
            r#","dosageInstruction":[{{"timing":{{"repeat":{{"boundsPeriod":{{"end":"{end}"}}}}}}}}]"#
        )
    };
    let rx = |status: &str, authored: &str, more: &str| {
        let more =
            format!(r#""status":"{status}","intent":"order","authoredOn":"{authored}"{more}"#);
        of("MedicationRequest", &more)
    };
    let supply = |days: &str, more: &str| {
        format!(
            r#","dispenseRequest":{{"expectedSupplyDuration":{{"value":{days},"code":"d"}}{more}}}"#
        )
    };
    let no_repeats = r#","numberOfRepeatsAllowed":0"#;
    let saved = |on: &str| format!(r#","meta":{{"lastUpdated":"{on}T08:00:00Z"}}"#);
    for (json, expected) in [
        // Taken now, whenever it began.
        (rx("active", "2020-01-01", ""), "true"),
        (rx("draft", "2025-06-10", ""), "false"),
        (rx("cancelled", "2025-06-10", ""), "false"),
        (rx("stopped", "2025-06-16", ""), "false"),
        (
            rx("unknown", "2020-01-01", ""),
            "`MedicationRequest.status` says that it is not known",
        ),
        // Over, and begun within the time.
        (rx("stopped", "2025-06-02", ""), "true"),
        // Nothing says when it was over.
        (rx("stopped", "2020-01-01", ""), "?MedicationRequest"),
        (rx("on-hold", "2020-01-01", ""), "?MedicationRequest"),
        (
            // It was written in that month, and may have been on its first day.
            rx("completed", "2025-06", ""),
            "?MedicationRequest",
        ),
        // The end of its dosages; by the day, and 14 days ago is outside. What is on hold may have been before.
        (rx("completed", "2020-01-01", &dosage("2025-06-02")), "true"),
        (rx("stopped", "2020-01-01", &dosage("2025-06-02")), "true"),
        (
            rx("on-hold", "2020-01-01", &dosage("2025-06-02")),
            "?MedicationRequest",
        ),
        (rx("stopped", "2025-06-02", &dosage("2025-06-10")), "true"),
        (rx("stopped", "2020-01-01", &dosage("2025-05-31")), "false"),
        // It was over when that was written down, whatever was planned.
        (
            rx(
                "stopped",
                "2020-01-01",
                &(dosage("2025-06-10") + &saved("2025-05-20")),
            ),
            "false",
        ),
        (
            rx(
                "stopped",
                "2020-01-01",
                &(dosage("2025-07-10") + &saved("2025-05-20")),
            ),
            "false",
        ),
        (
            rx(
                "completed",
                "2020-01-01",
                &(dosage("2025-06-10") + &saved("2025-05-20")),
            ),
            "false",
        ),
        (
            rx(
                "completed",
                "2020-01-01",
                &(dosage("2025-06-10") + &saved("2025-06-12")),
            ),
            "true",
        ),
        (
            rx(
                "active",
                "2020-01-01",
                &(dosage("2025-06-10") + &saved("2025-05-20")),
            ),
            "true",
        ),
        (
            rx("completed", "2020-01-01", &dosage("2025-06-01")),
            "false",
        ),
        (rx("active", "2020-01-01", &dosage("2025-06-14")), "true"),
        (rx("active", "2020-01-01", &dosage("2025-05-31")), "false"),
        (rx("active", "2020-01-01", &dosage("2025-05")), "false"),
        (
            rx("stopped", "2020-01-01", &dosage("2025-06")),
            "?MedicationRequest",
        ),
        // A plan that goes on says nothing of one that was stopped.
        (
            rx("stopped", "2020-01-01", &dosage("2025-07-01")),
            "?MedicationRequest",
        ),
        (
            rx("stopped", "2020-01-01", &dosage("06/01/2025")),
            "`MedicationRequest.dosageInstruction.timing.repeat.bounds` cannot be read",
        ),
        // It was over when that was written down.
        (rx("stopped", "2020-01-01", &saved("2025-05-01")), "false"),
        (
            rx("stopped", "2020-01-01", &saved("2025-06-10")),
            "?MedicationRequest",
        ),
        // Its supply: used up on 31 May, on 9 June.
        (
            rx("completed", "2025-05-01", &supply("30", no_repeats)),
            "false",
        ),
        (
            rx("completed", "2025-05-10", &supply("30", no_repeats)),
            "true",
        ),
        (
            rx("stopped", "2025-05-10", &supply("30", no_repeats)),
            "?MedicationRequest",
        ),
        (
            rx("stopped", "2025-05-01", &supply("30", no_repeats)),
            "false",
        ),
        (
            rx(
                "completed",
                "2025-05-01",
                &supply("30", r#","numberOfRepeatsAllowed":1"#),
            ),
            "?MedicationRequest",
        ),
        (
            rx(
                "completed",
                "2024-05-01",
                &supply("30", r#","numberOfRepeatsAllowed":11"#),
            ),
            "false",
        ),
        // How often it may be filled is not known.
        (
            rx("completed", "2025-05-01", &supply("30", "")),
            "?MedicationRequest",
        ),
        (
            rx(
                "completed",
                "2024-01-01",
                &supply("30", r#","validityPeriod":{"end":"2025-01-01"}"#),
            ),
            "false",
        ),
        (
            rx(
                "completed",
                "2024-01-01",
                &supply("30", r#","validityPeriod":{"end":"2025-05-10"}"#),
            ),
            "?MedicationRequest",
        ),
        (
            rx(
                "completed",
                "2025-05-01",
                &supply("30", no_repeats).replace(r#""code":"d""#, r#""unit":"Days""#),
            ),
            "false",
        ),
        (
            rx(
                "completed",
                "2025-05-01",
                &supply("30", no_repeats).replace(r#""code":"d""#, r#""code":"mg""#),
            ),
            "?MedicationRequest",
        ),
        // Statements.
        (of("MedicationStatement", r#""status":"active""#), "true"),
        (
            of(
                "MedicationStatement",
                r#""status":"not-taken","effectiveDateTime":"2025-06-10""#,
            ),
            "false",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"completed","effectivePeriod":{"start":"2024-01-01","end":"2025-06-03"}"#,
            ),
            "true",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"stopped","effectivePeriod":{"start":"2024-01-01","end":"2025-05-03"}"#,
            ),
            "false",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"active","effectivePeriod":{"start":"2024-01-01","end":"2025-05-03"}"#,
            ),
            "false",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"stopped","effectiveDateTime":"2025-06-03""#,
            ),
            "true",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"stopped","effectiveDateTime":"2025-01-03""#,
            ),
            "?MedicationStatement",
        ),
        (
            of("MedicationStatement", r#""status":"stopped""#),
            "?MedicationStatement",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"stopped","dateAsserted":"2025-05-30""#,
            ),
            "false",
        ),
        (
            of(
                "MedicationStatement",
                r#""status":"stopped","dateAsserted":"2025-06-10""#,
            ),
            "?MedicationStatement",
        ),
        // Administrations.
        (
            of(
                "MedicationAdministration",
                r#""status":"completed","effectiveDateTime":"2025-06-10T08:00:00Z""#,
            ),
            "true",
        ),
        (
            of(
                "MedicationAdministration",
                r#""status":"completed","effectiveDateTime":"2025-06-01T09:00:00Z""#,
            ),
            "false",
        ),
        (
            of(
                "MedicationAdministration",
                r#""status":"not-done","effectiveDateTime":"2025-06-10""#,
            ),
            "false",
        ),
        (
            of(
                "MedicationAdministration",
                r#""status":"completed","effectiveDateTime":"2025-06-16""#,
            ),
            "false",
        ),
        (
            of(
                "MedicationAdministration",
                r#""status":"in-progress","effectivePeriod":{"start":"2025-05-01"}"#,
            ),
            "true",
        ),
        (
            of(
                "MedicationAdministration",
                r#""status":"completed","effectivePeriod":{"start":"2025-05-01"}"#,
            ),
            "?MedicationAdministration",
        ),
        (
            of("MedicationAdministration", r#""status":"completed""#),
            "`MedicationAdministration.effective` is missing",
        ),
        // Dispenses: 60 days from 1 May are not over, 30 from then are since 31 May.
        (
            of(
                "MedicationDispense",
                r#""status":"completed","whenHandedOver":"2025-05-01","daysSupply":{"value":60}"#,
            ),
            "true",
        ),
        (
            of(
                "MedicationDispense",
                r#""status":"completed","whenHandedOver":"2025-05-01","daysSupply":{"value":30}"#,
            ),
            "false",
        ),
        (
            of(
                "MedicationDispense",
                r#""status":"completed","whenHandedOver":"2025-05-10","daysSupply":{"value":30}"#,
            ),
            "true",
        ),
        (
            of(
                "MedicationDispense",
                r#""status":"completed","whenHandedOver":"2025-05-01","meta":{"lastUpdated":"2025-05-01T09:00:00Z"}"#,
            ),
            "?MedicationDispense",
        ),
        (
            of(
                "MedicationDispense",
                r#""status":"preparation","whenHandedOver":"2025-06-01""#,
            ),
            "false",
        ),
        (
            of("MedicationDispense", r#""status":"in-progress""#),
            "false",
        ),
        (
            of("MedicationDispense", r#""status":"completed""#),
            "`MedicationDispense.whenHandedOver` is missing",
        ),
        (of("Procedure", r#""status":"completed""#), "false"),
    ] {
        let expected = match expected.strip_prefix('?') {
            Some(ty) => unknown(ty),
            None => expected.to_owned(),
        };
        assert_eq!(lately(&json), expected, "{json}");
    }
}
