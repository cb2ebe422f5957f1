//! Sorting by an order that can fail and need not be total.

use crate::context::cx::Fault;

/// Stable. The order of uncertain dates is not total, and the standard library's sort may panic then.
pub(crate) fn merge_sort<T: Clone>(
    items: &mut Vec<T>,
    mut after: impl FnMut(&T, &T) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        for pair in items.chunks(width.saturating_mul(2)) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            if let (Some(last), Some(first)) = (left.last(), right.first())
                && !after(last, first)?
            {
                // In order already, as most lists come.
                merged.extend_from_slice(pair);
                continue;
            }
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let next = match after(a, b)? {
                    true => right.next(),
                    false => left.next(),
                };
                merged.extend(next.cloned());
            }
            merged.extend(left.chain(right).cloned());
        }
        *items = merged;
        width = width.saturating_mul(2);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut seed = 7_u64;
        for length in 0..70 {
            let mut next = || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 60, seed)
            };
            let items: Vec<(u64, u64)> = (0..length).map(|_| next()).collect();
            let (mut ours, mut theirs) = (items.clone(), items);
            merge_sort(&mut ours, |a, b| Ok(a.0 > b.0)).unwrap();
            theirs.sort_by_key(|i| i.0);
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn any_answer_is_taken() {
        let mut items: Vec<u32> = (0..50).collect();
        merge_sort(&mut items, |_, _| Ok(true)).unwrap();
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
