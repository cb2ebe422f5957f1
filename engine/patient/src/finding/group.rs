//! Findings that say the same, as one: with its measures, and all of its places.
//!
//! A library that twenty measures share has what is wrong with it once, and a value set that is missing
//! stands in one line, however many clauses refer to it. Who wants every place asks for it. People are told
//! what findings have in common ([`grouped`]); in what is for machines each says what is true of all its
//! measures ([`identical`]).

use crate::plural::several;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::visible::in_line;
use super::{Code, Finding, Place, Severity};

/// So many measures are named; the form for machines has all.
const MEASURES: usize = 8;

/// What several findings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// At its first place, with the measures of all.
    pub finding: Finding,
    /// Each place once, in the order of the findings.
    pub places: Vec<Place>,
    /// The helps that differ from that of [`Group::finding`]: each is of a measure.
    other_helps: usize,
    /// The messages that do.
    other_messages: usize,
}

/// Whether it is about a value set that is not there, or not whole.
fn of_value_set(finding: &Finding) -> bool {
    let code = matches!(
        finding.code,
        Code::ElmValueSetMissing | Code::ElmValueSetIncomplete
    );
    code && finding.place.canonical.is_some()
}

/// What findings have in common that are one, and their order.
type Key = (Code, String, Option<Severity>);

/// What findings that are one for people have in common.
fn key(finding: &Finding) -> Key {
    match &finding.place.canonical {
        // Whether a measure can do without it is another matter.
        Some(canonical) if of_value_set(finding) => (finding.code, canonical.to_string(), None),
        _ => (
            finding.code,
            without_parentheses(&finding.message, finding.code),
            Some(finding.severity),
        ),
    }
}

