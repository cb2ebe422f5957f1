use super::*;

fn d(text: &str) -> DateTime {
    DateTime::parse(text).unwrap()
}

fn zone(text: &str) -> Zone {
    Zone::parse(text).unwrap()
}

/// First and last instant of a value without an offset.
fn span(zone: &Zone, text: &str) -> (String, String) {
    let show = |utc| DateTime::from_utc_millis(utc, 0).to_string();
    (show(d(text).earliest(zone)), show(d(text).latest(zone)))
}

#[test]
fn a_zone_is_read_and_written() {
    for text in ["+00:00", "-05:00", "+05:30", "America/New_York", "UTC"] {
        assert_eq!(zone(text).to_string(), text);
    }
    assert_eq!(zone("Z"), UTC);
    assert_eq!(zone("america/new_york").to_string(), "America/New_York");
    assert!(zone("-05:00").is_fixed() && !zone("America/New_York").is_fixed());
    for (text, near) in [
        ("America/New_Yrok", Some("America/New_York")),
        ("New York", Some("America/New_York")),
        ("America/Chigaco", Some("America/Chicago")),
        ("Europe/Berln", Some("Europe/Berlin")),
        ("noon", None),
        ("-5", None),
        ("+15:00", None),
        ("+14:01", None),
        ("-12:01", None),
        ("-14:00", None),
        ("+05:60", None),
        (".5Z", None),
        (".5-05:00", None),
        ("-5:00", None),
        ("-05:00Z", None),
        ("-+5:00", None),
        ("\u{2212}05:00", None),
        ("é05:00", None),
        ("", None),
        ("Etc/Unknown", None),
    ] {
        let error = Zone::parse(text).unwrap_err();
        assert_eq!(error.near.as_deref(), near, "{text}");
    }
}

#[test]
fn each_moment_has_its_own_offset() {
    let ny = zone("America/New_York");
    let moment = |text: &str| ny.moment(d(text).earliest(&UTC)).to_string();
    assert_eq!(
        moment("2025-07-01T03:30:00Z"),
        "2025-06-30T23:30:00.000-04:00"
    );
    assert_eq!(
        moment("2025-01-01T04:30:00Z"),
        "2024-12-31T23:30:00.000-05:00"
    );
    let of = |text: &str| {
        let (from, to) = span(&ny, text);
        format!("{from} {to}")
    };
    assert_eq!(
        of("2025"),
        "2025-01-01T05:00:00.000Z 2026-01-01T04:59:59.999Z"
    );
    // The half year that ends in summer.
    assert_eq!(
        of("2025-06"),
        "2025-06-01T04:00:00.000Z 2025-07-01T03:59:59.999Z"
    );
    // A month over the change, a day of 23 hours and one of 25.
    assert_eq!(
        of("2025-03"),
        "2025-03-01T05:00:00.000Z 2025-04-01T03:59:59.999Z"
    );
    assert_eq!(
        of("2025-03-09"),
        "2025-03-09T05:00:00.000Z 2025-03-10T03:59:59.999Z"
    );
    assert_eq!(
        of("2025-11-02"),
        "2025-11-02T04:00:00.000Z 2025-11-03T04:59:59.999Z"
    );
    // After the last year of the table the rule goes on.
    assert_eq!(
        of("2099-07-01"),
        "2099-07-01T04:00:00.000Z 2099-07-02T03:59:59.999Z"
    );
}

#[test]
fn times_that_come_twice_or_not_at_all() {
    let of = |place: &str, text: &str| {
        let (from, to) = span(&zone(place), text);
        format!("{from} {to}")
    };
    // Twice: the first.
    assert_eq!(
        of("America/New_York", "2025-11-02T01:30:00.000"),
        "2025-11-02T05:30:00.000Z 2025-11-02T05:30:00.000Z"
    );
    // Not at all: at the offset before, 03:30 of the new time.
    assert_eq!(
        of("America/New_York", "2025-03-09T02:30:00.000"),
        "2025-03-09T07:30:00.000Z 2025-03-09T07:30:00.000Z"
    );
    // Its midnight is missing: the day begins at 01:00.
    assert_eq!(
        of("America/Sao_Paulo", "2018-11-04"),
        "2018-11-04T03:00:00.000Z 2018-11-05T01:59:59.999Z"
    );
    // Its last hour comes twice: the day ends with the second.
    assert_eq!(
        of("America/Sao_Paulo", "2018-02-17"),
        "2018-02-17T02:00:00.000Z 2018-02-18T02:59:59.999Z"
    );
}

