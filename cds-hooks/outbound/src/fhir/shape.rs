//! How JSON is built, without reading it: how deep, of how many values.

/// The marks that JSON is built with, and how deep each stands: an opening one within itself, a closing one
/// outside. What stands in strings is passed over.
fn marks(json: &[u8]) -> impl Iterator<Item = (u8, usize)> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    json.iter().filter_map(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                return Some((*byte, depth));
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                return Some((*byte, depth));
            }
            b',' => return Some((b',', depth)),
            _ => {}
        }
        None
    })
}

/// Within how many objects and lists something stands at most; and about how many values there are, not fewer
/// than a half of them.
pub(crate) fn of(json: &[u8]) -> (usize, usize) {
    let (mut deepest, mut values) = (0, 0);
    for (mark, depth) in marks(json) {
        deepest = deepest.max(depth);
        values += usize::from(matches!(mark, b',' | b'[' | b'{'));
    }
    (deepest, values)
}

/// How many items a list has, at most; of an empty one one.
pub(crate) fn items(list: &[u8]) -> usize {
    let between = marks(list).filter(|mark| *mark == (b',', 1));
    1 + between.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_the_structure() {
        assert_eq!(of(br#"{"a":[{"b":"[[[[{{{{\"[[[["}]}"#), (3, 3));
        assert_eq!(of(br#"{"a":[{"b":1}]}"#).0, 3);
        assert_eq!(of("[".repeat(100_000).as_bytes()).0, 100_000);
        assert_eq!(of(br#"[[],[],[],[]]"#), (2, 8));
        assert_eq!(of(br#"]]]"#), (0, 0));
    }

    #[test]
    fn items_are_those_of_the_list_itself() {
        assert_eq!(items(br#"[{"a":1,"b":[1,2]},",,[",3]"#), 3);
        assert_eq!(items(b"[ ]"), 1);
        assert_eq!(items(br#""\\",[1]"#), 1);
    }
}
