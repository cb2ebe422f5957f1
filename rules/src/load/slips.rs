//! Dates and quantities as people write them elsewhere.

use engine_patient::system::date_time::DateTime;

/// The type that was meant, what is wrong with the text, and what to write instead.
pub(super) fn of(text: &str) -> Option<(&'static str, String, String)> {
    if let Some(help) = date(text) {
        return Some(("dateTime", format!("`{text}` is no date of FHIR"), help));
    }
    let help = quantity(text)?;
    let message = format!("`{text}` is no number with a unit");
    Some(("Quantity", message, help))
}

/// `01.06.2020`, `2020-13-01`, `2020/06/01`
fn date(text: &str) -> Option<String> {
    let day = text.split(['T', ' ']).next()?;
    let parts: Vec<&str> = day.split(['.', '/', '-']).collect();
    let digits =
        |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !parts.iter().all(digits) || !(2..=3).contains(&parts.len()) {
        return None;
    }
    let form =
        "write year, month and day: `2025-12-31`, `2025-12`, `2025` or `2025-12-31T10:00:00Z`";
    Some(match parts.as_slice() {
        [year, month, day @ ..] if year.len() == 4 => {
            let (no_month, no_day) = (
                !in_range(month, 12),
                day.first().is_some_and(|day| !in_range(day, 31)),
            );
            match (no_month, no_day) {
                (true, _) => format!("there is no month {month}; {form}"),
                (_, true) => format!("there is no day {day}; {form}", day = day.concat()),
                _ if month.len() == 2
                    && day.iter().all(|day| day.len() == 2)
                    && text.contains('-') =>
                {
                    format!("this day or time does not exist, or a part of it is missing; {form}")
                }
                _ => match written_day(&parts) {
                    Some(day) if DateTime::parse(&day).is_some() => {
                        format!("write `{day}`: months and days have two digits")
                    }
                    Some(_) => format!("this day does not exist; {form}"),
                    None => form.into(),
                },
            }
        }
        // Day first only where points say so: with strokes the month may come first.
        [day, month, year]
            if year.len() == 4
                && text.contains('.')
                && in_range(month, 12)
                && in_range(day, 31) =>
        {
            format!("write `{year}-{month:0>2}-{day:0>2}`: the year first, with `-` between")
        }
        [.., year] if year.len() == 4 => form.into(),
        _ => return None,
    })
}

/// Year, month and day, each with all its digits.
fn written_day(parts: &[&str]) -> Option<String> {
    let [year, rest @ ..] = parts else {
        return None;
    };
    let two = rest
        .iter()
        .map(|part| (part.len() <= 2).then(|| format!("-{part:0>2}")));
    Some(format!("{year}{}", two.collect::<Option<String>>()?))
}

fn in_range(part: &str, last: u32) -> bool {
    part.parse::<u32>().is_ok_and(|n| (1..=last).contains(&n))
}

/// `30mg/g`, `3,5 mg/g`
fn quantity(text: &str) -> Option<String> {
    let comparator: String = text.chars().take_while(|c| "<>=".contains(*c)).collect();
    let rest = text.strip_prefix(comparator.as_str())?.trim();
    let number: String = rest
        .chars()
        .enumerate()
        .take_while(|(at, c)| c.is_ascii_digit() || ".,".contains(*c) || *at == 0 && *c == '-')
        .map(|(_, c)| c)
        .collect();
    if !number.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let behind = rest.strip_prefix(number.as_str())?;
    let unit = behind.trim();
    let before = match comparator.is_empty() {
        true => String::new(),
        false => format!("{comparator} "),
    };
    let comma = number.contains(',');
    let near = !unit.is_empty() && !behind.starts_with(' ');
    // Of `1,234` it is not told which was meant.
    let plain = number.matches([',', '.']).count() <= 1;
    let right = format!("{before}{} {unit}", number.replace(',', "."));
    let right = right.trim();
    Some(match (comma, near) {
        _ if !plain => "write the number with one point and no comma".into(),
        (true, true) => format!("write `{right}`: a point for the comma, a space before the unit"),
        (true, false) => format!("write `{right}`: a point for the comma"),
        (false, true) => format!("write `{right}`: a space before the unit"),
        (false, false) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_was_meant() {
        for (text, ty, words) in [
            ("01.06.2020", "dateTime", "write `2020-06-01`"),
            ("1.6.2020", "dateTime", "write `2020-06-01`"),
            ("2020-13-01", "dateTime", "there is no month 13"),
            ("2020-06-32", "dateTime", "there is no day 32"),
            ("2020-02-30", "dateTime", "does not exist"),
            ("06/01/2020", "dateTime", "year, month and day"),
            ("2020-6-1", "dateTime", "write `2020-06-01`"),
            ("2020/6/1", "dateTime", "write `2020-06-01`"),
            ("2025-2-30", "dateTime", "this day does not exist"),
            ("30mg/g", "Quantity", "write `30 mg/g`: a space"),
            ("3,5 mg/g", "Quantity", "write `3.5 mg/g`: a point"),
            ("<3,5mg/g", "Quantity", "write `< 3.5 mg/g`: a point"),
            ("9,1", "Quantity", "write `9.1`"),
            ("1,234.5 mg/g", "Quantity", "one point"),
        ] {
            let (found, _, help) = of(text).unwrap_or(("", String::new(), String::new()));
            assert_eq!(found, ty, "{text}");
            assert!(help.contains(words), "{text}: {help}");
        }
        for other in ["negative", "loinc|4548-4", "7.1 %", "x/y", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
