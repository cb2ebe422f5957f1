//! Which firings are shown with their reasons: chosen by a seed, not by who came first.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::rows::{CallRow, Explained};

/// So many of the smallest hashes, of different patients.
#[derive(Debug)]
pub(crate) struct Samples {
    seed: u64,
    most: usize,
    kept: BTreeMap<u64, (String, u32)>,
}

impl Samples {
    pub fn new(seed: u64, most: usize) -> Self {
        Samples {
            seed,
            most,
            kept: BTreeMap::new(),
        }
    }

    /// A patient's firings of a rule, by the numbers of their calls: one of them may be shown.
    pub fn offer(&mut self, rule: &str, patient: &str, calls: &[u32]) {
        let hash = |call: &u32| {
            let text = format!("{rule}\n{patient}\n{call}");
            (xxh3_64_with_seed(text.as_bytes(), self.seed), *call)
        };
        let Some((hash, call)) = calls.iter().map(hash).min() else {
            return;
        };
        self.kept.insert(hash, (patient.to_owned(), call));
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    /// Patients and numbers of calls.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, u32)> {
        self.kept.values().map(|(p, call)| (p.as_str(), *call))
    }
}

/// A firing that is shown with its reasons.
#[derive(Debug)]
pub(crate) struct Sample {
    pub rule: usize,
    pub patient: String,
    pub call: CallRow,
    pub cards: Vec<(String, String)>,
    pub explained: Explained,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_patients_does_not_matter_and_the_seed_does() {
        let patients: Vec<String> = (0..100).map(|n| format!("p{n}")).collect();
        let chosen = |seed: u64, backwards: bool| {
            let mut samples = Samples::new(seed, 5);
            let mut all: Vec<&String> = patients.iter().collect();
            if backwards {
                all.reverse();
            }
            all.iter().for_each(|p| samples.offer("r", p, &[1, 2]));
            let found = samples.chosen().map(|(p, call)| (p.to_owned(), call));
            found.collect::<Vec<_>>()
        };
        assert_eq!(chosen(1, false).len(), 5);
        assert_eq!(chosen(1, false), chosen(1, true));
        assert_ne!(chosen(1, false), chosen(2, false));
    }
}
