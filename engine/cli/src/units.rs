//! Sizes and times as options give them: `512MB`, `10m`.

use std::time::Duration;

/// Bytes: `2GB`, `512 MB`, `64KB`, `1000`; units are powers of 1,000, as sizes are printed.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000u64,
        _ => return Err(format!("`{unit}` is no unit of size: write 512MB or 2GB")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a whole number and a unit, as in 512MB or 2GB".to_owned())?;
    let bytes = number.checked_mul(factor);
    bytes.ok_or_else(|| "more bytes than a machine has".to_owned())
}

/// A span of time: `30s`, `10m`, `2h`; seconds where there is no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(format!("`{unit}` is no unit of time: write 30s, 10m or 2h")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a whole number and a unit, as in 30s, 10m or 2h".to_owned())?;
    let seconds = number.checked_mul(factor).filter(|s| *s <= 366 * 86_400);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "at most a year".to_owned())
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        for (text, bytes) in [("2GB", 2_000_000_000), ("512 mb", 512_000_000), ("7", 7)] {
            assert_eq!(size(text).unwrap(), bytes);
        }
        for text in ["", "GB", "-1GB", "1.5GB", "2 GiB", "99999999999TB"] {
            assert!(size(text).is_err(), "{text}");
        }
        for (text, seconds) in [("90", 90), ("30s", 30), ("10m", 600), ("2h", 7200)] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds));
        }
        for text in ["", "m", "1d", "-3s", "99999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
