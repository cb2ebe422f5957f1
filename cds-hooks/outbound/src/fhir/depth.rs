//! How deep JSON is nested, without reading it.

/// Whether no object or list stands within more than `max` others. Strings are passed over.
pub(crate) fn is_within(json: &[u8], max: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > max {
                    return false;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_the_structure() {
        assert!(is_within(br#"{"a":[{"b":"[[[[{{{{\"[[[["}]}"#, 3));
        assert!(!is_within(br#"{"a":[{"b":1}]}"#, 2));
        assert!(!is_within("[".repeat(100_000).as_bytes(), 64));
        assert!(is_within(br#"[[],[],[],[]]"#, 2));
    }
}
