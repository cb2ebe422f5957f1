//! `tandem rule new`: a file to begin with.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use engine_patient::system::zone::UTC;

use crate::failure::{Done, Failure};

const CARE_GAP: &str = include_str!("skeleton/care-gap.yaml");
const ALERT_ORDER: &str = include_str!("skeleton/alert-order.yaml");
const ALERT_CHART: &str = include_str!("skeleton/alert-chart.yaml");

const KINDS: [&str; 2] = ["care-gap", "alert"];
const HOOKS: [&str; 3] = ["patient-view", "order-select", "order-sign"];

pub fn new_rule(
    kind: Option<String>,
    title: Option<String>,
    hook: Option<String>,
    out: &Path,
) -> Done {
    let what = "A care gap (who should get what) or an alert (a card at a moment)?";
    let kind = answered(kind, "--kind", what, Some(&KINDS))?;
    let title = answered(title, "--title", "What is it called?", None)?;
    let when = "When is it asked?";
    let hook = match (&hook, kind.as_str()) {
        // What a care gap is asked at where nothing else is said.
        (None, "care-gap") if !std::io::stdin().is_terminal() => "patient-view".to_owned(),
        _ => answered(hook, "--hook", when, Some(&HOOKS))?,
    };
    let id = id_of(&title);
    if id.is_empty() {
        let text = format!("--title \"{title}\": no id can be made of it; it needs letters");
        return Err(Failure::User(text));
    }
    let file = out.join(format!("{id}.yaml"));
    std::fs::create_dir_all(out).map_err(|e| Failure::User(format!("`{}`: {e}", out.display())))?;
    let text = skeleton(&kind, &hook, &id, &title);
    let created = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::User(format!(
            "`{}` is there already, and is left as it is: choose another title",
            file.display()
        )),
        _ => Failure::Internal(format!("`{}`: {e}", file.display())),
    })?;
    let shown = file.display();
    say!("wrote {shown}");
    say!("Write what is TODO in it, then: tandem rule check {shown} && tandem rule test {shown}");
    Ok(std::process::ExitCode::SUCCESS)
}

/// What was given, or what is answered on a terminal.
fn answered(
    given: Option<String>,
    option: &str,
    question: &str,
    words: Option<&[&str]>,
) -> Result<String, Failure> {
    let one_of = words.map(|words| words.join(", "));
    let known = |answer: &str| words.is_none_or(|words| words.contains(&answer));
    let wrong = |answer: &str| {
        let of = one_of.as_deref().unwrap_or("a line of text");
        Failure::User(format!("{option} {answer}: write one of {of}"))
    };
    if let Some(given) = given {
        return match known(&given) {
            true => Ok(given),
            false => Err(wrong(&given)),
        };
    }
    if !std::io::stdin().is_terminal() {
        let of = one_of.map_or(String::new(), |words| format!(" ({words})"));
        return Err(Failure::User(format!(
            "{option} is missing{of}: without a terminal nobody can be asked"
        )));
    }
    loop {
        let of = one_of
            .as_ref()
            .map_or(String::new(), |words| format!(" [{words}]"));
        say!("{question}{of}");
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let answer = line.trim();
        match read {
            Ok(0) | Err(_) => return Err(Failure::User("no answer was given".into())),
            Ok(_) if answer.is_empty() => {}
            Ok(_) if known(answer) => return Ok(answer.to_owned()),
            Ok(_) => say!("`{answer}` is none of these."),
        }
    }
}

fn skeleton(kind: &str, hook: &str, id: &str, title: &str) -> String {
    let text = match (kind, hook) {
        ("alert", "patient-view") => ALERT_CHART,
        ("alert", _) => ALERT_ORDER,
        _ => CARE_GAP,
    };
    let now = UTC.moment(crate::commands::now_ms()).to_string();
    let year: String = now.chars().take(4).collect();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    // A JSON text is a text of YAML.
    let title = serde_json::Value::from(title).to_string();
    text.replace("@ID@", id)
        .replace("@TITLE@", &title)
        .replace("@YEAR@", &year)
        .replace("@HOOK@", hook)
}

/// `Ibuprofen with warfarin` → `ibuprofen-with-warfarin`
fn id_of(title: &str) -> String {
    let mut id = String::new();
    for c in title.to_ascii_lowercase().chars() {
        match c {
            'a'..='z' => id.push(c),
            '0'..='9' if !id.is_empty() => id.push(c),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    let id: String = id.chars().take(64).collect();
    id.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use rules::{Written, built_in_terminology, format, load};

    use super::*;

    #[test]
    fn ids_are_made_of_titles() {
        assert_eq!(id_of("Ibuprofen with warfarin"), "ibuprofen-with-warfarin");
        assert_eq!(id_of("2nd dose: Tdap (adults)"), "nd-dose-tdap-adults");
        assert_eq!(id_of("…"), "");
    }

    /// A skeleton can be used as it stands, but for what is to be written, and is in the usual form.
    #[test]
    fn skeletons_are_rules_whose_cases_pass() {
        let today = UTC.moment(crate::commands::now_ms());
        for (kind, hook) in [
            ("care-gap", "patient-view"),
            ("alert", "patient-view"),
            ("alert", "order-select"),
            ("alert", "order-sign"),
        ] {
            let text = skeleton(kind, hook, "a-b", "A \"b\": c");
            let rule = load("a-b.yaml", &text, &built_in_terminology());
            let rule = rule.unwrap_or_else(|found| panic!("{kind} {hook}: {found:#?}"));
            assert_eq!(rule.warnings, [], "{kind} {hook}");
            let failed: Vec<_> = rule
                .run_cases()
                .into_iter()
                .filter(|o| !o.failures.is_empty())
                .collect();
            assert!(failed.is_empty(), "{kind} {hook}: {failed:#?}");
            assert!(rule.coverage().iter().all(|f| !f.is_error()), "{kind}");
            let written = Written::read("a-b.yaml", &text).unwrap();
            let found = rule.lint(&written, today);
            assert!(found.iter().any(|f| f.code.as_str() == "todo"));
            // What was written is asked for no more.
            let done = text.replace("TODO ", "").replace("TODO", "x");
            let rule = load("a-b.yaml", &done, &built_in_terminology()).unwrap();
            let written = Written::read("a-b.yaml", &done).unwrap();
            assert_eq!(rule.lint(&written, today), [], "{kind} {hook}");
            assert_eq!(format("a-b.yaml", &text).unwrap(), text, "{kind} {hook}");
        }
    }
}
