//! Where a call stands in a trace of its caller: `traceparent` (W3C Trace Context).

use axum::http::HeaderMap;

/// The span of the caller that a call is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// Names the trace.
    pub trace_id: u128,
    /// Names the caller's span.
    pub span_id: u64,
    /// Whether the caller keeps the trace.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Of a request. What is not as the recommendation has it is none: nothing is logged of it.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all("traceparent").iter();
        let (Some(one), None) = (all.next(), all.next()) else {
            return None;
        };
        Self::read(one.to_str().ok()?)
    }

    /// `00-<32 digits>-<16 digits>-<2 digits>`; of later versions the same beginning.
    fn read(text: &str) -> Option<Self> {
        let (head, rest) = text.split_at_checked(55)?;
        let parts: Vec<&str> = head.split('-').collect();
        let &[version, trace, span, flags] = parts.as_slice() else {
            return None;
        };
        let of = |digits: &str, length: usize| {
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            let fits = digits.len() == length && digits.bytes().all(is_hex);
            fits.then(|| u128::from_str_radix(digits, 16).ok())
                .flatten()
        };
        let ends = match of(version, 2)? {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let found = TraceParent {
            trace_id: of(trace, 32)?,
            span_id: u64::try_from(of(span, 16)?).ok()?,
            is_sampled: of(flags, 2)? & 1 == 1,
        };
        (ends && found.trace_id != 0 && found.span_id != 0).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_the_recommendation_has() {
        let read = TraceParent::read(GOOD).unwrap();
        assert_eq!(read.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(
            (read.span_id, read.is_sampled),
            (0xb7ad_6b71_6920_3331, true)
        );
        let not = GOOD.replace("-01", "-00");
        assert!(!TraceParent::read(&not).unwrap().is_sampled);
        let later = format!("{}-more", GOOD.replacen("00", "01", 1));
        assert_eq!(TraceParent::read(&later), Some(read));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "00",
            &GOOD[1..],
            &format!("{GOOD}-more"),
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
            &GOOD.replace('-', "\n"),
            &GOOD.replace("b7ad", "+7ad"),
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "é0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceParent::read(text), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.append("traceparent", GOOD.parse().unwrap());
        assert!(TraceParent::of(&headers).is_some());
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(TraceParent::of(&headers), None);
    }
}
