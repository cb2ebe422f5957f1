//! "Did you mean": the nearest of the names that exist.

use crate::finding::{distance, is_oid, only_digits_differ};

/// How many suggestions are shown.
const SHOWN: usize = 3;

/// The urls nearest to `wanted`, best first: by edit distance of the whole url, or of its last segment
/// to the last segment, id, name or title of the candidate. Nothing when all are far, and nothing to an
/// OID: the nearest of its digits is another value set.
pub(super) fn nearest<'a, I, N>(wanted: &str, candidates: I) -> Vec<String>
where
    I: IntoIterator<Item = (&'a str, N)>,
    N: IntoIterator<Item = &'a str>,
{
    let wanted = wanted.split('|').next().unwrap_or(wanted);
    if is_oid(wanted) {
        return vec![];
    }
    let short = last_segment(wanted).to_lowercase();
    let limit = |length: usize| (length / 3).max(2);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (url, names) in candidates {
        let whole = distance(wanted, url);
        let mut best = (whole <= 2 && !only_digits_differ(wanted, url)).then_some(whole);
        for name in names.into_iter().chain([last_segment(url)]) {
            if is_oid(name) || only_digits_differ(&short, name) {
                continue;
            }
            let near = distance(&short, &name.to_lowercase());
            if near <= limit(short.chars().count()) && best.is_none_or(|best| near < best) {
                best = Some(near);
            }
        }
        if let Some(best) = best {
            found.push((best, url));
        }
    }
    found.sort_unstable();
    found.dedup();
    let first = found.first().map(|(distance, _)| *distance);
    found
        .into_iter()
        .filter(|(distance, _)| Some(*distance) == first)
        .take(SHOWN)
        .map(|(_, url)| url.to_owned())
        .collect()
}

fn last_segment(url: &str) -> &str {
    url.rsplit(['/', ':']).next().unwrap_or(url)
}
