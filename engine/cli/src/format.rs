//! `--format`: the same words in all commands. Each names those it can give; clap refuses the others, and
//! lists these.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

/// How a command prints what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Csv,
    Html,
    Parquet,
    Deqm,
    Markdown,
    /// One path a line.
    Paths,
    /// Findings as editors and reviews of changes read them.
    Sarif,
    /// Findings as workflows of GitHub read them.
    Github,
}

/// What most commands can give.
pub const TABLE_JSON: &[Format] = &[Format::Table, Format::Json];

/// What a command gives whose result is one table.
pub const TABLE_JSON_CSV: &[Format] = &[Format::Table, Format::Json, Format::Csv];

/// What `feedback report` gives: also a page.
pub const TABLE_JSON_CSV_HTML: &[Format] =
    &[Format::Table, Format::Json, Format::Csv, Format::Html];

/// What `rule functions` gives: also the reference page.
pub const TABLE_JSON_CSV_MARKDOWN: &[Format] =
    &[Format::Table, Format::Json, Format::Csv, Format::Markdown];

/// What `rule show` gives: a page.
pub const TABLE_JSON_MARKDOWN_HTML: &[Format] =
    &[Format::Table, Format::Json, Format::Markdown, Format::Html];

/// What a check gives.
pub const FINDINGS: &[Format] = &[Format::Table, Format::Json, Format::Sarif, Format::Github];

impl Format {
    const ALL: [Format; 10] = [
        Format::Table,
        Format::Json,
        Format::Csv,
        Format::Html,
        Format::Parquet,
        Format::Deqm,
        Format::Markdown,
        Format::Paths,
        Format::Sarif,
        Format::Github,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Html => "html",
            Format::Parquet => "parquet",
            Format::Deqm => "deqm",
            Format::Markdown => "markdown",
            Format::Paths => "paths",
            Format::Sarif => "sarif",
            Format::Github => "github",
        }
    }
}

/// The formats that a command can give; `text`, too, where there is a table: it is another word for it.
pub fn one_of(possible: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    let names = possible.iter().map(|format| format.as_str());
    let text = possible.contains(&Format::Table).then_some("text");
    let values: Vec<PossibleValue> = names.chain(text).map(PossibleValue::new).collect();
    PossibleValuesParser::new(values).map(|name: String| {
        let named = Format::ALL.into_iter().find(|f| f.as_str() == name);
        named.unwrap_or(Format::Table)
    })
}
