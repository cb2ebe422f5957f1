//! How many, in words.

/// `1,234,567`
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `2 rows`, `1,000 rows`; with what is said of them, `1 row is`, `2 rows are`.
pub fn several(n: u64, one: &str, more: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{} {more}", thousands(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_several() {
        let rows = |n| several(n, "row", "rows");
        assert_eq!(
            [0, 1, 2, 1000].map(rows),
            ["0 rows", "1 row", "2 rows", "1,000 rows"]
        );
        assert_eq!(
            [12, 123, 1_234_567].map(thousands),
            ["12", "123", "1,234,567"]
        );
    }
}
