//! Drugs and allergies by their names, and by tables of codes of other systems.

use super::tests::request;
use super::*;
use crate::record::PatientRecord;
use crate::terminology::DrugDictionary;

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
            coded("Hydrochlorothiazide 25 MG", "Blood pressure pill"),
            vec!["hydrochlorothiazide"],
            no_code,
        ),
        // A brand has what all its products have in them.
        (
            coded("Hydrochlorothiazide 25 MG", "Maxzide"),
            vec!["hydrochlorothiazide", "triamterene"],
            "",
        ),
        (coded("Lasix 40mg", "Lasix 40mg"), vec!["furosemide"], ""),
        (
            coded("clarithromycin 500 mg tablet", ""),
            vec!["clarithromycin"],
            "",
        ),
        (coded("Diazepam [Valium]", ""), vec!["diazepam"], no_code),
        (coded("Simvistatin 10 MG", ""), vec!["simvastatin"], ""),
        (coded("Simvustatin 10 MG", ""), vec![], no_code),
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
            "phenylbutazone",
        ),
        (r#"{"text":"NSAIDs"}"#, "aspirin", "phenylbutazone"),
        (r#"{"text":"PCN"}"#, "amoxicillin", "floxacillin"),
        (r#"{"text":"Sulfa"}"#, "sulfamethoxazole", "furosemide"),
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
        (
            vec![latex(), other("Augmentin")],
            "",
            vec!["amoxicillin", "clavulanate"],
            true,
        ),
        (vec![latex(), other("all antibiotics")], "", vec![], false),
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
        (
            r#"{"text":"Augmentin"}"#,
            "",
            vec!["amoxicillin", "clavulanate"],
            true,
        ),
        (
            r#"{"text":"all antibiotics"}"#,
            "",
            vec!["amoxicillin"],
            false,
        ),
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
            allergy(SNOMED, "7", "Allergy to something"),
            &*built_in,
            false,
            no_code,
        ),
        // Surely no drug.
        (
            allergy(SNOMED, "7", "Allergy to tree pollen"),
            &*built_in,
            false,
            "",
        ),
        (
            allergy(SNOMED, "7", "Shellfish")
                .replace(r#""}]}"#, r#""}],"text":"Shellfish allergy"}"#),
            &*built_in,
            false,
            "",
        ),
        (
            allergy(SNOMED, "7", "Peanut").replace(r#""}]}"#, r#""}],"text":"Penicillin"}"#),
            &*built_in,
            true,
            of_class,
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
