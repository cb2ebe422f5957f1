//! A page: headings, texts, lists and tables, for a terminal, as Markdown, and as HTML.

use super::super::explained::line;
use crate::table;

/// A part of a page.
enum Block {
    Heading(String),
    Text(String),
    Pairs(Vec<(&'static str, String)>),
    /// An item of a list, and how deep it stands.
    Item(usize, String),
    Table(Vec<String>, Vec<Vec<String>>),
}

/// A page, from above to below.
pub struct Page {
    title: String,
    blocks: Vec<Block>,
}

impl Page {
    pub fn new(title: &str) -> Self {
        Page {
            title: title.to_owned(),
            blocks: vec![],
        }
    }

    pub fn heading(&mut self, text: &str) {
        self.blocks.push(Block::Heading(text.to_owned()));
    }

    pub fn text(&mut self, text: &str) {
        self.blocks.push(Block::Text(text.to_owned()));
    }

    pub fn pairs(&mut self, pairs: &[(&'static str, String)]) {
        self.blocks.push(Block::Pairs(pairs.to_vec()));
    }

    pub fn item(&mut self, depth: usize, text: &str) {
        self.blocks.push(Block::Item(depth, text.to_owned()));
    }

    pub fn table(&mut self, heading: &[&str], rows: Vec<Vec<String>>) {
        let heading = heading.iter().map(|h| (*h).to_owned()).collect();
        self.blocks.push(Block::Table(heading, rows));
    }

    /// On a terminal.
    pub fn print(&self) {
        line(0, &self.title);
        for block in &self.blocks {
            match block {
                Block::Heading(text) => {
                    say!("");
                    line(0, text);
                }
                Block::Text(text) => {
                    say!("");
                    line(0, text);
                }
                Block::Pairs(pairs) => {
                    say!("");
                    for (name, text) in pairs {
                        line(0, &format!("{name:9}{text}"));
                    }
                }
                Block::Item(depth, text) => line(2 + 2 * depth, text),
                Block::Table(heading, rows) => {
                    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
                    table::print(&heading, rows);
                }
            }
        }
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n", self.title);
        let mut listed = false;
        for block in &self.blocks {
            if !(listed && matches!(block, Block::Item(..))) {
                out.push('\n');
            }
            listed = matches!(block, Block::Item(..));
            match block {
                Block::Heading(text) => out.push_str(&format!("## {text}\n")),
                Block::Text(text) => out.push_str(&format!("{text}\n")),
                Block::Pairs(pairs) => {
                    out.push_str("| | |\n|---|---|\n");
                    for (name, text) in pairs {
                        out.push_str(&format!("| {name} | {} |\n", cell(text)));
                    }
                }
                Block::Item(depth, text) => {
                    out.push_str(&format!("{}- {text}\n", "  ".repeat(*depth)));
                }
                Block::Table(heading, rows) => {
                    out.push_str(&format!("| {} |\n", heading.join(" | ")));
                    out.push_str(&format!("|{}\n", "---|".repeat(heading.len())));
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
                        out.push_str(&format!("| {} |\n", cells.join(" | ")));
                    }
                }
            }
        }
        out
    }

    /// One file that needs nothing else, and can be printed.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>body {{ font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; line-height: 1.4 }} table {{ border-collapse: collapse }} td, th {{ border: 1px solid #bbb; padding: 0.3em 0.6em; text-align: left; vertical-align: top }}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        );
        // How many lists are open.
        let mut open = 0;
        for block in &self.blocks {
            let wanted = match block {
                Block::Item(depth, _) => depth + 1,
                _ => 0,
            };
            out.push_str(&"</ul>\n".repeat(open - wanted.min(open)));
            out.push_str(&"<ul>\n".repeat(wanted - wanted.min(open)));
            open = wanted;
            match block {
                Block::Heading(text) => out.push_str(&format!("<h2>{}</h2>\n", escaped(text))),
                Block::Text(text) => out.push_str(&format!("<p>{}</p>\n", escaped(text))),
                Block::Item(_, text) => out.push_str(&format!("<li>{}</li>\n", escaped(text))),
                Block::Pairs(pairs) => {
                    out.push_str("<table>\n");
                    for (name, text) in pairs {
                        let text = escaped(text);
                        out.push_str(&format!("<tr><th>{name}</th><td>{text}</td></tr>\n"));
                    }
                    out.push_str("</table>\n");
                }
                Block::Table(heading, rows) => {
                    let row = |cells: &[String], tag: &str| {
                        let cells = cells
                            .iter()
                            .map(|c| format!("<{tag}>{}</{tag}>", escaped(c)));
                        format!("<tr>{}</tr>\n", cells.collect::<String>())
                    };
                    out.push_str("<table>\n");
                    out.push_str(&row(heading, "th"));
                    rows.iter()
                        .for_each(|cells| out.push_str(&row(cells, "td")));
                    out.push_str("</table>\n");
                }
            }
        }
        out.push_str(&"</ul>\n".repeat(open));
        out.push_str("</body>\n</html>\n");
        out
    }
}

/// A `|` would end the cell.
fn cell(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").replace('|', "\\|")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
