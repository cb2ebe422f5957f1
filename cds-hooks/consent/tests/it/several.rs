//! Several Consents of a patient.

use consent::{MOST_CONSENTS, Precedence, Settings, Verdict};

use crate::fixture::{
    class, flaws, judged, judged_with, policy, record, resource, ruled, treatment,
};

fn at(date: &str, policy: &str, provision: &str) -> String {
    let id = format!("{policy}-{date}").replace(':', "-");
    let dated = match date {
        "" => String::new(),
        date => format!(r#""dateTime":"{date}","#),
    };
    let json = ruled(&id, policy, provision);
    json.replace(r#""dateTime":"2026-01-01","#, &dated)
}

fn lab() -> [String; 1] {
    [resource("Observation", "a", "")]
}

#[test]
fn the_most_recent_that_says_anything_decides() {
    let both = |first: (&str, &str), second: (&str, &str)| {
        let consents = [at(first.0, first.1, ""), at(second.0, second.1, "")];
        let mut turned = consents.clone();
        turned.reverse();
        let said = judged(&consents, &treatment(), &lab());
        assert_eq!(said, judged(&turned, &treatment(), &lab()), "order");
        said
    };
    assert_eq!(
        both(("2020-01-01", "OPTOUT"), ("2021-01-01", "OPTIN")),
        "permit"
    );
    assert_eq!(
        both(("2020-01-01", "OPTIN"), ("2021-01-01", "OPTOUT")),
        "deny"
    );
    // The same day, or perhaps the same: a denial.
    assert_eq!(
        both(("2021-01-01", "OPTIN"), ("2021-01-01", "OPTOUT")),
        "deny"
    );
    assert_eq!(both(("2021", "OPTOUT"), ("2021-06-01", "OPTIN")), "deny");
    assert_eq!(
        both(("2021-06-01T10:00:00Z", "OPTOUT"), ("2021-06-01", "OPTIN")),
        "deny"
    );
    assert_eq!(
        both(
            ("2021-06-01T10:00:00Z", "OPTOUT"),
            ("2021-06-01T10:00:01Z", "OPTIN")
        ),
        "permit"
    );
    // Nobody knows when.
    assert_eq!(both(("", "OPTOUT"), ("2021-06-01", "OPTIN")), "deny");
    assert_eq!(both(("", "OPTIN"), ("2021-06-01", "OPTOUT")), "deny");
    assert_eq!(
        both(("sometime", "OPTOUT"), ("2021-06-01", "OPTIN")),
        "deny"
    );
}

#[test]
fn a_later_one_that_is_about_something_else_leaves_it() {
    let narrow = format!(r#"{{"type":"deny","class":[{}]}}"#, class("Condition"));
    let consents = [
        at("2020-01-01", "OPTOUT", ""),
        at("2021-01-01", "NOPP", &narrow),
    ];
    assert_eq!(judged(&consents, &treatment(), &lab()), "deny");
    let consents = [
        at("2020-01-01", "OPTIN", ""),
        at("2021-01-01", "NOPP", &narrow),
    ];
    assert_eq!(judged(&consents, &treatment(), &lab()), "permit");
    let condition = [resource("Condition", "a", "")];
    assert_eq!(judged(&consents, &treatment(), &condition), "deny");
}

#[test]
fn a_denial_overrides_where_the_place_wants_that() {
    let settings = Settings {
        precedence: Precedence::DenyOverrides,
        ..Settings::default()
    };
    let consents = [
        at("2020-01-01", "OPTOUT", ""),
        at("2021-01-01", "OPTIN", ""),
    ];
    assert_eq!(
        judged_with(&consents, settings, &treatment(), &lab()),
        "deny"
    );
}

#[test]
fn those_that_deny_are_named() {
    let consents = [
        at("2021-01-01", "OPTOUT", ""),
        at("2021-01-01", "OPTIN", ""),
        at("2021-01", "OPTOUT", ""),
    ];
    let record = record(&lab());
    let first = record.resources().next().unwrap();
    let verdict = policy(&consents, Settings::default()).judge(&treatment(), first);
    let names = ["Consent/OPTOUT-2021-01", "Consent/OPTOUT-2021-01-01"];
    assert_eq!(verdict, Verdict::Deny(names.map(str::to_owned).to_vec()));
}

#[test]
fn too_many_are_unclear() {
    let consents: Vec<String> = (0..=MOST_CONSENTS)
        .map(|n| ruled(&format!("c{n}"), "OPTIN", ""))
        .collect();
    assert_eq!(judged(&consents[1..], &treatment(), &lab()), "permit");
    assert_eq!(judged(&consents, &treatment(), &lab()), "unclear");
    let told = flaws(&consents);
    assert!(
        told[0].ends_with("there is more than can be looked at"),
        "{told:?}"
    );
}
