//! The tree of provisions, and which Consents count.

use consent::{Purpose, Settings};

use crate::fixture::{
    class, flaws, for_purpose, judged, judged_with, policy, privacy, purpose, recipient, resource,
    ruled, treatment,
};

fn lab() -> [String; 1] {
    [resource("Observation", "a", "")]
}

fn diagnosis() -> [String; 1] {
    [resource("Condition", "a", "")]
}

#[test]
fn without_consent_treatment_is_permitted() {
    for (code, expected) in [
        ("TREAT", "permit"),
        ("ETREAT", "permit"),
        ("HRESCH", "deny"),
        ("HPAYMT", "deny"),
    ] {
        assert_eq!(judged(&[], &for_purpose(code), &lab()), expected, "{code}");
    }
    // Of which purpose is not known.
    let request = consent::Request {
        purpose: None,
        ..treatment()
    };
    assert_eq!(judged(&[], &request, &lab()), "deny");
    let strict = Settings {
        permitted_without: vec![],
        ..Settings::default()
    };
    assert_eq!(judged_with(&[], strict, &treatment(), &lab()), "deny");
}

#[test]
fn a_base_policy_by_itself() {
    for (policy, treats, researches, emergency) in [
        ("OPTIN", "permit", "permit", "permit"),
        ("OPTINR", "permit", "permit", "permit"),
        ("IMPLIEDD", "permit", "permit", "permit"),
        ("OPTOUT", "deny", "deny", "deny"),
        ("OPTOUTE", "deny", "deny", "deny"),
        ("EMRGONLY", "deny", "deny", "permit"),
        ("NOPP", "permit", "deny", "permit"),
        // Not known: whether it denies is not either.
        ("at-elga", "unclear", "deny", "unclear"),
    ] {
        let consents = [ruled("c", policy, "")];
        let of = |code| judged(&consents, &for_purpose(code), &lab());
        assert_eq!(of("TREAT"), treats, "{policy}");
        assert_eq!(of("HRESCH"), researches, "{policy}");
        assert_eq!(of("BTG"), emergency, "{policy}");
    }
}

