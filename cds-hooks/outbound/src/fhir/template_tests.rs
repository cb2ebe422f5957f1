use super::*;

fn tokens() -> Tokens {
    Tokens::default()
        .context("patientId", "p1")
        .context("userId", "Practitioner/dr-1")
        .context("encounterId", "")
}

fn asked(template: &str) -> Result<String, String> {
    let query = resolve(template, &tokens()).map_err(|e| {
        assert_eq!(e.family, Family::NotAsked);
        e.to_string()
    })?;
    Ok(match query.what {
        What::Read(id) => format!("{}/{id}", query.resource_type),
        What::Search(search) => format!("{}?{search}", query.resource_type),
    })
}

#[test]
fn item_35_and_38_the_tokens_of_2_0() {
    for (template, expected) in [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        ("{{context.userId}}", "Practitioner/dr-1"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/dr-1"),
        (
            "Observation?patient={{context.patientId}}",
            "Observation?patient=p1",
        ),
        (
            "Observation?subject=Patient/{{context.patientId}}&code=http://loinc.org|4548-4,http://loinc.org|1&_count=5",
            "Observation?subject=Patient/p1&code=http://loinc.org%7C4548-4,http://loinc.org%7C1&_count=5",
        ),
        (
            "PractitionerRole?practitioner={{context.userId}}",
            "PractitionerRole?practitioner=Practitioner/dr-1",
        ),
        (
            "MedicationRequest?patient={{context.patientId}}&_include=MedicationRequest:medication",
            "MedicationRequest?patient=p1&_include=MedicationRequest:medication",
        ),
    ] {
        assert_eq!(asked(template).as_deref(), Ok(expected), "{template}");
        assert_eq!(check(template), Ok(()), "{template}");
    }
}

#[test]
fn item_38_a_token_that_resolves_to_nothing_sends_nothing() {
    for template in [
        "Encounter/{{context.encounterId}}",
        "Observation?encounter={{context.encounterId}}",
        "Observation?encounter={{context.notThere}}",
        "Patient/{{userPatientId}}",
        "Observation?patient={{context.patientId}}&performer={{userRelatedPersonId}}",
    ] {
        let said = asked(template).unwrap_err();
        assert!(
            said.contains("has no value in this call"),
            "{template}: {said}"
        );
        assert_eq!(check(template), Ok(()), "{template}");
    }
    for template in [
        "Observation?date=ge{{today()}}",
        "Patient/{{context.draftOrders.entry}}",
        "Patient/{{ context.patientId }}",
        "A1?b={{}}",
    ] {
        let said = asked(template).unwrap_err();
        assert!(
            said.contains("no token of CDS Hooks 2.0"),
            "{template}: {said}"
        );
        assert!(check(template).is_err(), "{template}");
    }
}

#[test]
fn item_38_what_is_no_relative_read_or_search_is_refused() {
    for template in [
        "https://evil.example/Patient/{{context.patientId}}",
        "//evil.example/Patient/{{context.patientId}}",
        "/Patient/{{context.patientId}}",
        "../admin/{{context.patientId}}",
        "Patient/../Observation",
        "Patient/..",
        "Patient/.",
        "Patient/%2e%2e",
        "Patient/{{context.patientId}}/_history/1",
        "Patient/{{context.patientId}}/$everything",
        "Patient/{{context.patientId}}?_summary=true",
        "Patient",
        "Patient/",
        "Patient?",
        "?patient={{context.patientId}}",
        "$export?patient={{context.patientId}}",
        "patient?x=1",
        "Observation?patient=",
        "Observation?patient",
        "Observation?patient={{context.patientId}}&",
        "Observation?patient={{context.patientId}}&code=",
        "Observation?patient={{context.patientId}}#x",
        "Observation?patient={{context.patientId}} &x=1",
        "Observation?patient={{context.patientId",
        "Observation?patient={context.patientId}",
        "{{context.patientId}}",
        "{{context.userId}}/x",
        "Patient\\{{context.patientId}}",
        "",
    ] {
        let said = asked(template);
        // An id is encoded: `%2e%2e` stays that text.
        if template == "Patient/%2e%2e" {
            assert_eq!(said.as_deref(), Ok("Patient/%2e%2e"));
            continue;
        }
        assert!(said.is_err(), "{template}: {said:?}");
    }
}

#[test]
fn item_38_values_are_encoded() {
    let of = |template: &str, value: &str| {
        let tokens = Tokens::default().context("patientId", value);
        resolve(template, &tokens)
            .ok()
            .map(|query| match query.what {
                What::Read(id) => encoded(&id),
                What::Search(search) => search,
            })
    };
    let search = |value: &str| of("Observation?patient={{context.patientId}}", value);
    assert_eq!(search("a&b=c").as_deref(), Some("patient=a%26b%3Dc"));
    assert_eq!(search("1,2").as_deref(), Some("patient=1%5C%2C2"));
    assert_eq!(search("s|v").as_deref(), Some("patient=s%5C%7Cv"));
    assert_eq!(search("é%#+").as_deref(), Some("patient=%C3%A9%25%23%2B"));
    let read = |value: &str| of("Patient/{{context.patientId}}", value);
    assert_eq!(read("a%b").as_deref(), Some("a%25b"));
    for value in [
        "..",
        ".",
        "a/b",
        "../x",
        "a?b",
        "a#b",
        "a b",
        "a\nb",
        "a\\b",
        "_search",
        "$everything",
        &"x".repeat(300),
    ] {
        assert_eq!(read(value), None, "{value}");
    }
}
