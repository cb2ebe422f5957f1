//! Changes to JSON texts: some leave JSON, some do not.

use serde_json::{Value, json};

use crate::random::Random;

/// Changes one value somewhere in a document.
pub(super) fn value(body: &str, random: &mut Random) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(body) else {
        return body.to_owned();
    };
    for _ in 0..=random.below(3) {
        let count = count(&document);
        let at = random.below(count);
        let mut left = at;
        change(&mut document, &mut left, random);
    }
    document.to_string()
}

/// The number of values in a document.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Changes the value that comes as number `left`.
fn change(value: &mut Value, left: &mut usize, random: &mut Random) -> bool {
    if *left == 0 {
        *value = other(value, random);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, left, random)),
        Value::Object(members) => members.values_mut().any(|item| change(item, left, random)),
        _ => false,
    }
}

/// Something else than what is there.
fn other(value: &Value, random: &mut Random) -> Value {
    match random.below(20) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!([]),
        3 => json!({}),
        4 => json!(0),
        5 => json!(-1),
        6 => json!(1e308),
        7 => json!(u64::MAX),
        8 => json!(true),
        9 => json!("x".repeat(1 + random.below(100_000))),
        10 => json!("\u{0}\u{7}\u{202e}\u{feff}\u{10ffff}"),
        11 => json!([value, value, value]),
        12 => json!({"a": value}),
        13 => json!("../../../etc/passwd"),
        14 => json!("{{context.patientId}}"),
        15 => json!("<script>alert(1)</script>' OR 1=1; --"),
        16 => json!("9999-99-99T99:99:99+99:99"),
        17 => {
            json!({"resourceType": "Bundle", "entry": [{"resource": value}, {"resource": value}]})
        }
        18 => json!({"reference": "Patient/another", "coding": [{"system": 1, "code": [value]}]}),
        _ => {
            let mut nested = value.clone();
            for _ in 0..random.below(60) {
                nested = json!([nested]);
            }
            nested
        }
    }
}

/// Changes bytes: what comes out may be no JSON and no UTF-8.
pub(super) fn bytes(body: &str, random: &mut Random) -> Vec<u8> {
    const BYTES: &[u8] = b"\"{}[],:\\0-9eE.u \n\x00\xff\xc0\x80\xed\xa0";
    let mut out = body.as_bytes().to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(out.len().max(1));
        let byte = BYTES.get(random.below(BYTES.len())).copied().unwrap_or(0);
        match random.below(5) {
            0 => {
                if let Some(there) = out.get_mut(at) {
                    *there = byte;
                }
            }
            1 => out.insert(at.min(out.len()), byte),
            2 => {
                let end = (at + random.below(40)).min(out.len());
                out.drain(at.min(end)..end);
            }
            3 => out.truncate(at),
            _ => {
                let end = (at + random.below(400)).min(out.len());
                let piece = out.get(at.min(end)..end).unwrap_or_default().to_vec();
                out.extend(piece);
            }
        }
    }
    out
}

/// Texts that are odd, or hard to read, with the member put in front of the others.
pub(super) fn odd(body: &str, random: &mut Random) -> Vec<u8> {
    let n = 1 + random.below(50_000);
    let nested =
        |open: &str, close: &str| format!("\"deep\":{}1{}", open.repeat(n), close.repeat(n));
    let member = match random.below(14) {
        0 => nested("[", "]"),
        1 => nested("{\"a\":", "}"),
        2 => format!("\"deep\":{}", "[".repeat(n)),
        3 => format!("\"n\":{}", "9".repeat(n)),
        4 => format!("\"n\":-0.{}e-{}", "0".repeat(n), "9".repeat(40)),
        5 => "\"n\":1e999999999999".to_owned(),
        6 => r#""s":"\ud800\ud800\udc00\udfff""#.to_owned(),
        7 => r#""s":"\u0000\uffff""#.to_owned(),
        8 => r#""hook":"patient-view","hook":"order-sign","context":{},"context":[]"#.to_owned(),
        9 => format!("\"{}\":1", "n".repeat(n)),
        10 => {
            let many = n.min(20_000);
            (0..many)
                .map(|i| format!("\"m{i}\":{i}"))
                .collect::<Vec<_>>()
                .join(",")
        }
        11 => format!(
            "\"prefetch\":{{{}}}",
            vec!["\"patient\":null"; n.min(5000)].join(",")
        ),
        12 => format!("\"l\":[{}]", vec!["{}"; n.min(20_000)].join(",")),
        _ => r#""\u0068ook":1,"__proto__":{"a":1},"constructor":null,"":0"#.to_owned(),
    };
    body.replacen('{', &format!("{{{member},"), 1).into_bytes()
}
