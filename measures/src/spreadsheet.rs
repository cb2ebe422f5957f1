//! Text of patient data as a cell of CSV: spreadsheets take what begins with `=`, `+`, `-` or `@` for a
//! formula, which may read or send what else is in the sheet.

use std::borrow::Cow;

/// The text; with an apostrophe before it where a spreadsheet would calculate it, so that it shows it as
/// text instead.
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn what_a_spreadsheet_would_calculate_is_text() {
        for formula in ["=HYPERLINK(\"x\")", "+1 555", "-2", "@SUM(A1)", "\t=1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["", "Smith, Ann", "555-1234", " =1"] {
            assert_eq!(cell(text), text);
        }
    }
}
