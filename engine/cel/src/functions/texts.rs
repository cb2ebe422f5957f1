//! Texts.

use engine_patient::system::day_rule::written_day;

use super::call::Call;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::{FunctionInfo, PLAIN, Role};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "contains",
        params: &[P::Text, P::Text],
        returns: R::Bool,
        code: contains,
        role: Role::Contains,
        doc: "Whether the first text contains the second.",
        example: "Condition().exists(c, c.code.text.contains(\"diabetes\"))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "endsWith",
        params: &[P::Text, P::Text],
        returns: R::Bool,
        code: ends_with,
        role: Role::EndsWith,
        doc: "Whether the first text ends with the second.",
        example: "patient.name.exists(n, n.family.endsWith(\"son\"))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "join",
        params: &[P::List, P::Text],
        returns: R::Text,
        code: join,
        doc: "The texts of a list, each once, with the second text between them. Those that are unknown or \
         may not be in the list are left out; unknown where none is left.",
        example: "[\"aspirin\", \"warfarin\", \"aspirin\"].join(\", \")",
        gives: "aspirin, warfarin",
        ..PLAIN
    },
    FunctionInfo {
        name: "startsWith",
        params: &[P::Text, P::Text],
        returns: R::Bool,
        code: starts_with,
        role: Role::StartsWith,
        doc: "Whether the first text starts with the second.",
        example: "patient.name.exists(n, n.family.startsWith(\"Mac\"))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "string",
        params: &[P::Writable],
        returns: R::Text,
        code: string,
        takes_unknown: true,
        doc: "The number as text, and one of which only a bound is known as that (`above 60`); a date to the day, of a moment the day that it is where the rule runs (the zone of \
         the context), wherever it was written.",
        example: "string(3) + \" on \" + string(date(\"2024-02-01T09:20:00Z\"))",
        gives: "3 on 2024-02-01",
        ..PLAIN
    },
];

fn join<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::List(items), Val::Str(between)] = call.args else {
        return call.other_kind();
    };
    let mut texts: Vec<&str> = vec![];
    for item in items.iter() {
        match item {
            Val::Str(text) if !texts.contains(&&**text) => texts.push(text),
            _ => {}
        }
    }
    match texts.is_empty() {
        true => Val::unknown("no text of a list is certain"),
        false => Val::Str(texts.join(between).into()),
    }
}

fn two(call: &Call<'_, '_>, test: fn(&str, &str) -> bool) -> Option<bool> {
    match call.args {
        [Val::Str(a), Val::Str(b)] => Some(test(a, b)),
        _ => None,
    }
}

fn contains<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    two(call, |a, b| a.contains(b)).map_or_else(|| call.other_kind(), Val::Bool)
}

fn starts_with<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    two(call, |a, b| a.starts_with(b)).map_or_else(|| call.other_kind(), Val::Bool)
}

fn ends_with<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    two(call, |a, b| a.ends_with(b)).map_or_else(|| call.other_kind(), Val::Bool)
}

fn string<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Int(i)] => Val::Str(i.to_string().into()),
        [Val::Decimal(d)] => Val::Str(d.normalize().to_string().into()),
        [Val::Time(time)] => Val::Str(written_day(*time, call.zone()).into()),
        [text @ Val::Str(_)] => text.clone(),
        [value] if value.is_open_ended() => match value.bounds_in_words() {
            Some(words) => Val::Str(words.into()),
            None => call.other_kind(),
        },
        [Val::Unknown(reason) | Val::Between(_, _, reason)] => Val::Unknown(reason.clone()),
        _ => call.other_kind(),
    }
}