#[test]
fn the_type_of_the_root_decides_what_it_names() {
    let deny = format!(r#"{{"type":"deny","class":[{}]}}"#, class("Condition"));
    let permit = format!(r#"{{"type":"permit","class":[{}]}}"#, class("Condition"));
    for (policy, provision, named, others) in [
        ("OPTIN", &deny, "deny", "permit"),
        ("OPTOUT", &permit, "permit", "deny"),
        ("OPTOUT", &deny, "deny", "deny"),
        ("OPTIN", &permit, "permit", "permit"),
        ("NOPP", &deny, "deny", "permit"),
        ("NOPP", &permit, "permit", "permit"),
    ] {
        let consents = [ruled("c", policy, provision)];
        let said = judged(&consents, &treatment(), &diagnosis());
        assert_eq!(said, named, "{policy} {provision}");
        let said = judged(&consents, &treatment(), &lab());
        assert_eq!(said, others, "{policy} {provision}");
    }
    // Who opted in and named whom says nothing certain of others.
    let consents = [ruled("c", "OPTIN", &permit)];
    assert_eq!(judged(&consents, &for_purpose("HRESCH"), &lab()), "unclear");
}

#[test]
fn exceptions_hold_where_the_one_above_them_does() {
    // All is denied but for this doctor, who may see all but diagnoses; those again in an emergency.
    let provision = format!(
        r#"{{"type":"deny","provision":[{{"type":"permit","actor":[{}],"provision":[
            {{"type":"deny","class":[{}],"provision":[{{"type":"permit","purpose":[{}]}}]}}]}}]}}"#,
        recipient("Practitioner/doc"),
        class("Condition"),
        purpose("ETREAT"),
    );
    let consents = [privacy("c", &format!(r#""provision":{provision}"#))];
    let other = |code| consent::Request {
        user: Some("Practitioner/other".into()),
        ..for_purpose(code)
    };
    assert_eq!(judged(&consents, &treatment(), &lab()), "permit");
    assert_eq!(judged(&consents, &treatment(), &diagnosis()), "deny");
    assert_eq!(
        judged(&consents, &for_purpose("BTG"), &diagnosis()),
        "permit"
    );
    assert_eq!(judged(&consents, &other("TREAT"), &lab()), "deny");
    // The permission for emergencies is below the doctor's.
    assert_eq!(judged(&consents, &other("ETREAT"), &diagnosis()), "deny");
}

#[test]
fn beside_each_other_a_denial_wins() {
    let both = |first: &str, second: &str| {
        let one = |kind: &str| format!(r#"{{"type":"{kind}","class":[{}]}}"#, class("Condition"));
        let provision = format!(
            r#"{{"type":"deny","provision":[{},{}]}}"#,
            one(first),
            one(second)
        );
        judged(
            &[ruled("c", "OPTOUT", &provision)],
            &treatment(),
            &diagnosis(),
        )
    };
    assert_eq!(both("permit", "permit"), "permit");
    assert_eq!(both("permit", "deny"), "deny");
    assert_eq!(both("deny", "permit"), "deny");
}

#[test]
fn a_permission_below_a_permission_narrows_it() {
    let of = |inner: &str, request: &consent::Request, resources: &[String]| {
        let outer = format!(
            r#"{{"type":"permit","purpose":[{}],"provision":[{inner}]}}"#,
            purpose("TREAT")
        );
        judged(&[ruled("c", "OPTOUT", &outer)], request, resources)
    };
    let conditions = format!(r#"{{"type":"permit","class":[{}]}}"#, class("Condition"));
    assert_eq!(of(&conditions, &treatment(), &diagnosis()), "permit");
    assert_eq!(of(&conditions, &treatment(), &lab()), "unclear");
    // For another purpose it narrows nothing. Nor does it add one, since it is below the first.
    let research = format!(r#"{{"type":"permit","purpose":[{}]}}"#, purpose("HRESCH"));
    assert_eq!(of(&research, &treatment(), &lab()), "permit");
    assert_eq!(of(&research, &for_purpose("HRESCH"), &lab()), "deny");
}

#[test]
fn a_root_without_a_type() {
    let of = |policy: &str, provision: &str, resources: &[String]| {
        judged(&[ruled("c", policy, provision)], &treatment(), resources)
    };
    let named = format!(r#"{{"class":[{}]}}"#, class("Condition"));
    // The scope of the policy or an exception to it.
    assert_eq!(of("OPTIN", &named, &diagnosis()), "unclear");
    assert_eq!(of("OPTIN", &named, &lab()), "permit");
    assert_eq!(of("OPTOUT", &named, &diagnosis()), "unclear");
    assert_eq!(of("OPTOUT", &named, &lab()), "unclear");
    // Nothing but exceptions.
    let inner = format!(
        r#"{{"provision":[{{"type":"deny","class":[{}]}}]}}"#,
        class("Condition")
    );
    for policy in ["OPTIN", "NOPP"] {
        assert_eq!(of(policy, &inner, &diagnosis()), "deny", "{policy}");
        assert_eq!(of(policy, &inner, &lab()), "permit", "{policy}");
    }
    // It names something and says nothing of it.
    assert_eq!(of("NOPP", &named, &diagnosis()), "unclear");
    assert_eq!(of("NOPP", &named, &lab()), "permit");
}

#[test]
fn which_consents_count() {
    let deny = ruled("c", "OPTOUT", "");
    let with = |from: &str, to: &str| {
        assert!(deny.contains(from), "{from}");
        deny.replace(from, to)
    };
    let scope = |code: &str| with("\"patient-privacy\"", &format!("\"{code}\""));
    for (consent, expected) in [
        (deny.clone(), "deny"),
        (with("\"active\"", "\"inactive\""), "permit"),
        (with("\"active\"", "\"draft\""), "permit"),
        (with("\"active\"", "\"proposed\""), "permit"),
        (with("\"active\"", "\"rejected\""), "permit"),
        (with("\"active\"", "\"entered-in-error\""), "permit"),
        (with("\"active\"", "\"retired\""), "unclear"),
        (with("\"status\":\"active\",", ""), "unclear"),
        (with("Patient/1", "Patient/2"), "permit"),
        (with("Patient/1", "https://a.org/fhir/Patient/1"), "deny"),
        (with("Patient/1", "urn:uuid:1"), "unclear"),
        (
            with("{\"reference\":\"Patient/1\"}", "{\"display\":\"?\"}"),
            "unclear",
        ),
        (scope("treatment"), "permit"),
        (scope("adr"), "permit"),
        (scope("research"), "permit"),
    ] {
        assert_eq!(
            judged(std::slice::from_ref(&consent), &treatment(), &lab()),
            expected,
            "{consent}"
        );
    }
    // Research is denied anyway where nobody opts in.
    let research = ruled("c", "OPTIN", "").replace("patient-privacy", "research");
    let of = |code| judged(std::slice::from_ref(&research), &for_purpose(code), &lab());
    assert_eq!(of("CLINTRCH"), "permit");
    assert_eq!(of("HPAYMT"), "deny");
}

#[test]
fn what_does_not_count_is_counted() {
    let deny = ruled("c", "OPTOUT", "");
    let policy = policy(
        &[
            deny.replace("active", "inactive"),
            deny.replace("active", "rejected"),
            deny.replace("patient-privacy", "adr"),
            deny.replace("Patient/1", "Patient/2"),
            resource("Observation", "a", ""),
            deny.clone(),
        ],
        Settings::default(),
    );
    let over = policy.passed_over();
    assert_eq!((over.not_active, over.other_scope), (2, 1));
    assert_eq!((over.another_patient, over.no_consent), (1, 1));
    assert_eq!((over.count(), policy.count()), (5, 1));
    assert!(flaws(&[deny]).is_empty());
}

#[test]
fn break_the_glass_where_the_place_has_it() {
    let settings = Settings {
        not_asked: vec![Purpose::parse("BTG").unwrap()],
        ..Settings::default()
    };
    let consents = [ruled("c", "OPTOUT", "")];
    let of = |code| judged_with(&consents, settings.clone(), &for_purpose(code), &lab());
    assert_eq!(of("BTG"), "permit");
    assert_eq!(of("ETREAT"), "deny");
}
