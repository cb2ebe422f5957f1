//! The order of versions.

use std::cmp::Ordering;

/// Which of two business versions is higher.
///
/// 1. No version is lower than any version.
/// 2. Versions are cut into runs of digits and runs of other characters and compared run by run:
///    digits as numbers (`2.10` > `2.9`, `20250820` > `20250108`), other runs by bytes, a number is
///    higher than text.
/// 3. When one is the beginning of the other, the longer is higher (`1.0.1` > `1.0`), unless its rest
///    begins with `-` and a letter: `1.0.0-draft` is before `1.0.0`.
/// 4. Versions that are equal so far (`1.0` and `1.00`) are ordered by bytes.
#[must_use]
pub fn compare_versions(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(left), Some(right)) => by_runs(left, right).then_with(|| left.cmp(right)),
    }
}

fn by_runs(mut left: &str, mut right: &str) -> Ordering {
    loop {
        match (left.is_empty(), right.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return rest(right).reverse(),
            (false, true) => return rest(left),
            (false, false) => {}
        }
        // `-` and a letter mark a pre-release, also before a longer version.
        match (is_prerelease(left), is_prerelease(right)) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let (left_run, left_rest) = run(left);
        let (right_run, right_rest) = run(right);
        let order = match (is_digits(left_run), is_digits(right_run)) {
            (true, true) => by_number(left_run, right_run),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => left_run.cmp(right_run),
        };
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
}

/// How a version with this rest compares to one that has ended.
fn rest(rest: &str) -> Ordering {
    if is_prerelease(rest) {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

fn is_prerelease(rest: &str) -> bool {
    let mut characters = rest.chars();
    characters.next() == Some('-') && characters.next().is_some_and(char::is_alphabetic)
}

fn is_digits(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

fn run(text: &str) -> (&str, &str) {
    let digits = is_digits(text);
    let end = text
        .find(|c: char| c.is_ascii_digit() != digits)
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Digits of any length as numbers.
fn by_number(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}
