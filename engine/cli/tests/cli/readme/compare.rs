//! Whether a command printed what a read-me shows.
//!
//! A line `…` stands for any lines, `…` within a line for any text. What another machine or another
//! moment changes is masked on both sides: durations, the names of rejects files, the folder for
//! temporary files, the port of a service and how the program was started.

use std::path::Path;

/// What differs, if anything.
pub fn difference(shown: &[String], printed: &str, scratch: &Path) -> Option<String> {
    let printed = masked(printed, scratch);
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let shown = masked(&shown.join("\n"), scratch);
    let shown: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
    if fits(&shown, &printed) {
        return None;
    }
    let first = (1..=shown.len()).find(|n| !begins(&shown[..*n], &printed));
    let missed = first.map_or("(the end: it prints more)", |n| shown[n - 1]);
    let cut = |line: &&str| line.chars().take(160).collect::<String>();
    let printed: Vec<String> = printed.iter().take(40).map(cut).collect();
    Some(format!(
        "it does not print this line at its place:\n  {missed}\nwhat it prints:\n  {}",
        printed.join("\n  ")
    ))
}

/// Whether the lines fit, all of them.
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|n| fits(rest, &printed[n..])),
        Some((line, rest)) => match printed.split_first() {
            Some((first, others)) => line_fits(line, first) && fits(rest, others),
            None => false,
        },
    }
}

/// Whether the lines fit some beginning of what was printed.
fn begins(shown: &[&str], printed: &[&str]) -> bool {
    (0..=printed.len()).any(|n| fits(shown, &printed[..n]))
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|p| printed.strip_prefix(p)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn masked(text: &str, scratch: &Path) -> String {
    let temporary = format!("{}/tmp/", scratch.display());
    let text = text.replace(&temporary, "/tmp/");
    let text = text.replace(&format!("{}/", scratch.display()), "");
    let text = text.replace("target/debug/tandem", "tandem");
    let lines = text.lines().map(|line| ports(&stamps(&durations(line))));
    lines.fold(String::new(), |all, line| all + &line + "\n")
}

/// `0.8 s`, `12 ms` become `N s`, `N ms`.
fn durations(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    for at in 1..words.len() {
        let unit = words[at].trim_end_matches([',', ';', ':', '.', ')']);
        let number = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_digit())
                && word.chars().all(|c| c.is_ascii_digit() || ".,".contains(c))
        };
        if ["s", "ms"].contains(&unit) && number(&words[at - 1]) {
            words[at - 1] = "N".to_owned();
        }
    }
    words.join(" ")
}

/// `_rejects/001a20a1bf7ba.ndjson` becomes `_rejects/STAMP.ndjson`.
fn stamps(line: &str) -> String {
    let mut out = String::new();
    for (n, part) in line.split("_rejects/").enumerate() {
        let hex = part.find(|c: char| !c.is_ascii_hexdigit());
        match (n, hex) {
            (0, _) => out.push_str(part),
            (_, Some(end)) if part[end..].starts_with(".ndjson") => {
                out.push_str("_rejects/STAMP");
                out.push_str(&part[end..]);
            }
            _ => {
                out.push_str("_rejects/");
                out.push_str(part);
            }
        }
    }
    out
}

/// `127.0.0.1:41234` becomes `127.0.0.1:8080`.
fn ports(line: &str) -> String {
    let mut out = String::new();
    for (n, part) in line.split("127.0.0.1:").enumerate() {
        match n {
            0 => out.push_str(part),
            _ => {
                out.push_str("127.0.0.1:8080");
                out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
            }
        }
    }
    out
}

#[test]
fn what_differs_is_found() {
    let check = |shown: &str, printed: &str| {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        difference(&shown, printed, Path::new("/scratch")).is_none()
    };
    assert!(check("a\nb", "a\nb\n"));
    assert!(!check("a", "a\nb\n"));
    assert!(!check("a\nb", "a\n"));
    assert!(check("a\n…", "a\nb\nc\n"));
    assert!(check("…\nc", "a\nb\nc\n"));
    assert!(!check("…\nd", "a\nb\nc\n"));
    assert!(check("a … d", "a b c d"));
    assert!(!check("a … d", "a b c"));
    assert!(check("took 0.8 s, or 12 ms.", "took 13.4 s, or 1 ms."));
    assert!(!check("took 0.8 kg", "took 0.9 kg"));
    assert!(check(
        "see lake/_rejects/001a20a1bf7ba.ndjson:",
        "see lake/_rejects/001a20a1bffff.ndjson:"
    ));
    assert!(check("/tmp/x/y in z", "/scratch/tmp/x/y in /scratch/z"));
    assert!(check("http://127.0.0.1:8080/a", "http://127.0.0.1:41234/a"));
}
