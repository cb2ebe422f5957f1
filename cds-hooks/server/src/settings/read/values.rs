//! Values with a form of their own: durations, sizes, addresses.

use std::net::SocketAddr;
use std::time::Duration;

use engine_patient::system::zone::Zone;
use toml::de::DeValue;
use url::Url;

use super::table::Wrong;

/// `"400ms"`, `"10s"`, `"5m"`, `"12h"`, `"30d"`, `"6y"` (of 365 days and a quarter), between two bounds.
pub(crate) fn duration(
    value: &DeValue<'_>,
    least: Duration,
    most: Duration,
) -> Result<Duration, Wrong> {
    let expected = || {
        let bounds = format!("from {} to {}", written(least), written(most));
        Wrong(
            format!("a time {bounds}"),
            Some("write a number and its unit in quotes, as in \"400ms\", \"10s\", \"5m\", \"12h\", \"30d\" or \"6y\"".to_owned()),
        )
    };
    let text = value.as_str().ok_or_else(expected)?.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
    let number: u64 = number.parse().map_err(|_| expected())?;
    let unit = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "y" => 31_557_600_000,
        _ => return Err(expected()),
    };
    let found = number.checked_mul(unit).map(Duration::from_millis);
    let found = found.filter(|found| (least..=most).contains(found));
    found.ok_or_else(expected)
}

/// As it would be written in the file.
pub(crate) fn written(duration: Duration) -> String {
    let ms = duration.as_millis();
    for (unit, name) in [
        (31_557_600_000, "y"),
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ] {
        if ms >= unit && ms.is_multiple_of(unit) {
            return format!("{}{name}", ms / unit);
        }
    }
    format!("{ms}ms")
}

/// A number of bytes, or `"10 MiB"`, `"64 KiB"`, `"10 MB"`.
pub(crate) fn bytes(value: &DeValue<'_>, least: u64, most: u64) -> Result<u64, Wrong> {
    let expected = || {
        Wrong(
            format!("a number of bytes from {least} to {most}"),
            Some("write a number, or a text such as \"10 MiB\"".to_owned()),
        )
    };
    let number = match (value.as_integer(), value.as_str()) {
        (Some(number), _) if number.radix() == 10 => number.as_str().parse().ok(),
        (_, Some(text)) => {
            let text = text.trim();
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
            let unit: u64 = match unit.trim() {
                "" | "B" => 1,
                "kB" => 1000,
                "KiB" => 1 << 10,
                "MB" => 1_000_000,
                "MiB" => 1 << 20,
                "GB" => 1_000_000_000,
                "GiB" => 1 << 30,
                _ => return Err(expected()),
            };
            number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit))
        }
        _ => None,
    };
    number
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(expected)
}

/// An address and a port. No name is looked up but `localhost`.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    let local = text.strip_prefix("localhost:");
    let local = local.map(|port| format!("127.0.0.1:{port}"));
    let wanted = local.as_deref().unwrap_or(text);
    wanted.parse().map_err(|_| {
        Wrong(
            "an IP address and a port, as in 127.0.0.1:8080".to_owned(),
            Some("0.0.0.0:8080 is for all addresses of this machine; names of other machines are not looked up".to_owned()),
        )
    })
}

/// An absolute http(s) URL without user, query and fragment.
pub(crate) fn url(text: &str) -> Result<Url, Wrong> {
    let what =
        "an https URL without user, query and fragment, as in https://cds.example.org/tandem";
    let url = Url::parse(text).map_err(|_| Wrong::expected(what))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.has_host();
    match plain && matches!(url.scheme(), "http" | "https") {
        true => Ok(url),
        false => Err(Wrong::expected(what)),
    }
}

/// The origin of a browser client.
pub(crate) fn origin(text: &str) -> Result<String, Wrong> {
    match cds_hooks::is_origin(text) {
        true => Ok(text.to_owned()),
        false => Err(Wrong::expected(
            "scheme, host and perhaps a port, as in https://ehr.example.org, or * for all",
        )),
    }
}

/// A zone of the clock.
pub(crate) fn zone(text: &str) -> Result<Zone, Wrong> {
    Zone::parse(text).map_err(|e| {
        Wrong(
            "an offset such as \"+01:00\", or a place such as \"America/New_York\"".to_owned(),
            Some(e.to_string()),
        )
    })
}

/// A name of ours: of a tenant, client or role.
pub(crate) fn name(text: &str) -> Result<String, Wrong> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    match (1..=64).contains(&text.len()) && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(Wrong::expected(
            "a name of 1 to 64 letters, digits, `.`, `_`, `-`",
        )),
    }
}

/// Any text but an empty one.
pub(crate) fn some_text(text: &str) -> Result<String, Wrong> {
    match text.trim().is_empty() {
        true => Err(Wrong::expected("a text")),
        false => Ok(text.to_owned()),
    }
}
