//! `tandem rule test --coverage`: which outcomes of each condition the cases show.

use rules::ConditionSeen;
use serde_json::{Value, json};

/// How many outcomes, true and false, were seen of how many there are.
pub fn counted(conditions: &[ConditionSeen]) -> (usize, usize) {
    let seen = conditions
        .iter()
        .map(|c| usize::from(c.seen.yes) + usize::from(c.seen.no));
    (seen.sum(), 2 * conditions.len())
}

/// `96.4 %`, rounded down: 100 % is all.
pub fn percent((seen, all): (usize, usize)) -> String {
    let tenths = (seen * 1000).checked_div(all).unwrap_or(1000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Most characters of a condition: its place says the rest.
const TEXT: usize = 90;

/// How much is shown; the conditions that are not shown true and false, or all.
pub fn print(conditions: &[ConditionSeen], whole: bool) {
    let percent = percent(counted(conditions));
    let open = conditions.iter().filter(|c| !c.is_shown()).count();
    let (shown, all) = (conditions.len() - open, conditions.len());
    if whole {
        say!("  conditions: true and false seen of {shown} of {all} ({percent})");
        conditions.iter().for_each(one);
    } else if open > 0 {
        say!(
            "  conditions: true and false seen of {shown} of {all} ({percent}); --coverage lists them"
        );
    }
}

/// `! 44:35 define.done: true: isFinal(o)`, with `!` where an outcome is missing.
fn one(condition: &ConditionSeen) {
    let seen = condition.seen;
    let words = [
        (seen.yes, "true"),
        (seen.no, "false"),
        (seen.unknown, "unknown"),
    ];
    let words: Vec<&str> = words
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, word)| *word)
        .collect();
    let told = match words.is_empty() {
        true => "never evaluated".to_owned(),
        false => words.join(", "),
    };
    let mark = if condition.is_shown() { " " } else { "!" };
    let column = condition.span.column.unwrap_or(1);
    let place = format!("{}:{column}", condition.span.line);
    let mut text: String = condition.text.chars().take(TEXT).collect();
    if text.len() < condition.text.len() {
        text.push('…');
    }
    say!("  {mark} {place:7} {}: {told}: {text}", condition.field);
}

pub fn as_json(conditions: &[ConditionSeen]) -> Value {
    let each = conditions.iter().map(|c| {
        json!({
            "field": c.field, "text": c.text, "line": c.span.line, "column": c.span.column,
            "true": c.seen.yes, "false": c.seen.no, "unknown": c.seen.unknown,
        })
    });
    json!(each.collect::<Vec<_>>())
}