/// The bounds that the lake prunes by hold in every zone, also in those of local mean time.
#[test]
fn no_zone_is_outside_of_what_the_lake_prunes_by() {
    let (east, west) = (Zone::fixed(EASTERNMOST), Zone::fixed(WESTERNMOST));
    let all = TimeZoneDatabase::bundled();
    let places = all.available().map(|name| name.as_str().to_owned());
    let offsets =
        (0..24 * 60).flat_map(|m| ["-", "+"].map(|s| format!("{s}{:02}:{:02}", m / 60, m % 60)));
    let mut zones = 0;
    for name in places.chain(offsets) {
        let Ok(zone) = Zone::parse(&name) else {
            continue;
        };
        zones += 1;
        for text in [
            "1844-12",
            "1867-10-18",
            "1950",
            "2011-12-30",
            "2025-03-30T02:30:00",
            "2025",
        ] {
            let value = d(text);
            assert!(
                value.earliest(&east) <= value.earliest(&zone),
                "{name} {text}"
            );
            assert!(value.latest(&zone) <= value.latest(&west), "{name} {text}");
            assert!(
                value.earliest(&zone) <= value.latest(&zone),
                "{name} {text}"
            );
        }
    }
    // Of minutes there are as many as from -12:00 to +14:00, zero twice.
    assert!(zones > 400 + 26 * 60 + 2, "{zones}");
}

/// Comparison agrees with the instants, and a value with itself.
#[test]
fn order_over_a_change_of_the_clock() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let ny = zone("America/New_York");
    let order = |a: &str, b: &str| crate::system::compare::compare(d(a), d(b), None, &ny);
    assert_eq!(order("2025-06-30", "2025-07-01T03:30:00Z"), None);
    assert_eq!(order("2025-07-01", "2025-07-01T03:30:00Z"), Some(Greater));
    assert_eq!(order("2024-12-31", "2025-01-01T04:30:00Z"), None);
    assert_eq!(order("2025-01-01", "2025-01-01T04:30:00Z"), Some(Greater));
    assert_eq!(
        order("2025-11-02T01:30:00", "2025-11-02T01:30:00-04:00"),
        Some(Equal)
    );
    assert_eq!(
        order("2025-11-02T01:30:00", "2025-11-02T01:30:00-05:00"),
        Some(Less)
    );
}

/// The usual open end of a period, and what lies beyond.
#[test]
fn the_last_day_has_the_offset_of_its_zone() {
    for (place, offset, last) in [
        ("Europe/London", 0, "9999-12-31T23:59:59.999Z"),
        ("Asia/Singapore", 480, "9999-12-31T15:59:59.999Z"),
        ("America/New_York", -300, "10000-01-01T04:59:59.999Z"),
    ] {
        let zone = zone(place);
        for text in ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999Z"] {
            let utc = d(text).earliest(&UTC);
            assert_eq!(zone.offset_at(utc), offset, "{place} {text}");
            let shown = crate::system::compare::in_zone(d(text), &zone);
            assert_eq!(shown.earliest(&UTC), utc, "{place} {text}");
        }
        let (_, end) = span(&zone, "9999-12-31");
        assert_eq!(end, last, "{place}");
        assert_eq!(zone.offset_of_local(i64::MAX, true), offset, "{place}");
        assert_eq!(zone.offset_at(i64::MAX), offset, "{place}");
        // Local mean time.
        assert_eq!(
            zone.offset_at(i64::MIN),
            zone.offset_of_local(i64::MIN, false)
        );
    }
}

/// Months and days go by the clock of the place, hours by the time that passes.
#[test]
fn months_over_a_change_of_the_clock() {
    use crate::system::date_arithmetic::{CalendarDuration, plus, plus_in};
    let (ny, fixed) = (zone("America/New_York"), zone("-05:00"));
    let (half, day) = (CalendarDuration::months(-6), CalendarDuration::days(1));
    let hour = CalendarDuration::millis(3_600_000);
    let later = |text: &str, by, zone: &Zone| plus_in(d(text), by, zone).map(|t| t.to_string());
    let told = |text: &str| Some(text.to_owned());
    for (from, by, expected) in [
        (
            "2025-06-30T23:59:59.999-04:00",
            half,
            "2024-12-30T23:59:59.999-05:00",
        ),
        (
            "2025-07-01T00:00:00.000-04:00",
            half,
            "2025-01-01T00:00:00.000-05:00",
        ),
        (
            "2025-03-08T12:00:00-05:00",
            day,
            "2025-03-09T12:00:00-04:00",
        ),
        (
            "2025-03-09T01:30:00-05:00",
            hour,
            "2025-03-09T02:30:00-05:00",
        ),
        (
            "2025-03-08T01:30:00-05:00",
            day.and(hour),
            "2025-03-09T02:30:00-05:00",
        ),
        // Not of this place: as it was written.
        ("2025-07-01T00:00:00.000Z", half, "2025-01-01T00:00:00.000Z"),
        ("2025-07-01", half, "2025-01-01"),
    ] {
        assert_eq!(later(from, by, &ny), told(expected), "{from}");
        let plain = plus(d(from), by).map(|t| t.to_string());
        assert_eq!(later(from, by, &fixed), plain, "{from}");
    }
}
