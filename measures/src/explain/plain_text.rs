//! An explanation as text, for a terminal.

use engine_patient::plural::several;
use std::fmt::Write;

use super::{Branch, Explanation, Fact, PopulationExplanation};

/// Most items that are told of one branch.
const ITEMS: usize = 5;
/// The least room that is left for text, however deep it stands.
const ROOM: usize = 40;

/// What the marks mean.
const LEGEND: [&str; 3] = [
    "✓ true   ✗ false   ? unknown: it cannot be told   · not evaluated: nothing depended on it",
    "\"1 of 3 true\": looked at for 3 items, true for 1.   ◀ decided the answer above.",
    "\"…\" in a clause stands for the part that is shown below it.",
];

/// The verdict, then the tree of every population, in so many columns.
pub fn text(explanation: &Explanation, width: usize) -> String {
    let mut out = Page {
        out: String::new(),
        width,
        cut: 0,
    };
    let e = explanation;
    for group in &e.groups {
        let named = match e.groups.len() {
            1 => group.verdict.text.clone(),
            _ => format!("{}: {}", group.name, group.verdict.text),
        };
        out.line(0, &named);
    }
    out.out.push('\n');
    out.line(0, &format!("{}: {}", e.measure, e.title));
    let whom = format!("{}, {} to {}", e.subject, e.period.start, e.period.end);
    out.line(0, &whom);
    for group in &e.groups {
        if e.groups.len() > 1 {
            out.out.push('\n');
            out.line(0, &group.name);
        }
        for population in &group.populations {
            out.out.push('\n');
            out.head(population);
            if let Some(criterion) = &population.criterion {
                out.branch(criterion, &[], 1);
            }
        }
    }
    out.out.push('\n');
    for line in LEGEND {
        out.line(0, line);
    }
    if let Some(notice) = e.notice {
        out.line(0, notice);
    }
    if out.cut > 0 {
        let cut = out.cut;
        out.line(
            0,
            &format!(
                "{} deeper than this: a greater --depth shows more.",
                several(cut as u64, "place goes", "places go")
            ),
        );
    }
    out.out
}

struct Page {
    out: String,
    width: usize,
    /// Places that go deeper than the tree.
    cut: usize,
}

impl Page {
    /// A line, gone on below where it is longer than the page.
    fn line(&mut self, indent: usize, text: &str) {
        for line in folded(indent, text, self.width) {
            // Writing to a String does not fail.
            let _ = writeln!(self.out, "{line}");
        }
    }

    fn head(&mut self, population: &PopulationExplanation) {
        let count = match population.count {
            Some(n) => n.to_string(),
            None => "not counted, cannot be told".to_owned(),
        };
        let held_back = population.held_back.map(|why| format!(": {why}"));
        let held_back = held_back.unwrap_or_default();
        self.line(0, &format!("{}: {count}{held_back}", population.code));
        if population.criterion.is_some() {
            self.line(4, &population.verdict.text);
        }
        for member in population.members.iter().take(ITEMS) {
            self.line(4, &format!("counts: {}", member.line()));
        }
        self.more(population.members.len());
        for observation in population.observations.iter().take(ITEMS) {
            self.line(4, &format!("observed: {observation}"));
        }
        self.more(population.observations.len());
    }

    fn more(&mut self, all: usize) {
        if all > ITEMS {
            self.line(4, &format!("and {} more", all - ITEMS));
        }
    }

