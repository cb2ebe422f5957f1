//! `criteria`: the name of a definition in the measure's library.
//!
//! Measures name a definition and leave the logic to the library. CQL written into the measure itself
//! would need a translator and is refused.

use super::element::{At, Report};
use engine_patient::finding::{Code, Finding};

/// Languages in which a name is taken literally.
const NAME: [&str; 2] = ["text/cql-identifier", "text/cql.identifier"];
/// Languages in which a name stands in CQL, possibly in quotes.
const CQL: [&str; 4] = [
    "text/cql",
    "text/cql-expression",
    "text/cql.expression",
    "text/cql-name",
];

/// Reads `of.criteria`. `None` is told.
pub(super) fn criteria(report: &mut Report, of: &At<'_>, what: &str) -> Option<String> {
    if of.get("criteria").is_none() {
        let message = format!("{what} has no `criteria`");
        let help = "name a definition of the measure's library: `\"criteria\": {\"language\": \"text/cql-identifier\", \"expression\": \"…\"}`";
        report.add(
            &of.path,
            Finding::error(Code::NoCriteria, message).help(help),
        );
        return None;
    }
    let at = report.object(of, "criteria")?;
    let language = report.text(&at, "language");
    let expression = match report.text(&at, "expression") {
        Some(expression) => expression,
        None => {
            let message = format!("{what} has `criteria` without `expression`");
            let help = "name a definition of the measure's library in `expression`";
            report.add(
                &at.path,
                Finding::error(Code::NoCriteria, message).help(help),
            );
            return None;
        }
    };
    let literal = match language.as_deref().map(bare) {
        None => {
            let message = format!("`criteria` of {what} have no `language`");
            let help =
                "taken as the name of a definition; write `\"language\": \"text/cql-identifier\"`";
            report.add(
                &at.path,
                Finding::warning(Code::CriteriaNoLanguage, message).help(help),
            );
            true
        }
        Some(language) if NAME.contains(&language) => true,
        Some(language) if CQL.contains(&language) => false,
        Some(language) => {
            let message = format!("criteria language `{language}` is not supported");
            let help = "use `text/cql-identifier` and name a definition of the measure's library";
            let issue = Finding::error(Code::CriteriaLanguage, message)
                .not_supported()
                .help(help);
            report.add(&format!("{}.language", at.path), issue);
            return None;
        }
    };
    let name = name(&expression, literal);
    if name.is_none() {
        let message =
            format!("criteria of {what} are a CQL expression, not the name of a definition");
        let help = if literal {
            "define it in the measure's library and name the definition"
        } else {
            "define it in the measure's library and name the definition; if this is a name already, write language `text/cql-identifier`"
        };
        let issue = Finding::error(Code::CriteriaExpression, message)
            .not_supported()
            .help(help);
        report.add(&format!("{}.expression", at.path), issue);
    }
    name
}

/// A media type without its parameters.
fn bare(language: &str) -> &str {
    language.split(';').next().unwrap_or(language).trim()
}

/// The name that is meant; `None` if it is more than a name.
fn name(expression: &str, literal: bool) -> Option<String> {
    if let Some(rest) = expression.strip_prefix('"') {
        return quoted(rest);
    }
    // Names with blanks are written without quotes in many measures; a definition `A and B` exists or
    // it does not, which linking will tell.
    let operators = |c: char| "()[]{}<>=~|*/^;.,:@'\"\n".contains(c);
    (literal || !expression.contains(operators)).then(|| expression.to_owned())
}

/// The rest of a quoted identifier after its first quote (CQL 1.5, Author's Guide, Identifiers).
fn quoted(rest: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return (chars.next().is_none() && !name.is_empty()).then_some(name),
            '\\' => match chars.next()? {
                c @ ('"' | '\\' | '\'' | '`' | '/') => name.push(c),
                // Line breaks and code points in the name of a definition: none seen, not guessed.
                _ => return None,
            },
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cql = |text: &str| name(text, false);
        assert_eq!(cql("Numerator"), Some("Numerator".into()));
        assert_eq!(cql("Initial Population"), Some("Initial Population".into()));
        assert_eq!(
            cql("\"Initial Population\""),
            Some("Initial Population".into())
        );
        assert_eq!(cql("\"a \\\"b\\\"\""), Some("a \"b\"".into()));
        for expression in [
            "exists (X)",
            "A.B",
            "\"A\".\"B\"",
            "\"A\" or \"B\"",
            "\"A",
            "\"\"",
        ] {
            assert_eq!(cql(expression), None, "{expression}");
        }
        let literal = |text: &str| name(text, true);
        assert_eq!(
            literal("Age 65+ (at start)"),
            Some("Age 65+ (at start)".into())
        );
        assert_eq!(literal("\"Numerator\""), Some("Numerator".into()));
        assert_eq!(literal("\"A\".\"B\""), None);
    }
}
