//! Retrieves: a call whose name is a resource type.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};
use engine_patient::requirements::DataRequirement;

use super::pass::{Checked, Pass};
use crate::nodes::{Node, NodeKind, Span};
use crate::types::Ty;

/// `Observation("hba1c")`
pub(super) fn retrieve(
    pass: &mut Pass<'_>,
    expr: &IdedExpr,
    call: &CallExpr,
    span: Span,
) -> Checked {
    let name = call.func_name.as_str();
    let Some(info) = Model::r4().resource(name) else {
        let names = Model::r4()
            .types()
            .filter(|t| t.is_resource)
            .map(|t| t.name);
        let help = did_you_mean(name, names).map(|n| format!("did you mean `{n}`?"));
        return pass.wrong(
            Code::UnknownResource,
            format!("FHIR R4 has no resource `{name}`"),
            span,
            help,
        );
    };
    let requirement = match call.args.as_slice() {
        [] => DataRequirement::of_type(info.name),
        [
            IdedExpr {
                expr: Expr::Literal(LiteralValue::String(set)),
                ..
            },
        ] => {
            let place = call.args.first().map_or(span, |a| pass.places.token(a));
            let Some((_, set)) = pass.value_set(set.inner(), place) else {
                let kind = NodeKind::Wrong;
                return (Node { kind, span }, Ty::Element(info.name).list());
            };
            let coded = DataRequirement::coded(info.name, set);
            if coded.is_none() {
                let message =
                    format!("`{name}` has no code of its own to compare with a value set");
                let help = format!("take all with `{name}()` and filter");
                return pass.wrong(Code::NoCodePath, message, span, Some(help));
            }
            coded
        }
        _ => {
            let message = format!("`{name}(…)` takes nothing, or one value set name in quotes");
            let place = pass.places.token(expr);
            return pass.wrong(
                Code::WrongArguments,
                message,
                place,
                Some(format!("as in `{name}(\"value set\")`")),
            );
        }
    };
    match requirement {
        Some(requirement) => {
            let kind = NodeKind::Retrieve(pass.symbols.requirement(requirement));
            (Node { kind, span }, Ty::Element(info.name).list())
        }
        None => pass.wrong(
            Code::UnknownResource,
            format!("`{name}` cannot be retrieved"),
            span,
            None,
        ),
    }
}
