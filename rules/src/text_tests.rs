use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::Zone;

use super::*;

#[test]
fn plain_texts_show_all_they_are() {
    for (text, expected) in [
        ("Jane  O'Brien\t(née Doe)\n", "Jane O'Brien (née Doe)"),
        ("a\u{0}b\u{1b}[31mc\u{7f}d\u{85}e", "a b [31mc d e"),
        (
            "a\u{202e}cba\u{202c}\u{2066}x\u{2069}\u{200e}\u{61c}",
            "acbax",
        ),
        ("A\u{200b}B\u{2060}C\u{feff}D\u{ad}E\u{34f}F", "ABCDEF"),
        ("ht\u{200d}tp\u{200c}", "http"),
        // Persian and Hindi need them.
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ("क्\u{200d}ष", "क्\u{200d}ष"),
        ("م\u{200c}\u{200c}ن", "م\u{200c}ن"),
        ("葛\u{e0100} x\u{fe0f}", "葛\u{e0100} x"),
        ("a\u{e0041}\u{e007f}b\u{2028}c", "ab c"),
        ("", ""),
        (" \u{0} ", ""),
    ] {
        assert_eq!(plain(text), expected, "{text:?}");
    }
    assert_eq!(shown("a\u{200b}\n- b\u{1b}"), "a\n- b ");
}

#[test]
fn what_would_be_markdown_is_text() {
    for (text, expected) in [
        (
            "Jane O'Brien (née Doe), 7.5 %",
            "Jane O'Brien (née Doe), 7.5 %",
        ),
        ("a*b_c", "a\\*b\\_c"),
        ("<b>&amp;", "&lt;b&gt;\\&amp;"),
        ("`x`", "&#96;x&#96;"),
        ("1. x", "1\\. x"),
        ("12) x", "12\\) x"),
        ("1.5", "1.5"),
        ("- x", "\\- x"),
        ("(http", "\\(http"),
        ("http://x", "http:\u{34f}\u{34f}/\u{34f}/x"),
        ("Dr.", "Dr."),
        ("a@b", "a@\u{34f}b"),
        ("mailto:a@b", "mailto:\u{34f}a@\u{34f}b"),
        ("xmpp:x", "xmpp:\u{34f}x"),
        (":x", "\\:\u{34f}x"),
        ("see: 12:30", "see: 12:30"),
        ("www.x", "www\u{34f}.\u{34f}x"),
        ("www.1", "www\u{34f}.1"),
    ] {
        assert_eq!(markdown(text), expected, "{text:?}");
    }
}

#[test]
fn reasons_are_plain_words_and_markdown() {
    assert_eq!(
        reason("`Patient.deceased` is too imprecise"),
        "the date of death of the patient is too imprecise"
    );
    assert_eq!(
        reason("unit `<b>` of `Observation.value[x]`"),
        "unit &lt;b&gt; of the value of a result or measurement"
    );
    assert_eq!(reason("a `b"), "a b");
}

#[test]
fn urls() {
    assert_eq!(url_part("a b)/../?x=é"), "a%20b%29%2F..%2F%3Fx%3D%C3%A9");
    assert_eq!(url_part(".."), "%2E%2E");
    assert_eq!(url_part("javascript:x"), "javascript%3Ax");
    for (url, expected) in [
        ("https://x.org/a?b=c#d", Some("https://x.org/a?b=c#d")),
        ("HTTP://x.org", Some("HTTP://x.org")),
        (
            "https://x.org/a b)\"<>\n",
            Some("https://x.org/a%20b%29%22%3C%3E"),
        ),
        (
            "https://x.org/é\u{202e}",
            Some("https://x.org/%C3%A9%E2%80%AE"),
        ),
        ("https://", None),
        ("https://a b/", None),
        ("javascript:alert(1)//https://x", None),
        ("guideline.html", None),
        ("//x.org", None),
        ("ftp://x.org", None),
    ] {
        assert_eq!(link(url).as_deref(), expected, "{url:?}");
    }
}

#[test]
fn texts_are_cut_between_characters() {
    assert_eq!(front("abc", 3), "abc");
    assert_eq!(front("abc", 2), "ab");
    assert_eq!(front("ae\u{301}x", 2), "a");
    assert_eq!(front("a👩\u{200d}👧x", 4), "a");
    assert_eq!(front("👩👩", 3), "👩");
    let marks = format!("e{}", "\u{301}".repeat(5000));
    assert_eq!(front(&marks, 10).chars().count(), 10);
}

#[test]
fn values_in_targets_of_links() {
    for line in [
        "[a](https://x/",
        "see https://x/",
        "<https://x/",
        "[a](",
        "[1]: ",
        "www.x.org/",
        "[a](<https://x/",
    ] {
        assert!(stands_in_url(line), "{line}");
    }
    for line in [
        "",
        "a ",
        "[",
        "(",
        "[a](https://x) ",
        "a/",
        "a < b ",
        "<b>x</b> ",
    ] {
        assert!(!stands_in_url(line), "{line}");
    }
}

/// The day is that of the reader's zone, not of whoever wrote the moment down.
#[test]
fn a_moment_is_shown_as_the_day_it_is_here() {
    for (written, zone, day) in [
        ("2025-06-01T23:30:00-05:00", "+00:00", "2025-06-02"),
        (
            "2025-06-01T23:30:00-05:00",
            "America/New_York",
            "2025-06-02",
        ),
        ("2025-06-01T22:30:00-05:00", "America/Chicago", "2025-06-01"),
        ("2025-06-02T03:30:00Z", "America/Chicago", "2025-06-01"),
        ("2025-06-02T03:30:00", "America/Chicago", "2025-06-02"),
        ("2025-06-02", "America/Chicago", "2025-06-02"),
        ("2025-06", "America/Chicago", "2025-06"),
    ] {
        let time = DateTime::parse(written).unwrap();
        assert_eq!(
            super::day(time, &Zone::parse(zone).unwrap()),
            day,
            "{written} in {zone}"
        );
    }
}
