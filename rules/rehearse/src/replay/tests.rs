use std::collections::HashSet;

use engine_patient::system::zone::UTC;

use super::*;

fn settings(hooks: &[Hook]) -> Settings {
    let day = |text: &str| DateTime::parse(text).unwrap();
    Settings {
        period: (
            day("2020-01-01").earliest(&UTC),
            day("2020-12-31").latest(&UTC),
        ),
        zone: UTC.clone(),
        hooks: hooks.to_vec(),
        last_updated: false,
        assumed_days: 30,
    }
}

/// Each call: its hook and moment, its drafts, and what was known with its status.
fn calls(resources: &[&str], hooks: &[Hook]) -> Vec<String> {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    for resource in resources {
        record.push(resource).unwrap();
    }
    record.seal();
    let mut out = vec![];
    let shown = |resource: Element<'_>| {
        let id = resource.get_str("id").unwrap_or_default().into_owned();
        match resource.get_str("status") {
            Some(status) => format!("{id} {status}"),
            None => id,
        }
    };
    replay(&record, &settings(hooks), &mut |call, now| {
        let own = call.context.call.as_ref().unwrap();
        assert_eq!(&*own.hook, call.hook.as_str());
        let drafts: Vec<_> = own.drafts.resources().map(shown).collect();
        let known: Vec<_> = now.resources().map(shown).collect();
        let at = call.at.to_string();
        out.push(format!(
            "{} {} [{}] {}",
            call.hook.as_str(),
            &at[5..16],
            drafts.join(", "),
            known.join(", ")
        ));
        Ok(())
    })
    .unwrap();
    out
}

fn order(id: &str, status: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"{status}","intent":"order"{more}}}"#
    )
}

const VISIT: &str = r#"{"resourceType":"Encounter","id":"e","status":"finished","period":{"start":"2020-05-01T10:00:00Z","end":"2020-05-01T11:00:00Z"},"participant":[{"individual":{"reference":"Practitioner/1"}}],"serviceProvider":{"reference":"Organization/1","display":"Ward"}}"#;

#[test]
fn a_chart_is_opened_without_what_comes_of_the_visit() {
    let observation = |id: &str, at: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","effectiveDateTime":"{at}"}}"#
        )
    };
    let resources = [
        VISIT,
        &observation("before", "2020-05-01T09:59:59Z"),
        &observation("same", "2020-05-01T10:00:00Z"),
        &observation("day", "2020-05-01"),
        r#"{"resourceType":"Observation","id":"undated","status":"final"}"#,
        r#"{"resourceType":"Encounter","id":"next","status":"planned","period":{"start":"2020-06-01T10:00:00Z"}}"#,
        r#"{"resourceType":"Encounter","id":"early","status":"finished","period":{"start":"2019-06-01T10:00:00Z","end":"2019-06-02T10:00:00Z"}}"#,
        r#"{"resourceType":"Encounter","id":"last","status":"arrived","period":{"start":"2020-05-02T00:00:00Z"}}"#,
    ];
    let found = calls(&resources, &[Hook::PatientView]);
    assert_eq!(
        found,
        [
            "patient-view 05-01T10:00 [] e in-progress, early finished, before final, undated final, p",
            "patient-view 05-02T00:00 [] e finished, early finished, last arrived, before final, day final, same final, undated final, p",
        ]
    );
}