/// Where a direction is known from stands in parentheses, and is another for each measure.
fn without_parentheses(message: &str, code: Code) -> String {
    if code != Code::Direction {
        return message.to_owned();
    }
    let mut depth = 0_usize;
    let outside = message.chars().filter(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    let outside: String = outside.collect();
    outside.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Findings that say the same to people, together; errors before warnings, else in the order of the first
/// of each.
pub fn grouped<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<Group> {
    grouped_by(findings, &key)
}

/// Findings of the same severity and words, help included: only measures and places differ. In the order
/// of [`grouped`].
pub fn identical<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<Group> {
    grouped_by(findings, &|finding| {
        let help = finding.help.as_deref().unwrap_or_default();
        let words = format!("{}\n{help}", finding.message);
        (finding.code, words, Some(finding.severity))
    })
}

fn grouped_by<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
    key: &dyn Fn(&Finding) -> Key,
) -> Vec<Group> {
    let mut at: BTreeMap<Key, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = vec![];
    for finding in findings {
        let index = *at.entry(key(finding)).or_insert(groups.len());
        let Some(group) = groups.get_mut(index) else {
            groups.push(Group {
                finding: finding.clone(),
                places: vec![(*finding.place).clone()],
                other_helps: 0,
                other_messages: 0,
            });
            continue;
        };
        let known = &mut group.finding;
        group.other_messages += usize::from(finding.message != known.message);
        if finding.severity > known.severity {
            (known.severity, known.blame) = (finding.severity, finding.blame);
            known.help.clone_from(&finding.help);
        } else if finding.help != known.help {
            group.other_helps += 1;
        }
        for measure in &finding.measures {
            if !known.measures.contains(measure) {
                known.measures.push(measure.clone());
            }
        }
        if !group.places.contains(&finding.place) {
            group.places.push((*finding.place).clone());
        }
    }
    for group in &mut groups {
        group.finding.measures.sort();
    }
    groups.sort_by_key(|g| std::cmp::Reverse(g.finding.severity));
    groups
}

impl Group {
    /// As JSON: as its finding, with all places where there are several.
    pub fn to_json(&self) -> Value {
        let mut object = self.finding.to_json();
        if self.places.len() > 1
            && let Some(fields) = object.as_object_mut()
        {
            let places = self.places.iter().map(place_json);
            fields.insert("places".into(), places.collect());
        }
        object
    }

    /// The text for people.
    fn text(&self) -> String {
        let mut alone = self.finding.clone();
        let measures = std::mem::take(&mut alone.measures);
        if self.other_messages > 0 && !of_value_set(&alone) {
            alone.message = without_parentheses(&alone.message, alone.code);
        }
        if self.other_helps > 0 {
            let each = |help: String| format!("for each; for the first: {help}");
            alone.help = alone.help.take().map(each);
        }
        let mut text = alone.to_string();
        // A place in each measure is said with the measures.
        match self.places.len() {
            n if n == measures.len() => {}
            0 | 1 => {}
            2 => text.push_str("\n   = and at 1 more place"),
            n => {
                let _ = write!(text, "\n   = and at {} more places", n - 1);
            }
        }
        match measures.as_slice() {
            [] => {}
            [one] => {
                let _ = write!(text, "\n   = measure: {}", in_line(one));
            }
            some => {
                let _ = write!(text, "\n   = {} measures: {}", some.len(), named(some));
            }
        }
        text
    }

    /// A value set in one line: its name, its url, and the measures.
    fn line(&self) -> String {
        // The heading says the rest.
        let message = &self.finding.message;
        let message = message.strip_prefix("the value set ").unwrap_or(message);
        let message = in_line(&message.replacen("\" is missing: ", "\": ", 1)).into_owned();
        match self.finding.measures.as_slice() {
            [] => format!("  {message}"),
            some => format!("  {message} ({})", named(some)),
        }
    }
}

/// The first of them, and how many more there are.
fn named(measures: &[String]) -> String {
    let first: Vec<&str> = measures.iter().take(MEASURES).map(|m| &**m).collect();
    let first = in_line(&first.join(", ")).into_owned();
    match measures.len().saturating_sub(MEASURES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn place_json(place: &Place) -> Value {
    let node = place.node.as_ref();
    let mut object = json!({});
    let mut put = |name: &str, value: Option<Value>| {
        if let (Some(value), Some(fields)) = (value, object.as_object_mut()) {
            fields.insert(name.into(), value);
        }
    };
    put(
        "file",
        (!place.file.is_empty()).then(|| json!(&*place.file)),
    );
    put("line", place.span.as_ref().map(|s| json!(s.line)));
    put("path", place.path.as_ref().map(|p| json!(p)));
    put("library", node.map(|n| json!(&*n.library)));
    let text = |t: &Option<std::sync::Arc<str>>| t.as_ref().map(|t| json!(&**t));
    put("definition", node.and_then(|n| text(&n.definition)));
    put("localId", node.and_then(|n| text(&n.local_id)));
    put("locator", node.and_then(|n| text(&n.locator)));
    object
}

/// Of what bears on numbers each is told, however alike they are.
const EACH: [Code; 6] = [
    Code::Direction,
    Code::SupplementalLeftOut,
    Code::StratifierLeftOut,
    Code::OtherPeriod,
    Code::SeveralVersions,
    Code::TerminologyConflict,
];

/// Fewer of a kind are told each.
const ALIKE: usize = 3;

/// What findings of one kind have in common: their words, not the names in them. Nothing for one that
/// is told by itself.
fn kind(finding: &Finding) -> Option<(Severity, Code, String)> {
    let shape = match finding.severity {
        Severity::Error => return None,
        Severity::Info => String::new(),
        Severity::Warning if EACH.contains(&finding.code) => return None,
        Severity::Warning => finding.message.split('`').step_by(2).collect(),
    };
    Some((finding.severity, finding.code, shape))
}

/// Groups for people. Value sets stand in a line each, many of one kind as the first of them; what is
/// not said is counted, and `all` is what tells it.
pub fn told(groups: &[Group], all: &str) -> String {
    let mut kinds: BTreeMap<(Severity, Code, String), Vec<&Group>> = BTreeMap::new();
    for group in groups.iter().filter(|g| !of_value_set(&g.finding)) {
        if let Some(kind) = kind(&group.finding) {
            kinds.entry(kind).or_default().push(group);
        }
    }
    let mut texts: Vec<String> = vec![];
    let mut sets: Vec<(Severity, Code)> = vec![];
    for group in groups {
        let finding = &group.finding;
        if of_value_set(finding) {
            let block = (finding.severity, finding.code);
            if !sets.contains(&block) {
                sets.push(block);
                texts.push(of_value_sets(groups, block, all));
            }
            continue;
        }
        let alike = kind(finding).and_then(|kind| kinds.get(&kind));
        match alike.filter(|alike| alike.len() >= ALIKE) {
            None => texts.push(group.text()),
            Some(alike)
                if alike
                    .first()
                    .is_some_and(|first| std::ptr::eq(*first, group)) =>
            {
                let mut first = group.clone();
                let measures = alike.iter().flat_map(|g| &g.finding.measures);
                first.finding.measures = measures.cloned().collect();
                first.finding.measures.sort();
                first.finding.measures.dedup();
                let more = alike.len() - 1;
                texts.push(first.text() + &format!("\n   = and {more} more of this kind: {all}"));
            }
            Some(_) => {}
        }
    }
    texts.join("\n\n")
}

/// Value sets that are missing, or not whole, by name.
fn of_value_sets(groups: &[Group], (severity, code): (Severity, Code), all: &str) -> String {
    let of = |g: &&Group| {
        of_value_set(&g.finding) && g.finding.severity == severity && g.finding.code == code
    };
    let own: Vec<&Group> = groups.iter().filter(of).collect();
    let what = match (own.len(), code) {
        (1, Code::ElmValueSetMissing) => "1 value set is missing".to_owned(),
        (n, Code::ElmValueSetMissing) => format!("{n} value sets are missing"),
        (1, _) => "1 value set has not all its codes".to_owned(),
        (n, _) => format!("{n} value sets have not all their codes"),
    };
    let mut lines: Vec<String> = own.iter().map(|g| g.line()).collect();
    lines.sort();
    let mut text = format!(
        "{}[{code}]: {what}\n{}",
        severity.as_str(),
        lines.join("\n")
    );
    let help = own.iter().find_map(|g| g.finding.help.as_ref());
    if let Some(help) = help {
        let _ = write!(text, "\n   = help: {}", in_line(help));
    }
    let places: usize = own.iter().map(|g| g.places.len()).sum();
    let _ = write!(
        text,
        "\n   = {} to them: {all}",
        several(
            places as u64,
            "place of the logic refers",
            "places of the logic refer"
        )
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::ElmNode;

    fn missing(name: &str, url: &str, id: &str, measure: &str) -> Finding {
        let mut node = ElmNode::library("L|1");
        node.local_id = Some(id.into());
        let message = format!("the value set \"{name}\" is missing: {url}");
        let finding = Finding::error(Code::ElmValueSetMissing, message);
        let mut finding = finding.help("add it").placed(Place::of_elm("l.json", node));
        finding.measures = vec![measure.into()];
        finding.about(url)
    }

    #[test]
    fn a_missing_value_set_is_one_line() {
        let all = [
            missing("Visits", "urn:b", "1", "M2"),
            missing("Visits", "urn:b", "2", "M1"),
            missing("Ages", "urn:a", "3", "M1"),
        ];
        let groups = grouped(&all);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].places.len(), 2);
        assert_eq!(groups[0].to_json()["places"][1]["localId"], "2");
        assert_eq!(
            told(&groups, "--all"),
            "error[E012]: 2 value sets are missing\n  \"Ages\": urn:a (M1)\n  \"Visits\": urn:b (M1, M2)\n   = help: add it\n   = 3 places of the logic refer to them: --all"
        );
    }

    #[test]
    fn what_is_said_of_several_measures_is_said_once() {
        let one = |measure: &str, help: &str| {
            let mut finding = Finding::warning(Code::Direction, "lower (from table 1) is better");
            finding.measures = vec![measure.into()];
            finding.help(help).in_file(format!("{measure}.json"))
        };
        let mut other = one("B", "say B");
        other.message = "lower (from table 2) is better".into();
        let groups = grouped([&one("A", "say A"), &other]);
        assert_eq!(
            told(&groups, "--all"),
            "warning[P035]: lower is better\n  --> A.json\n   = help: for each; for the first: say A\n   = 2 measures: A, B"
        );
        // Of one measure all of it is true.
        assert_eq!(
            told(&grouped([&one("A", "say A")]), "--all"),
            "warning[P035]: lower (from table 1) is better\n  --> A.json\n   = help: say A\n   = measure: A"
        );
        // For machines no measure is said to be what another is.
        let json: Vec<Value> = identical([&one("A", "say A"), &other, &one("C", "say A")])
            .iter()
            .map(Group::to_json)
            .collect();
        let said = |name: &str| json.iter().map(|j| j[name].clone()).collect::<Vec<_>>();
        assert_eq!(
            said("message"),
            [
                "lower (from table 1) is better",
                "lower (from table 2) is better"
            ]
        );
        assert_eq!(said("help"), ["say A", "say B"]);
        assert_eq!(said("measures"), [json!(["A", "C"]), json!(["B"])]);
    }

    #[test]
    fn notes_of_a_kind_are_counted() {
        let note = |text: &str| Finding::info(Code::FileVersion, text);
        let groups = grouped([&note("a"), &note("b"), &note("c")]);
        assert_eq!(
            told(&groups, "--all"),
            "info[P085]: a\n   = and 2 more of this kind: --all"
        );
        let of = |name: &str| {
            let message = format!("the Library `{name}` has version `{name}1`");
            Finding::warning(Code::LibraryNames, message)
        };
        let groups = grouped([&of("A"), &of("B"), &of("C"), &of("D")]);
        assert_eq!(
            told(&groups, "--all"),
            "warning[P083]: the Library `A` has version `A1`\n   = and 3 more of this kind: --all"
        );
        assert_eq!(told(&groups[..2], "--all").matches("P083").count(), 2);
    }
}
