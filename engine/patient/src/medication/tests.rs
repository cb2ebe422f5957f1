use super::*;
use crate::record::PatientRecord;
use crate::system::date_time::DateTime;
use crate::system::zone::Zone;
use crate::terminology::{DrugDictionary, DrugFiles};

const AT: &str = "2025-06-15T10:00:00Z";

fn told(
    json: &str,
    judge: fn(crate::record::Element<'_>, DateTime, &Zone) -> Result<bool, Reason>,
) -> String {
    let mut record = PatientRecord::new();
    record.push(json).unwrap();
    let at = DateTime::parse(AT).unwrap();
    let resource = record.resources().next().unwrap();
    match judge(resource, at, &Zone::parse("UTC").unwrap()) {
        Ok(told) => told.to_string(),
        Err(reason) => reason.into_owned(),
    }
}

fn request(more: &str) -> String {
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
        (
            r#","status":"active","intent":"plan""#.into(),
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
        (
            format!(r#"{ORDER},"authoredOn":"2025""#),
            "`MedicationRequest.authoredOn` is too imprecise",
            "`MedicationRequest.authoredOn` is too imprecise",
        ),
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

const KNOWN: &str = r#"{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"855332","display":"Warfarin tab"}]}"#;
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
            "Warfarin tab",
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
        told(json, |resource, at, zone| {
            taken_since(
                resource,
                DateTime::parse("2025-06-01T10:00:00Z").unwrap(),
                at,
                zone,
            )
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
            rx("completed", "2025-06", ""),
            "`MedicationRequest.authoredOn` is too imprecise",
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

/// A code that is not known, and its name.
#[test]
fn a_name_of_rxnorm_tells_the_drug_of_a_code_that_is_not_known() {
    let drugs = DrugDictionary::built_in_arc();
    let no_code = "a MedicationRequest has no code that the drug dictionary knows";
    let coded = |display: &str, text: &str| {
        request(&format!(
            r#","medicationCodeableConcept":{{"coding":[{{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"316049","display":"{display}"}}],"text":"{text}"}}"#
        ))
    };
    for (json, names, missing) in [
        (
            coded("Hydrochlorothiazide 25 MG", ""),
            vec!["hydrochlorothiazide"],
            "",
        ),
        (
            coded(
                "Hydrochlorothiazide 25 MG",
                "hydrochlorothiazide 25 MG Oral Tablet",
            ),
            vec!["hydrochlorothiazide"],
            "",
        ),
        // What it is surely, and perhaps more.
        (
            coded("Hydrochlorothiazide 25 MG", "Maxzide"),
            vec!["hydrochlorothiazide"],
            no_code,
        ),
        (coded("Diazepam [Valium]", ""), vec!["diazepam"], no_code),
        (coded("Simvistatin 10 MG", ""), vec![], no_code),
        // A code that is known decides, whatever it is called.
        (
            coded("Hydrochlorothiazide 25 MG", "").replace("316049", "11289"),
            vec!["warfarin"],
            "",
        ),
        (
            request(
                r##","contained":[{"resourceType":"Medication","id":"c","code":{"text":"warfarin sodium 5 MG Oral Tablet"}}],"medicationReference":{"reference":"#c"}"##,
            ),
            vec!["warfarin"],
            "",
        ),
    ] {
        let mut record = PatientRecord::new();
        record.push(&json).unwrap();
        let found = drug(record.resources().next().unwrap(), &[], &drugs);
        assert_eq!(found.substances.names(&drugs), names, "{json}");
        assert_eq!(
            found.missing.as_deref().unwrap_or_default(),
            missing,
            "{json}"
        );
        let known = json.contains("11289");
        assert_eq!(found.by_name, !known && !names.is_empty(), "{json}");
    }
}

/// Of a salt it is known which drug it is of, or it is told that it is not.
#[test]
fn salts() {
    let drugs = DrugDictionary::built_in_arc();
    for (code, names, missing) in [
        // Amiodarone hydrochloride, canrenoate potassium.
        ("203114", vec!["amiodarone"], ""),
        (
            "1981",
            vec!["canrenoate potassium"],
            "of a salt it is not known which drug it is of",
        ),
    ] {
        let json = request(&format!(
            r#","medicationCodeableConcept":{{"coding":[{{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"{code}"}}]}}"#
        ));
        let mut record = PatientRecord::new();
        record.push(&json).unwrap();
        let found = drug(record.resources().next().unwrap(), &[], &drugs);
        assert_eq!(found.substances.names(&drugs), names, "{code}");
        assert_eq!(
            found.missing.as_deref().unwrap_or_default(),
            missing,
            "{code}"
        );
    }
}

/// A table for codes of other systems.
fn with_codes(rows: &str) -> DrugDictionary {
    let mut drugs = (*DrugDictionary::built_in_arc()).clone();
    let table = format!("system,code,display,drug\n{rows}");
    drugs.add_codes(("codes.csv", table.as_bytes())).unwrap();
    drugs
}

fn coding(system: &str, code: &str, display: &str) -> String {
    let display = match display {
        "" => String::new(),
        display => format!(r#","display":"{display}""#),
    };
    format!(r#"{{"system":"{system}","code":"{code}"{display}}}"#)
}

fn ordered(codings: &[String]) -> String {
    request(&format!(
        r#","medicationCodeableConcept":{{"coding":[{}]}}"#,
        codings.join(",")
    ))
}

fn drug_of(json: &str, drugs: &DrugDictionary) -> Drug {
    let mut record = PatientRecord::new();
    record.push(json).unwrap();
    let resource = record.resources().next().unwrap();
    match json.contains("AllergyIntolerance") {
        true => allergen(resource, drugs),
        false => drug(resource, &[], drugs),
    }
}

/// No list of a class is complete: what is not in it may be of it.
#[test]
fn an_allergy_to_a_class_may_be_to_more_than_its_list_has() {
    let drugs = with_codes("urn:ehr,BB,,class:beta_blocker\n");
    for (code, member, other) in [
        (r#"{"text":"Penicillins"}"#, "amoxicillin", "floxacillin"),
        (r#"{"text":"Penicillin"}"#, "amoxicillin", "cloxacillin"),
        (
            r#"{"text":"Fluoroquinolone allergy"}"#,
            "levofloxacin",
            "norfloxacin",
        ),
        (
            r#"{"text":"Nonsteroidal anti-inflammatory drugs"}"#,
            "ibuprofen",
            "aspirin",
        ),
        (
            r#"{"coding":[{"system":"urn:ehr","code":"BB"}]}"#,
            "metoprolol",
            "sotalol",
        ),
        // Beside the code of a drug of the class.
        (
            r#"{"coding":[{"system":"urn:ehr","code":"BB"},{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"6918"}]}"#,
            "atenolol",
            "sotalol",
        ),
    ] {
        let json = format!(r#"{{"resourceType":"AllergyIntolerance","id":"a","code":{code}}}"#);
        let found = drug_of(&json, &drugs);
        let holds = |name| drugs.set_of(name).unwrap().holds(&found.substances);
        assert_eq!(holds(member), Some(true), "{code}");
        assert_eq!(holds(other), Some(false), "{code}: the test needs another");
        assert!(found.missing.is_some(), "{code}");
    }
}

/// An order that is coded by a class is of one drug of it, not of all.
#[test]
fn an_order_of_a_class_is_of_one_of_its_drugs() {
    let drugs = with_codes(
        "urn:ehr,BB,,class:beta_blocker\nurn:ehr,M,,metoprolol\nurn:ehr,C,,warfarin|class:nsaid\n",
    );
    let of = |codes: &[&str]| {
        let codings: Vec<String> = codes
            .iter()
            .map(|code| coding("urn:ehr", code, ""))
            .collect();
        drug_of(&ordered(&codings), &drugs)
    };
    let surely = |found: &Drug, term: &str| {
        let set = drugs.set_of(term).unwrap();
        found.surely(|substances| set.holds(substances) == Some(true))
    };
    let class = of(&["BB"]);
    assert!(class.missing.is_some() && class.substances.is_empty());
    assert!(surely(&class, "class:beta_blocker") && !surely(&class, "metoprolol"));
    // Its other code says which.
    let told = of(&["BB", "M"]);
    assert_eq!((&told.missing, told.one_of.len()), (&None, 0));
    assert!(surely(&told, "metoprolol"));
    let both = of(&["C"]);
    assert!(both.missing.is_some() && surely(&both, "warfarin"));
    assert!(surely(&both, "class:nsaid") && !surely(&both, "ibuprofen"));
}

/// A salt of which it is not known which drug it is of is so, whatever named it.
#[test]
fn a_salt_that_a_table_names() {
    let drugs = with_codes(
        "snomed,333,,colistimethate\nurn:ehr,2,,colistimethate|warfarin\nurn:ehr,3,,colistin\n",
    );
    let salt = Some("of a salt it is not known which drug it is of".into());
    let of = |codings: &[String]| drug_of(&ordered(codings), &drugs).missing;
    let snomed = coding("http://snomed.info/sct", "333", "");
    assert_eq!(of(std::slice::from_ref(&snomed)), salt);
    assert_eq!(of(&[coding("urn:ehr", "2", "")]), salt);
    assert_eq!(of(&[snomed, coding("urn:ehr", "3", "")]), None);
}

/// Written with hyphens or without, in the table and in the data.
#[test]
fn ndcs_of_a_table() {
    const NDC: &str = "http://hl7.org/fhir/sid/ndc";
    for row in ["0056-0172-70", "00056017270", "56-172-70"] {
        let drugs = with_codes(&format!("{NDC},{row},,warfarin\n"));
        for code in ["0056-0172-70", "00056017270", "00056-0172-70"] {
            let found = drug_of(&ordered(&[coding(NDC, code, "")]), &drugs);
            assert_eq!(found.substances.names(&drugs), ["warfarin"], "{row} {code}");
        }
        let other = drug_of(&ordered(&[coding(NDC, "0056-0172-71", "")]), &drugs);
        assert!(other.missing.is_some());
    }
}

/// A code of no drug says so of itself alone: what stands beside it may be one.
#[test]
fn no_drug_beside_what_may_be_one() {
    let drugs = with_codes("urn:ehr,L,,no drug\nurn:ehr,N,,none known\n");
    let latex = || coding("urn:ehr", "L", "Latex");
    let other = |display: &str| coding("http://snomed.info/sct", "7", display);
    for (codings, text, names, is_known) in [
        (vec![latex()], "", vec![], true),
        (vec![latex()], "LATEX", vec![], true),
        (vec![latex(), other("Latex")], "", vec![], true),
        (
            vec![latex(), coding("urn:ehr", "N", "")],
            "NKDA",
            vec![],
            true,
        ),
        (vec![latex(), other("Aspirin")], "", vec!["aspirin"], true),
        (vec![latex()], "Aspirin", vec!["aspirin"], true),
        (vec![latex(), other("Augmentin")], "", vec![], false),
        (vec![latex(), other("")], "Latex", vec![], false),
        (vec![latex()], "Latex and more", vec![], false),
    ] {
        let text = match text {
            "" => String::new(),
            text => format!(r#","text":"{text}""#),
        };
        let json = format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"a","code":{{"coding":[{}]{text}}}}}"#,
            codings.join(",")
        );
        let found = drug_of(&json, &drugs);
        assert_eq!(found.substances.names(&drugs), names, "{json}");
        assert_eq!(found.missing.is_none(), is_known, "{json}");
    }
}

/// What a reaction was to counts as what the allergy is to.
#[test]
fn the_substance_of_a_reaction() {
    let drugs = with_codes("urn:ehr,L,,no drug\n");
    let known = coding("http://www.nlm.nih.gov/research/umls/rxnorm", "723", "");
    for (substance, more, names, is_known) in [
        (
            r#"{"text":"Aspirin"}"#,
            "",
            vec!["aspirin", "amoxicillin"],
            true,
        ),
        (r#"{"text":"Augmentin"}"#, "", vec!["amoxicillin"], false),
        (r#"{"text":"Penicillins"}"#, "", vec![], false),
        (
            r#"{"coding":[{"system":"urn:ehr","code":"X"}]}"#,
            "",
            vec!["amoxicillin"],
            false,
        ),
        (
            r#"{"coding":[{"system":"urn:ehr","code":"L"}]}"#,
            "",
            vec!["amoxicillin"],
            true,
        ),
        (
            r#"{"text":"Nuts"}"#,
            r#","category":["food"]"#,
            vec!["amoxicillin"],
            true,
        ),
    ] {
        let json = format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"a","code":{{"coding":[{known}]}},"reaction":[{{"manifestation":[]}},{{"substance":{substance}}}]{more}}}"#
        );
        let found = drug_of(&json, &drugs);
        assert_eq!(found.missing.is_none(), is_known, "{json}");
        let mut own = found.substances.names(&drugs);
        own.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert!(names.is_empty() || own == names, "{json}: {own:?}");
    }
}

/// Allergies by what they are called, and by a table of codes of another system.
#[test]
fn allergies_by_name_and_by_a_table() {
    let no_code = "an AllergyIntolerance has no code that the drug dictionary knows";
    let of_class = "an AllergyIntolerance is to a drug class, and not every drug of it is known";
    let built_in = DrugDictionary::built_in_arc();
    let mut with_table = (*built_in).clone();
    let table = "system,code,display,drug\nsnomed,1,,class:penicillin\nsnomed,2,,none known\nurn:ehr,L,Latex,no drug\nurn:ehr,W,,warfarin|aspirin\nsnomed,9,not yet,\n";
    with_table
        .add_codes(("codes.csv", table.as_bytes()))
        .unwrap();
    assert_eq!(with_table.code_count(), 4);
    let allergy = |system: &str, code: &str, display: &str| {
        format!(
            r#"{{"resourceType":"AllergyIntolerance","id":"a","code":{{"coding":[{{"system":"{system}","code":"{code}","display":"{display}"}}]}}}}"#
        )
    };
    const SNOMED: &str = "http://snomed.info/sct";
    for (json, drugs, holds, missing) in [
        (allergy(SNOMED, "1", ""), &*built_in, false, no_code),
        (allergy(SNOMED, "1", ""), &with_table, true, of_class),
        // The code decides, whatever it is called.
        (
            allergy(SNOMED, "1", "Something"),
            &with_table,
            true,
            of_class,
        ),
        (allergy(SNOMED, "2", ""), &*built_in, false, no_code),
        (allergy(SNOMED, "2", ""), &with_table, false, ""),
        (allergy(SNOMED, "9", ""), &with_table, false, no_code),
        (allergy("urn:ehr", "L", "Latex"), &with_table, false, ""),
        (allergy("urn:ehr", "W", ""), &with_table, false, ""),
        (
            allergy(SNOMED, "7", "Allergy to penicillin (finding)"),
            &*built_in,
            true,
            of_class,
        ),
        (allergy("urn:ehr", "7", "Amoxicillin"), &*built_in, true, ""),
        (
            allergy(SNOMED, "7", "Allergy to tree pollen"),
            &*built_in,
            false,
            no_code,
        ),
        // Two names of which one is not understood.
        (
            allergy(SNOMED, "7", "Penicillin")
                .replace(r#""}]}"#, r#""}],"text":"all antibiotics"}"#),
            &*built_in,
            true,
            no_code,
        ),
    ] {
        let mut record = PatientRecord::new();
        record.push(&json).unwrap();
        let found = allergen(record.resources().next().unwrap(), drugs);
        let amoxicillin = drugs.substances_of("723").unwrap();
        assert_eq!(
            found.substances.share_ingredient(&amoxicillin),
            holds,
            "{json}"
        );
        assert_eq!(
            found.missing.as_deref().unwrap_or_default(),
            missing,
            "{json}"
        );
    }
    let wrong = "system,code,display,drug\nsnomed,1,,penicilin\nlonic,2,,warfarin\nsnomed,3,,warfarin\nsnomed,3,,aspirin\n";
    let errors = with_table
        .add_codes(("codes.csv", wrong.as_bytes()))
        .unwrap_err();
    let told: Vec<String> = errors
        .iter()
        .map(|e| format!("{}: {}", e.line, e.message))
        .collect();
    assert_eq!(
        told,
        [
            "2: no ingredient of RxNorm is named `penicilin`",
            "3: `lonic` is no code system",
            "5: `3` stands for two things"
        ]
    );
}
