//! Pushing JSON into a string without intermediate values.

/// A JSON string with its quotes; escapes what JSON requires.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    // Nearly all texts are table constants without anything to escape.
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if u32::from(c) < 0x20 => {
                    out.push_str("\\u00");
                    for nibble in [u32::from(c) >> 4, u32::from(c) & 15] {
                        out.push(char::from_digit(nibble, 16).unwrap_or('0'));
                    }
                }
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

/// A whole number.
pub(super) fn push_int(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    let mut digits = [0u8; 20];
    let mut left = value.unsigned_abs();
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(20 - used) {
        out.push(char::from(*digit));
    }
}

/// A decimal with exactly `places` digits after the point (none for 0).
pub(super) fn push_decimal(out: &mut String, value: f64, places: u32) {
    let scale = 10i64.pow(places.min(6));
    let scaled = (value * scale as f64).round() as i64;
    if scaled < 0 {
        out.push('-');
    }
    push_int(out, scaled.abs() / scale);
    if places > 0 {
        out.push('.');
        let mut rest = scaled.abs() % scale;
        let mut unit = scale / 10;
        while unit > 0 {
            out.push(char::from(b'0' + (rest / unit) as u8));
            rest %= unit;
            unit /= 10;
        }
    }
}
