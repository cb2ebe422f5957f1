//! What our parser says of a text, against what `serde_json` says.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind, PatientRecord, ResourceError};
use engine_patient::system::compare::compare;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::{EASTERNMOST, UTC, WESTERNMOST, Zone};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Pushes a text to a record and compares the outcome, and the tree, with `serde_json`'s.
pub fn check(record: &mut PatientRecord, text: &str) -> bool {
    let before = record.len();
    let pushed = record.push(text);
    assert_eq!(record.len(), before + usize::from(pushed.is_ok()));
    if let Err(error) = &pushed {
        let _ = error.to_string();
    }
    // A key that only `serde_json` knows, with its feature `raw_value`.
    if text.contains("$serde_json") || text.contains("serde_json\\") {
        return pushed.is_ok();
    }
    let theirs: Result<Value, _> = serde_json::from_str(text);
    let too_large_number = |e: &serde_json::Error| e.to_string().starts_with("number out of range");
    match (&pushed, &theirs) {
        (_, Err(error)) if too_large_number(error) => {}
        (Err(ResourceError::Json(error)), _) if error.message.contains("twice") => {
            assert!(error.offset <= text.len());
            assert!(repeats(text), "no property occurs twice");
        }
        (Err(ResourceError::Json(error)), _) if error.message.contains("deeper than") => {
            assert!(depth(text) > 100, "it is not nested so deep");
        }
        (Err(ResourceError::Json(error)), theirs) => {
            assert!(error.offset <= text.len());
            assert!(
                theirs.is_err(),
                "serde_json accepts what we refuse: {error}"
            );
        }
        (_, Err(error)) => panic!("serde_json refuses what we accept: {error}"),
        (Err(ResourceError::NotAnObject), Ok(value)) => assert!(!value.is_object()),
        (Err(ResourceError::NoResourceType), Ok(value)) => {
            assert!(value.get("resourceType").is_none_or(|t| !t.is_string()));
        }
        (Err(ResourceError::UnknownResourceType(ty)), Ok(value)) => {
            assert_eq!(
                value.get("resourceType").and_then(Value::as_str),
                Some(ty.as_str())
            );
        }
        (Ok(()), Ok(value)) => {
            let element = record.resources().last().expect("it was pushed");
            assert_eq!(element.raw(), text.trim_matches([' ', '\t', '\r', '\n']));
            agree(element, value);
        }
    }
    pushed.is_ok()
}

/// The same value, child by child; every accessor is called.
fn agree(element: Element<'_>, value: &Value) {
    let _ = (
        element.position(),
        format!("{element:?}"),
        element.resource_type(),
    );
    let children: Vec<_> = element.children().collect();
    let within = element.raw().as_bytes().as_ptr_range();
    for child in &children {
        let inner = child.raw().as_bytes().as_ptr_range();
        assert!(
            within.start <= inner.start && inner.end <= within.end,
            "a child stands outside"
        );
    }
    match (element.kind(), value) {
        (Kind::Object, Value::Object(map)) => {
            assert_eq!(children.len(), map.len(), "another number of properties");
            for child in children {
                let property = child.property();
                let Some(theirs) = map.get(property.as_ref()) else {
                    panic!("a property that is not there");
                };
                assert!(
                    element.get_named(&property) == Some(child),
                    "not found by its name"
                );
                if let Some(name) = Name::of(&property) {
                    assert!(
                        element.get(name) == Some(child),
                        "not found by its interned name"
                    );
                }
                assert!(element.path(&[&property]) == Some(child));
                agree(child, theirs);
            }
        }
        (Kind::Array, Value::Array(items)) => {
            assert_eq!(children.len(), items.len(), "another number of items");
            assert!(element.items().eq(children.iter().copied()));
            children
                .into_iter()
                .zip(items)
                .for_each(|(child, item)| agree(child, item));
        }
        (Kind::String, Value::String(text)) => {
            assert_eq!(element.as_str().as_deref(), Some(text.as_str()));
            assert!(element.is_str(text) && !element.is_str(&format!("{text}x")));
            time(text);
        }
        (Kind::Number, Value::Number(number)) => numbers(element, number),
        (Kind::True, Value::Bool(true)) | (Kind::False, Value::Bool(false)) => {
            assert_eq!(element.as_bool(), value.as_bool());
        }
        (Kind::Null, Value::Null) => {}
        (kind, _) => panic!("we say it is {kind:?}"),
    }
    assert_eq!(element.as_str().is_some(), value.is_string());
    assert_eq!(element.as_bool().is_some(), value.is_boolean());
    assert_eq!(element.as_f64().is_some(), value.is_number());
}

fn numbers(element: Element<'_>, number: &serde_json::Number) {
    let (ours, theirs) = (element.as_f64(), number.as_f64());
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        panic!("no number")
    };
    // `serde_json` may be off in the last digits.
    let near = (ours - theirs).abs() <= ours.abs() * 1e-14 + f64::MIN_POSITIVE;
    assert!(near, "{ours} is not {theirs}");
    if let Some(whole) = number.as_i64() {
        assert_eq!(element.as_i64(), Some(whole));
    }
    if let Some(decimal) = element.as_decimal() {
        let text = decimal.to_string();
        let back: f64 = text.parse().expect("a decimal");
        let near = (ours - back).abs() <= ours.abs() * 1e-14 + 1e-28;
        assert!(near, "{ours} became {text}");
    }
}

/// A date-time stays the same when it is written and read, and its bounds are in order.
fn time(text: &str) {
    let Some(time) = DateTime::parse(text) else {
        return;
    };
    assert_eq!(
        DateTime::parse(&time.to_string()),
        Some(time),
        "{text} became {time}"
    );
    assert!(time.earliest(&Zone::fixed(EASTERNMOST)) <= time.latest(&Zone::fixed(WESTERNMOST)));
    assert!(compare(time, time, None, &UTC).is_some_and(|o| o.is_eq()));
}

/// Deepest nesting of brackets, strings left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut most, mut string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => depth += 1,
            b'}' | b']' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// Whether some object has a property twice, as far as `serde_json` can read.
fn repeats(text: &str) -> bool {
    struct Keys<'s>(&'s std::cell::Cell<bool>);

    impl<'de> DeserializeSeed<'de> for Keys<'_> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_any(self)
        }
    }

    impl<'de> Visitor<'de> for Keys<'_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while items.next_element_seed(Keys(self.0))?.is_some() {}
            Ok(())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
            let mut seen = BTreeSet::new();
            while let Some(key) = entries.next_key::<Text<'de>>()? {
                if !seen.insert(key.0) {
                    self.0.set(true);
                }
                entries.next_value_seed(Keys(self.0))?;
            }
            Ok(())
        }
    }

    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let found = std::cell::Cell::new(false);
    let mut reader = serde_json::Deserializer::from_str(text);
    let _ = Keys(&found).deserialize(&mut reader);
    found.get()
}
