//! JSON objects member by member, as they came: what is inside is read where it is needed, once.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// The members of an object in the order of the text; no name occurs twice.
#[derive(Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a RawValue)>);

/// A whole body: its members, and those of its `prefetch`, which is most of it.
pub(crate) struct Body<'a> {
    /// All but `prefetch`.
    pub(crate) members: Members<'a>,
    pub(crate) prefetch: Prefetch<'a>,
}

pub(crate) enum Prefetch<'a> {
    /// Not there, `null`, or an empty list, as some write an empty object.
    Absent,
    Object(Members<'a>),
    /// No object.
    Wrong,
    /// An object in which a member occurs twice.
    Twice,
}

impl<'a> Body<'a> {
    /// Reads a body. The refusal says where it stops being JSON.
    pub(crate) fn of(body: &'a [u8]) -> Result<Self, Refusal> {
        let text = text(body)?;
        serde_json::from_str(text).map_err(|e| refusal(text, &e))
    }
}

impl<'a> Members<'a> {
    /// Reads a member that should be an object.
    pub(crate) fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    /// The member of this name; one that is `null` counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, raw)| *raw).filter(|raw| raw.get() != "null")
    }
}

/// A whole body of a moderate size.
///
/// # Errors
/// Where it stops being JSON.
pub(crate) fn value(body: &[u8]) -> Result<serde_json::Value, Refusal> {
    let text = text(body)?;
    serde_json::from_str(text).map_err(|e| refusal(text, &e))
}

/// The text of a body. A byte order mark is no part of it (RFC 8259 §8.1 lets it be passed over).
fn text(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body).map_err(|e| {
        let before = body.get(..e.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.rsplit(|b| *b == b'\n').next().map_or(0, <[u8]>::len) + 1;
        malformed("a byte that is not UTF-8", line, column, e.valid_up_to())
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A body without one of its members, as it came otherwise; `None` where it is no object.
pub(crate) fn without(body: &[u8], name: &str) -> Option<Vec<u8>> {
    let members: Members<'_> = serde_json::from_str(text(body).ok()?).ok()?;
    let kept = members.0.iter().filter(|(member, _)| member != name);
    let kept: Vec<String> = kept
        .map(|(member, raw)| format!("{}:{}", serde_json::Value::from(member.as_str()), raw.get()))
        .collect();
    Some(format!("{{{}}}", kept.join(",")).into_bytes())
}

/// A JSON string.
pub(crate) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// `serde_json` names values in errors of type; in errors of syntax it does not.
fn refusal(text: &str, error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let byte = lines.map(str::len).sum::<usize>() + column.saturating_sub(1);
    match error.classify() {
        Category::Data if text.trim_start().starts_with('{') => Refusal::Invalid(vec![format!(
            "a member occurs twice in one object, at line {line}, column {column} (byte {byte})"
        )]),
        Category::Data => Refusal::Invalid(vec![
            "an object was expected, with `hook`, `hookInstance`, `context` and `prefetch`"
                .to_owned(),
        ]),
        _ => {
            let what = error.to_string();
            let what = what
                .rsplit_once(" at line ")
                .map_or(&*what, |(what, _)| what);
            malformed(what, line, column, byte)
        }
    }
}

fn malformed(what: &str, line: usize, column: usize, byte: usize) -> Refusal {
    Refusal::Malformed {
        what: what.to_owned(),
        line,
        column,
        byte,
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Members<'de>, M::Error> {
                once(members(map)?)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The members, or `None` where one occurs twice. Reads to the end in any case.
fn members<'de, M: MapAccess<'de>>(mut map: M) -> Result<Option<Members<'de>>, M::Error> {
    let (mut members, mut names, mut twice) = (vec![], HashSet::new(), false);
    while let Some(name) = map.next_key::<String>()? {
        twice |= !names.insert(name.clone());
        members.push((name, map.next_value()?));
    }
    Ok((!twice).then_some(Members(members)))
}

fn once<T, E: Error>(members: Option<T>) -> Result<T, E> {
    members.ok_or_else(|| E::custom("a member occurs twice"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Body<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Body<'de>, M::Error> {
                let (mut members, mut names) = (vec![], HashSet::new());
                let mut prefetch = Prefetch::Absent;
                while let Some(name) = map.next_key::<String>()? {
                    once(names.insert(name.clone()).then_some(()))?;
                    match name.as_str() {
                        "prefetch" => prefetch = map.next_value()?,
                        _ => members.push((name, map.next_value()?)),
                    }
                }
                let members = Members(members);
                Ok(Body { members, prefetch })
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Prefetch<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Prefetch<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Prefetch<'de>, M::Error> {
                Ok(members(map)?.map_or(Prefetch::Twice, Prefetch::Object))
            }

            fn visit_unit<E: Error>(self) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Absent)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Wrong)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Wrong)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Wrong)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Wrong)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Prefetch<'de>, E> {
                Ok(Prefetch::Wrong)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Prefetch<'de>, A::Error> {
                let mut prefetch = Prefetch::Absent;
                while seq.next_element::<&RawValue>()?.is_some() {
                    prefetch = Prefetch::Wrong;
                }
                Ok(prefetch)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
