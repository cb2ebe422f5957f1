//! What a read-me asks to be typed, in order: files to write, and lines for a shell.

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A read-me, taken apart.
pub struct Document {
    /// Its path from the root.
    pub name: &'static str,
    pub steps: Vec<Step>,
}

/// What a reader does.
#[derive(Debug)]
pub enum Step {
    /// A block below a line that begins with the file's name, as `` `my-rules/a.yaml`: ``.
    Write {
        path: String,
        text: String,
    },
    Run(Typed),
}

/// A line for a shell; several, where quotes or `\` join them.
#[derive(Debug)]
pub struct Typed {
    /// The line of the read-me, from 1.
    pub line: usize,
    pub command: String,
    /// What the read-me says that it prints; `None` where it says nothing.
    pub prints: Option<Vec<String>>,
}

impl Document {
    pub fn read(name: &'static str) -> Document {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        Document {
            name,
            steps: steps(&text),
        }
    }

    pub fn commands(&self) -> impl Iterator<Item = &Typed> {
        self.steps.iter().filter_map(|step| match step {
            Step::Run(typed) => Some(typed),
            Step::Write { .. } => None,
        })
    }
}

/// Blocks marked `sh` are commands; of others the lines from `$ ` on, each with what it prints below.
fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut before) = (vec![], "");
    let mut lines = text.lines().enumerate();
    while let Some((_, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            if !line.trim().is_empty() {
                before = line;
            }
            continue;
        };
        let block: Vec<(usize, &str)> = lines
            .by_ref()
            .take_while(|(_, line)| !line.trim_start().starts_with("```"))
            .map(|(at, line)| (at + 1, line))
            .collect();
        if let Some(path) = file_named(before) {
            let text = block.iter().flat_map(|(_, line)| [line, "\n"]).collect();
            let path = path.to_owned();
            steps.push(Step::Write { path, text });
        } else if language == "sh" {
            steps.extend(typed(&block).into_iter().map(Step::Run));
        } else if block.iter().any(|(_, line)| line.starts_with("$ ")) {
            steps.extend(shown(&block).into_iter().map(Step::Run));
        }
        before = "";
    }
    steps
}

/// `` `my-sets/egfr.json`, two codes: ``
fn file_named(line: &str) -> Option<&str> {
    let (path, rest) = line.strip_prefix('`')?.split_once('`')?;
    let data = [".yaml", ".json", ".ndjson", ".csv", ".toml", ".sh"];
    let named = data.iter().any(|end| path.ends_with(end)) && !path.contains(' ');
    (named && rest.ends_with(':')).then_some(path)
}

/// The commands of a block that has nothing else.
fn typed(block: &[(usize, &str)]) -> Vec<Typed> {
    let (mut found, mut open): (Vec<Typed>, Option<Typed>) = (vec![], None);
    for (line, text) in block {
        let mut typed = match open.take() {
            None if text.trim().is_empty() || text.trim_start().starts_with('#') => continue,
            None => Typed {
                line: *line,
                command: (*text).to_owned(),
                prints: None,
            },
            Some(mut typed) => {
                typed.command.push('\n');
                typed.command.push_str(text);
                typed
            }
        };
        match goes_on(&typed.command) {
            true => open = Some(typed),
            false => {
                typed.command = without_comments(&typed.command).0;
                found.push(typed);
            }
        }
    }
    assert!(open.is_none(), "a command does not end: {open:?}");
    found
}

/// Commands from `$ ` on, and below each what it prints.
fn shown(block: &[(usize, &str)]) -> Vec<Typed> {
    let starts = |(_, line): &(usize, &str)| line.starts_with("$ ");
    let mut found = vec![];
    let mut rest = block;
    while let Some(from) = rest.iter().position(starts) {
        rest = &rest[from..];
        let mut length = 1;
        let mut command = rest[0].1[2..].to_owned();
        while goes_on(&command) {
            command = format!("{command}\n{}", rest[length].1);
            length += 1;
        }
        let below = &rest[length..];
        let until = below.iter().position(starts).unwrap_or(below.len());
        let prints: Vec<String> = below[..until].iter().map(|l| l.1.to_owned()).collect();
        found.push(Typed {
            line: rest[0].0,
            command: without_comments(&command).0,
            prints: (!prints.is_empty()).then_some(prints),
        });
        rest = &below[until..];
    }
    found
}

/// Whether a shell would wait for another line.
fn goes_on(command: &str) -> bool {
    let (code, open) = without_comments(command);
    open || code.ends_with('\\')
}

/// A command without its comments, and whether a quote is open where it ends.
fn without_comments(command: &str) -> (String, bool) {
    let (mut code, mut open, mut escaped, mut comment) = (String::new(), None, false, false);
    for c in command.chars() {
        if comment && c != '\n' {
            continue;
        }
        comment = false;
        match (open, c) {
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (None, '"' | '\'') => open = Some(c),
            (Some(quote), _) if quote == c => open = None,
            (None, '#') if code.is_empty() || code.ends_with([' ', '\n']) => {
                comment = true;
                continue;
            }
            _ => {}
        }
        code.push(c);
    }
    (code.trim().to_owned(), open.is_some())
}

#[test]
fn blocks_become_steps() {
    let text = "`a/b.yaml`, a rule:\n```yaml\nid: b\n```\n```sh\n# first\none 'two\nthree' # four's\nfive \\\n  six\n```\n\
                ```\n$ seven  # eight\nnine\n…\n$ ten\n```\n```json\n{}\n```\n";
    let steps = steps(text);
    let said: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    assert_eq!(
        said,
        [
            r#"Write { path: "a/b.yaml", text: "id: b\n" }"#,
            r#"Run(Typed { line: 7, command: "one 'two\nthree'", prints: None })"#,
            r#"Run(Typed { line: 9, command: "five \\\n  six", prints: None })"#,
            r#"Run(Typed { line: 13, command: "seven", prints: Some(["nine", "…"]) })"#,
            r#"Run(Typed { line: 16, command: "ten", prints: None })"#,
        ]
    );
}
