//! The reference page of the functions, made from their rows.

use super::row::{FunctionInfo, Param, Returns};
use super::table::TOPICS;

const HEAD: &str = "\
# Functions of rules

<!-- Made by `tandem rule functions --format markdown`, from the table that runs them. Change that. -->

`f(x, y)` and `x.f(y)` are the same. An argument that is unknown makes the value unknown, with its
reason, unless it is said otherwise. Of a list the items may be *perhaps* in it: what depends on one of
them is unknown, what does not is known.

The examples are of a woman born on 15 June 1960, on 31 December 2025 at noon UTC:

- type 2 diabetes since 2010; HbA1c 7.0 % on 1 February 2024, 7.1 % on 1 March 2025, 9.4 % on 1 August 2025
- colonoscopies on 10 May 2010 and 4 May 2018
- weight 82 kg on 10 January and 80 kg on 10 November 2025, height 170 cm
- creatinine 1.6 mg/dL on 1 December 2025; blood pressure 150/95 mm Hg on 1 June 2025
- an HbA1c ordered on 15 December 2025; influenza vaccine declined on 1 October 2025
- warfarin since 20 January 2024
- one visit, on 1 February 2024
";

/// The page, as Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for topic in TOPICS {
        page.push_str(&format!("\n## {}\n", topic.title));
        for info in topic.functions {
            page.push_str(&entry(info));
        }
    }
    page
}

fn entry(info: &FunctionInfo) -> String {
    let FunctionInfo {
        name,
        doc,
        example,
        gives,
        ..
    } = info;
    let takes: Vec<String> = info.params.iter().map(|p| p.wanted()).collect();
    let takes = match takes.as_slice() {
        [] => "Takes nothing.".to_owned(),
        all => format!("Takes {}.", all.join("; ")),
    };
    let gives = match gives.is_empty() {
        true => String::new(),
        false => format!(" gives `{gives}`"),
    };
    let result = result(info);
    format!("\n### {name}\n\n{doc}\n\n{takes} Gives {result}.\n\n`{example}`{gives}\n")
}

fn result(info: &FunctionInfo) -> &'static str {
    let of_dates = info.params.first() == Some(&Param::WhenOrMany);
    match info.returns {
        Returns::Bool => "true or false",
        Returns::Int => "a whole number",
        Returns::Double => "a number",
        Returns::Text => "a text",
        Returns::Time => "a date",
        Returns::Duration => "a duration",
        Returns::First => "what the first argument is",
        Returns::Item => "an item of the list",
        Returns::Filtered if of_dates => "a list of a list, true or false of one resource or date",
        Returns::Filtered => "a list of a list, true or false of one",
        Returns::Components => "a list of components",
        Returns::Texts => "a list of texts",
        Returns::ListOf(_) | Returns::Named => "a list of resources",
    }
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
