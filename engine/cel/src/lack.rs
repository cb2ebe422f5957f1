//! What a record does not have of a type of resource, as far as it is known to lack it.

use std::borrow::Cow;
use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::record::PatientRecord;

use crate::value::Val;

/// Why a list of resources is not all there is.
pub(crate) enum Lack {
    /// Nothing is known of them.
    All(Cow<'static, str>),
    /// Those that are here are so; there may be more.
    Part(Cow<'static, str>),
}

impl Lack {
    /// What the record lacks of a type; `None` where all are here.
    pub(crate) fn of(record: &PatientRecord, ty: Name) -> Option<Lack> {
        if record.is_available(ty) {
            return None;
        }
        let name = ty.as_str();
        let some = record.is_known_in_part(ty) && record.of_type(ty).next().is_some();
        Some(match some {
            true => Lack::Part(format!("not all {name} data was given").into()),
            false => Lack::All(format!("no {name} data was given").into()),
        })
    }

    pub(crate) fn reason<'r>(self) -> Cow<'r, str> {
        match self {
            Lack::All(reason) | Lack::Part(reason) => reason,
        }
    }

    /// The item that stands for those that are not here; last in a list, whose order says nothing.
    pub(crate) fn perhaps_more<'r>(self) -> Val<'r> {
        let reason = self.reason();
        Val::Maybe(Arc::new(Val::Unknown(reason.clone())), reason)
    }
}
