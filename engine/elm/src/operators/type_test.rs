//! Whether a value is of a type: `Is`, `As`, and the choice of overloads by run-time types.

use crate::context::cx::{Cx, Fault};
use crate::fhir::fhir_children::{derives, known};
use crate::values::types::Type;
use crate::values::value::{PointType, Val};

/// Whether a value, not null, is of a type. Of lists, whether all items are.
pub fn is_type(cx: &Cx<'_>, value: &Val<'_>, ty: &Type) -> Result<bool, Fault> {
    Ok(match (ty, value) {
        (Type::Any | Type::Lacking(_), _) => true,
        (Type::Choice(of), _) => {
            for ty in of {
                cx.charge(1)?;
                if cx.nest(|| is_type(cx, value, ty))? {
                    return Ok(true);
                }
            }
            false
        }
        (Type::Boolean, Val::Boolean(_))
        | (Type::Integer, Val::Integer(_))
        | (Type::Long, Val::Long(_))
        | (Type::Decimal, Val::Decimal(_))
        | (Type::String, Val::String(_))
        | (Type::Date, Val::Date(_))
        | (Type::DateTime, Val::DateTime(_))
        | (Type::Time, Val::Time(_))
        | (Type::Quantity, Val::Quantity(_))
        | (Type::Ratio, Val::Ratio(_))
        | (Type::Code, Val::Code(_))
        | (Type::Concept, Val::Concept(_))
        | (Type::Vocabulary, Val::ValueSet(_) | Val::CodeSystem(_))
        | (Type::ValueSet, Val::ValueSet(_))
        | (Type::CodeSystem, Val::CodeSystem(_)) => true,
        (_, Val::Uncertain(pair)) => return is_type(cx, &pair.0, ty),
        (Type::Fhir(id), Val::Fhir(fhir)) => derives(fhir.ty, *id),
        (Type::Fhir(id), Val::Tuple(tuple)) => tuple
            .type_name
            .and_then(crate::values::types::TypeId::of)
            .is_some_and(|own| derives(own, *id)),
        (Type::Enumeration(_), Val::Fhir(fhir)) => fhir.ty == known().code,
        (Type::List(of), Val::List(items)) => {
            for item in *items {
                cx.charge(1)?;
                if !item.is_null() && !cx.nest(|| is_type(cx, item, of))? {
                    return Ok(false);
                }
            }
            true
        }
        (Type::Interval(of), Val::Interval(interval)) => {
            interval.point == PointType::Unknown || interval.point == point_of(of)
        }
        (Type::Tuple(elements), Val::Tuple(tuple)) => {
            if tuple.type_name.is_some() {
                return Ok(false);
            }
            for (name, ty) in elements {
                cx.charge(1)?;
                let fits = match tuple.get(name) {
                    Some(value) => value.is_null() || cx.nest(|| is_type(cx, &value, ty))?,
                    None => false,
                };
                if !fits {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

/// The points of an interval of a type.
pub fn point_of(ty: &Type) -> PointType {
    match ty {
        Type::Integer => PointType::Integer,
        Type::Long => PointType::Long,
        Type::Decimal => PointType::Decimal,
        Type::Quantity => PointType::Quantity,
        Type::Date => PointType::Date,
        Type::DateTime => PointType::DateTime,
        Type::Time => PointType::Time,
        _ => PointType::Unknown,
    }
}

/// How well operands fit a signature: the number of those of the very type; `None` where one does
/// not fit. Null fits everything.
pub fn accepts(cx: &Cx<'_>, args: &[Val<'_>], types: &[Type]) -> Result<Option<usize>, Fault> {
    if args.len() != types.len() {
        return Ok(None);
    }
    let mut exact = 0;
    for (arg, ty) in args.iter().zip(types) {
        if arg.is_null() {
            continue;
        }
        if !is_type(cx, arg, ty)? {
            return Ok(None);
        }
        exact += match (arg, ty) {
            (Val::Fhir(fhir), Type::Fhir(id)) => 1 + usize::from(fhir.ty == *id),
            (_, Type::Any | Type::Lacking(_) | Type::Choice(_)) => 0,
            _ => 1,
        };
    }
    Ok(Some(exact))
}
