//! The findings of one file.

use engine_patient::finding::{Code, Finding, Severity};

use super::limits::MAX_FOUND;

/// What is wrong with a file; of very many findings the first of the file, and how many more there are.
#[derive(Debug, Default)]
pub struct Found {
    all: Vec<Finding>,
    errors: usize,
    others: usize,
}

impl Found {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        let count = match finding.is_error() {
            true => &mut self.errors,
            false => &mut self.others,
        };
        *count += 1;
        self.all.push(finding);
        // They come by what is checked, not by line: which are the first shows late.
        if self.all.len() >= 4 * MAX_FOUND {
            self.keep_first();
        }
    }

    /// Puts them in the order of the file, and keeps the first errors and the first others.
    fn keep_first(&mut self) {
        self.all.sort_by_key(|f| (f.line(), f.column()));
        let (mut errors, mut others) = (0, 0);
        self.all.retain(|finding| {
            let count = match finding.is_error() {
                true => &mut errors,
                false => &mut others,
            };
            *count += 1;
            *count <= MAX_FOUND
        });
    }

    /// How many errors, those that are not kept included.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// All that are kept, in the order of the file.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.keep_first();
        let place = self.all.last().map(|f| (*f.place).clone());
        let kinds = [
            (self.errors, Severity::Error),
            (self.others, Severity::Warning),
        ];
        for (count, severity) in kinds {
            if count > MAX_FOUND {
                let message = format!("{} more findings are not shown", count - MAX_FOUND);
                let mut more = Finding::error(Code::More, message);
                more.severity = severity;
                self.all
                    .push(more.placed(place.clone().unwrap_or_default()));
            }
        }
        self.all
    }
}

#[cfg(test)]
mod tests {
    use engine_patient::finding::Place;

    use super::*;

    #[test]
    fn what_is_not_kept_is_counted() {
        let mut found = Found::default();
        for line in (1..=5 * MAX_FOUND + 7).rev() {
            let place = Place::known("a.yaml", Some(line), Some(1), None);
            found.push(Finding::error(Code::UnknownField, "x").placed(place));
        }
        found.push(Finding::warning(Code::Unused, "y"));
        assert_eq!(found.errors(), 5 * MAX_FOUND + 7);
        let all = found.sorted();
        assert_eq!(all.len(), MAX_FOUND + 2);
        let lines = all
            .iter()
            .filter(|f| f.code == Code::UnknownField)
            .map(Finding::line);
        assert!(lines.eq((1..=MAX_FOUND).map(Some)));
        let last = all.last().map(ToString::to_string).unwrap_or_default();
        let more = 4 * MAX_FOUND + 7;
        let more = format!("error[more]: {more} more findings are not shown");
        assert!(last.starts_with(&more), "{last}");
    }
}