#[test]
fn orders_are_drafts_and_no_part_of_the_record() {
    let at = |time: &str| format!(r#","authoredOn":"2020-05-01T{time}Z""#);
    let of_visit = format!(
        r#"{},"encounter":{{"reference":"Encounter/e"}}"#,
        at("10:00:00")
    );
    let resources = [
        VISIT.to_owned(),
        order("a", "stopped", &of_visit),
        order("b", "active", &of_visit),
        order("c", "active", &at("10:00:00")),
        order("later", "active", &at("10:30:00")),
        order("draft", "draft", &at("10:30:00")),
        order("undated", "active", ""),
        order(
            "reported",
            "active",
            &format!(r#"{},"reportedBoolean":true"#, at("09:00:00")),
        ),
        r#"{"resourceType":"Condition","id":"same","recordedDate":"2020-05-01T10:00:00Z"}"#
            .to_owned(),
    ];
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    let known = "same, e in-progress";
    let always = "reported active, undated active, p";
    assert_eq!(
        calls(&resources, &[Hook::OrderSign]),
        [
            format!("order-sign 05-01T10:00 [c draft] {known}, {always}"),
            format!("order-sign 05-01T10:00 [a draft, b draft] {known}, {always}"),
            format!(
                "order-sign 05-01T10:30 [later draft] {known}, a active, b active, c active, {always}"
            ),
        ]
    );
}

#[test]
fn an_order_is_selected_before_it_is_signed() {
    let order = order("a", "active", r#","authoredOn":"2020-05-01""#);
    let found = calls(&[&order], &[Hook::OrderSelect, Hook::OrderSign]);
    assert_eq!(
        found,
        [
            "order-select 05-01T23:59 [a draft] p",
            "order-sign 05-01T23:59 [a draft] p",
        ]
    );
}

#[test]
fn the_call_tells_who_and_where() {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    record.push(VISIT).unwrap();
    let more = r#","authoredOn":"2020-05-01T10:00:00Z","requester":{"reference":"Practitioner/2","display":"Dr. X"},"encounter":{"reference":"Encounter/e"}"#;
    record.push(&order("a", "active", more)).unwrap();
    record.seal();
    let mut told = vec![];
    let settings = settings(&[Hook::PatientView, Hook::OrderSelect]);
    let dating = replay(&record, &settings, &mut |call, _| {
        let own = call.context.call.as_ref().unwrap();
        told.push((
            own.user.as_deref().unwrap().to_owned(),
            call.clinician.clone().unwrap(),
            call.site.clone().unwrap(),
            own.selections.clone(),
        ));
        Ok(())
    });
    assert!(dating.unwrap().is_some());
    let site = "Ward (Organization/1)".to_owned();
    assert_eq!(
        told,
        [
            (
                "Practitioner/1".into(),
                "Practitioner/1".into(),
                site.clone(),
                None
            ),
            (
                "Practitioner/2".into(),
                "Dr. X (Practitioner/2)".into(),
                site,
                Some(HashSet::from(["MedicationRequest/a".to_owned()]))
            ),
        ]
    );
}

#[test]
fn who_had_no_call_is_not_looked_at() {
    let mut record = PatientRecord::new();
    record
        .push(r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let all = settings(&crate::settings::HOOKS);
    let none = replay(&record, &all, &mut |_, _| panic!("there is no call"));
    assert_eq!(none.unwrap(), None);
}

/// Each kind on its own line, also of a patient who had no call.
#[test]
fn visits_and_orders_that_make_no_call_are_counted() {
    let visit = |status: &str, start: &str| {
        format!(
            r#"{{"resourceType":"Encounter","id":"{status}{start}","status":"{status}","period":{{"start":"{start}"}}}}"#
        )
    };
    let day = r#","authoredOn":"2020-05-01""#;
    let counted = |resource: &str| {
        let mut record = PatientRecord::new();
        let patient = r#"{"resourceType":"Patient","id":"p"}"#;
        record.push(patient).unwrap();
        record.push(resource).unwrap();
        record.seal();
        let mut calls = 0;
        let all = settings(&[Hook::PatientView, Hook::OrderSign]);
        let dating = replay(&record, &all, &mut |_, _| {
            calls += 1;
            Ok(())
        });
        let dating = dating.unwrap().map(|dating| {
            let lines = serde_json::to_value(dating).unwrap();
            let lines = lines.as_object().unwrap().clone().into_iter();
            let resources = ["recorded", "clinical", "notUndone"];
            let lines = lines.filter(|(name, n)| n != 0 && !resources.contains(&&**name));
            let names: Vec<String> = lines.map(|(name, _)| name).collect();
            names.join(" ")
        });
        (calls, dating.unwrap_or_default())
    };
    let undated = r#"{"resourceType":"Encounter","id":"e","status":"finished"}"#.to_owned();
    for (resource, calls, expected) in [
        (visit("finished", "2020-05-01T10:00:00Z"), 1, ""),
        (visit("finished", "2020-05-01"), 1, "atDayEnd"),
        (visit("finished", "2020-05"), 0, "impreciseVisits"),
        (visit("finished", "2020"), 0, "impreciseVisits"),
        (visit("entered-in-error", "2020-05-01"), 0, "visitsInError"),
        (visit("planned", "2020-05-01"), 0, "noVisit"),
        (undated, 0, "undatedVisits"),
        // Of another period.
        (visit("planned", "2021-05-01"), 0, ""),
        (visit("finished", "2019"), 0, ""),
        (order("a", "active", day), 1, "atDayEnd"),
        (
            order("a", "active", r#","authoredOn":"2020-05""#),
            0,
            "impreciseOrders",
        ),
        (order("a", "active", ""), 0, "undatedOrders"),
        (order("a", "entered-in-error", day), 0, "ordersInError"),
        (order("a", "draft", day), 0, "unsigned"),
        (
            order("a", "active", &format!(r#"{day},"doNotPerform":true"#)),
            0,
            "notToDo",
        ),
        (
            order("a", "active", &format!(r#"{day},"doNotPerform":false"#)),
            1,
            "atDayEnd",
        ),
    ] {
        let (found, lines) = counted(&resource);
        assert_eq!((found, lines.as_str()), (calls, expected), "{resource}");
    }
}

/// A day has one convention, and a visit of a day goes on as its chart is opened.
#[test]
fn a_day_stands_for_its_end() {
    let visit = r#"{"resourceType":"Encounter","id":"e","status":"finished","period":{"start":"2020-05-01","end":"2020-05-01"}}"#;
    let timed = r#"{"resourceType":"Observation","id":"timed","status":"final","effectiveDateTime":"2020-05-01T10:00:00Z"}"#;
    let day = r#"{"resourceType":"Observation","id":"day","status":"final","effectiveDateTime":"2020-05-01"}"#;
    let year =
        r#"{"resourceType":"Observation","id":"year","status":"final","effectiveDateTime":"2020"}"#;
    let signed = order("a", "active", r#","authoredOn":"2020-05-01""#);
    let hooks = [Hook::PatientView, Hook::OrderSign];
    assert_eq!(
        calls(&[visit, timed, day, year, &signed], &hooks),
        [
            "patient-view 05-01T23:59 [] e in-progress, timed final, year final, p",
            "order-sign 05-01T23:59 [a draft] e finished, day final, timed final, year final, p",
        ]
    );
}