    fn branch(&mut self, own: &Branch, above: &[Fact], depth: usize) {
        let indent = 2 * depth;
        let mut line = format!("{} {}  {}", own.outcome.symbol(), outcome(own), label(own));
        if let Some(items) = own.items {
            let s = if items == 1 { "" } else { "s" };
            let _ = write!(line, "  [{items} item{s}]");
        }
        if !own.values.is_empty() {
            let _ = write!(line, "  ({})", own.values.join("; "));
        }
        if own.seen {
            line.push_str("  (see above)");
        }
        if own.cut > 0 {
            self.cut += 1;
            let _ = write!(line, "  (… {} more below)", own.cut);
        }
        if decided(own) {
            line.push_str("  ◀");
        }
        self.line(indent, &line);
        // The same items further down say nothing new.
        if !own.seen && own.facts != above {
            for fact in own.facts.iter().take(ITEMS) {
                self.line(indent + 4, &format!("- {}", fact.line()));
            }
            let total = own.items.unwrap_or(own.facts.len());
            if total > ITEMS && own.facts.len() > ITEMS {
                self.line(indent + 4, &format!("- and {} more", total - ITEMS));
            }
        }
        for part in &own.parts {
            let told = if own.facts.is_empty() {
                above
            } else {
                &own.facts
            };
            self.branch(part, told, depth + 1);
        }
    }
}

/// A text as lines of at most so many characters, which go on below, further in.
pub fn folded(indent: usize, text: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(indent).max(ROOM);
    let all = pieces(text, room).into_iter().enumerate();
    let lines = all.map(|(at, piece)| {
        let gap = if at == 0 { indent } else { indent + 4 };
        format!("{}{piece}", " ".repeat(gap))
    });
    lines.collect()
}

/// A text in pieces of at most so many characters, cut between words. The pieces after the first have
/// four less.
fn pieces(text: &str, room: usize) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    let mut piece = String::new();
    let mut long = 0;
    for word in text.split(' ') {
        let mut word = word.to_owned();
        loop {
            let room = if out.is_empty() { room } else { room - 4 };
            let own = word.chars().count();
            let gap = usize::from(long > 0);
            if long + gap + own <= room {
                if gap == 1 {
                    piece.push(' ');
                }
                piece.push_str(&word);
                long += gap + own;
                break;
            }
            if long > 0 {
                out.push(std::mem::take(&mut piece).trim_end().to_owned());
                long = 0;
                continue;
            }
            // A word that is longer than a line.
            let at = word
                .char_indices()
                .nth(room)
                .map_or(word.len(), |(at, _)| at);
            let rest = word.split_off(at);
            out.push(std::mem::replace(&mut word, rest));
        }
    }
    if !piece.is_empty() || out.is_empty() {
        out.push(piece.trim_end().to_owned());
    }
    out
}

/// Where the way to what decided ends.
pub(super) fn decided(branch: &Branch) -> bool {
    branch.decides && !branch.parts.iter().any(|part| part.decides)
}

/// `true`, or of how many evaluations it was.
pub(super) fn outcome(branch: &Branch) -> String {
    let times = branch.times;
    match times.times {
        0 | 1 => branch.outcome.as_str().to_owned(),
        n => {
            let unknown = match times.null {
                0 => String::new(),
                null => format!(", {null} unknown"),
            };
            format!("{} of {n} true{unknown}", times.holds)
        }
    }
}

/// What it is, on one line.
pub(super) fn label(branch: &Branch) -> String {
    let mut parts: Vec<&str> = vec![];
    if let Some(role) = &branch.role {
        parts.push(role);
    }
    if !branch.label.is_empty() {
        parts.push(&branch.label);
    }
    let mut label = parts.join(" ");
    if !branch.operator.is_empty() {
        if !label.is_empty() {
            label.push_str(": ");
        }
        label.push_str(branch.operator);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn long_lines_go_on_below_and_lose_nothing() {
        assert_eq!(pieces("", 10), [""]);
        assert_eq!(pieces("one two three", 20), ["one two three"]);
        assert_eq!(pieces("one two three", 9), ["one two", "three"]);
        assert_eq!(pieces("abcdefghijklmnop", 10), ["abcdefghij", "klmnop"]);
        let text = "true  [1 item]  (a; b)";
        assert_eq!(pieces(text, 60), [text]);
    }
}
