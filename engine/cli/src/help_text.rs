//! Text below the options of a help: written in lines, shown as wide as the terminal is.

use crate::width::of_output;
use crate::wrap::wrap;

/// Help is no wider than this.
const WIDEST: usize = 100;

/// From so many spaces on, a line goes on with what the one before says.
const DEEP: usize = 8;

/// How wide help is shown.
pub fn help_width() -> usize {
    of_output().min(WIDEST)
}

/// Lines of a paragraph as one, which is wrapped when it is shown; names and what they mean wrapped here,
/// what they mean in a column. Examples stay as they are.
pub fn flowing(text: &str) -> String {
    let width = help_width();
    let mut out: Vec<String> = vec![];
    // The last line is a name and what it means.
    let mut defines = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let flows = |line: &str| !line.is_empty() && !line.starts_with(' ');
        match out.last_mut() {
            Some(before) if indent >= DEEP && defines => {
                before.push(' ');
                before.push_str(line.trim_start());
            }
            Some(before) if flows(before) && flows(line) && !before.ends_with(':') => {
                before.push(' ');
                before.push_str(line);
            }
            _ => {
                defines = column(line).is_some();
                out.push(line.to_owned());
            }
        }
    }
    let shown = out.iter().map(|line| match column(line) {
        Some(at) => defined(line, at, width),
        None => line.clone(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Where what it means begins: `  name   what it means`.
fn column(line: &str) -> Option<usize> {
    let name = line
        .strip_prefix("  ")
        .filter(|name| !name.starts_with(' '))?;
    let example = ["tandem ", "curl "]
        .iter()
        .any(|program| name.starts_with(program));
    let gap = name.find("  ").filter(|_| !example)?;
    let rest = name.get(gap..)?;
    Some(2 + gap + rest.len() - rest.trim_start().len())
}

fn defined(line: &str, at: usize, width: usize) -> String {
    let (name, text) = line.split_at_checked(at).unwrap_or((line, ""));
    let hanging = format!("\n{}", " ".repeat(at));
    let lines = wrap(text, width.saturating_sub(at).max(WIDEST / 4));
    format!("{name}{}", lines.join(&hanging))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_flow_and_examples_stay() {
        let text = "Examples:\n  tandem a --b   what it does\nOne\ntwo.\n\nTables:\n  name   what\n         it means\n  other  more";
        let shown = "Examples:\n  tandem a --b   what it does\nOne two.\n\nTables:\n  name   what it means\n  other  more";
        assert_eq!(flowing(text), shown);
    }

    #[test]
    fn what_a_name_means_stays_in_its_column() {
        let shown = defined(
            "  name   one two three four five six seven eight nine",
            9,
            40,
        );
        assert_eq!(
            shown,
            "  name   one two three four five six\n         seven eight nine"
        );
    }
}
