//! What R4 does not have there, or what changes the meaning of the rest.

use consent::Settings;

use crate::fixture::{class, flaws, judged, judged_with, privacy, resource, ruled, treatment};

fn lab() -> [String; 1] {
    [resource("Observation", "a", "")]
}

/// The Consents permit all but for what is not understood: that is unclear, and told.
#[test]
fn it_is_unclear_and_told() {
    let extension = r#""modifierExtension":[{"url":"http://example.org/not","valueBoolean":true}]"#;
    let provision =
        |members: &str| ruled("c", "OPTIN", &format!(r#"{{"type":"permit",{members}}}"#));
    let whole = |members: &str| {
        let rule = r#""policyRule":{"coding":[{"code":"OPTIN"}]}"#;
        privacy("c", &format!("{rule},{members}"))
    };
    for (consent, place) in [
        (
            whole(extension),
            "Consent: has an extension that changes its meaning",
        ),
        (
            whole(r#""decision":"deny""#),
            "Consent: has an element that FHIR R4",
        ),
        (
            whole(r#""period":{"start":"2020"}"#),
            "Consent: has an element that FHIR R4",
        ),
        (
            whole(r#""except":[{"type":"deny"}]"#),
            "Consent: has an element that FHIR R4",
        ),
        (
            whole(r#""implicitRules":"http://example.org/rules""#),
            "Consent: has an element that FHIR R4",
        ),
        (
            whole(r#""provision":[{"type":"deny"}]"#),
            "Consent.provision: is a list",
        ),
        (
            whole(r#""provision":"none""#),
            "Consent.provision: is not the object",
        ),
        (
            provision(extension),
            "Consent.provision: has an extension that changes",
        ),
        (
            provision(r#""resourceType":["Observation"]"#),
            "Consent.provision: has an element that",
        ),
        (
            provision(r#""provision":[{"action":[{"coding":[{"code":"access"}]}]}]"#),
            "Consent.provision.provision: does not say whether",
        ),
        (
            provision(r#""provision":[{"type":"forbid"}]"#),
            "Consent.provision.provision.type: is neither",
        ),
        (
            provision(r#""provision":["deny"]"#),
            "Consent.provision.provision: is not the object",
        ),
        (
            ruled("c", "OPTIN", r#"{"type":["deny"]}"#),
            "Consent.provision.type: is neither",
        ),
        (
            ruled(
                "c",
                "OPTIN",
                r#"{"_type":{"extension":[{"url":"u"}]},"class":[]}"#,
            ),
            "Consent.provision: has an element without a value",
        ),
    ] {
        let said = judged(std::slice::from_ref(&consent), &treatment(), &lab());
        assert_eq!(said, "unclear", "{consent}");
        let told = flaws(std::slice::from_ref(&consent));
        let told = told.join("\n");
        assert!(
            told.contains(&format!("Consent/c: {place}")),
            "{place}: {told}"
        );
    }
}

#[test]
fn what_may_be_ignored_is() {
    let consent = ruled(
        "c",
        "OPTIN",
        r#"{"id":"p","extension":[{"url":"http://example.org/note","valueString":"x"}],"type":"permit","actor":[],"period":null,"modifierExtension":[]}"#,
    );
    let consent = consent.replace(r#""status""#, r#""language":"en","text":{"status":"generated","div":"<div/>"},"contained":[],"identifier":[{"value":"1"}],"verification":[{"verified":true}],"status""#);
    assert_eq!(
        judged(std::slice::from_ref(&consent), &treatment(), &lab()),
        "permit"
    );
    assert_eq!(flaws(&[consent]), [""; 0]);
}

/// What is not understood of a denial of diagnoses leaves results alone.
#[test]
fn it_withholds_no_more_than_what_it_may_be_about() {
    let provision = format!(
        r#"{{"type":"deny","class":[{}],"period":{{"start":"soon"}}}}"#,
        class("Condition")
    );
    let consents = [ruled("c", "OPTIN", &provision)];
    assert_eq!(judged(&consents, &treatment(), &lab()), "permit");
    let condition = [resource("Condition", "a", "")];
    assert_eq!(judged(&consents, &treatment(), &condition), "unclear");
    let settings = Settings {
        unclear_permits: true,
        ..Settings::default()
    };
    assert_eq!(
        judged_with(&consents, settings, &treatment(), &condition),
        "unclear"
    );
}

#[test]
fn a_denial_that_is_certain_stays_one() {
    let consent = ruled("c", "OPTOUT", r#"{"type":"deny","decision":"x"}"#);
    assert_eq!(
        judged(&[ruled("d", "OPTOUT", ""), consent], &treatment(), &lab()),
        "deny"
    );
}

#[test]
fn trees_without_end() {
    let mut deep = r#"{"type":"deny"}"#.to_owned();
    for _ in 0..40 {
        deep = format!(r#"{{"type":"permit","provision":[{deep}]}}"#);
    }
    let wide: Vec<&str> = vec![r#"{"type":"permit"}"#; 5_000];
    let wide = format!(r#"{{"type":"permit","provision":[{}]}}"#, wide.join(","));
    let codes = vec![r#"{"coding":[{"code":"x"}]}"#; 6_000].join(",");
    let codes = format!(r#"{{"type":"permit","code":[{codes}]}}"#);
    for provision in [deep, wide, codes] {
        let consents = [ruled("c", "OPTIN", &provision)];
        assert_eq!(judged(&consents, &treatment(), &lab()), "unclear");
        let told = flaws(&consents);
        assert!(!told.is_empty() && told.len() <= 50, "{}", told.len());
    }
}

/// Ids of Consents and names of FHIR R4 only.
#[test]
fn what_is_told_holds_nothing_of_the_patient() {
    let secret = "Zappa";
    let provision = format!(
        r#"{{"type":"{secret}","{secret}":1,"period":{{"start":"{secret}"}},"purpose":[{{"code":"{secret}"}}],
        "actor":[{{"role":{{"coding":[{{"code":"{secret}"}}]}},"reference":{{"display":"{secret}"}}}}],
        "data":[{{"meaning":"{secret}"}}],"class":[{{"code":"{secret}"}}],"action":[{{"text":"{secret}"}}]}}"#
    );
    let told = flaws(&[ruled("c", secret, &provision)]);
    assert!(told.len() >= 8, "{told:?}");
    assert!(told.iter().all(|line| !line.contains(secret)), "{told:?}");
}
