//! Retrieves: a call whose name is a resource type.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};
use engine_patient::requirements::DataRequirement;

use super::pass::{Checked, Pass};
use super::symbols::names;
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
        let help = called_elsewhere(name).map(str::to_owned).unwrap_or_else(|| {
            match did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "results are `Observation`, diagnoses `Condition`, what was done `Procedure`, drugs `medications()`, vaccines `Immunization`, visits `Encounter`, orders `ServiceRequest`".into(),
            }
        });
        let help = Some(help);
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
            let set = set.inner();
            if let Some(help) = drug_help(pass, name, set) {
                let message = format!("unknown value set `{set}`");
                return pass.wrong(Code::UnknownValueSet, message, place, Some(help));
            }
            let Some((_, set)) = pass.value_set(set, place) else {
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
            let place = pass.places.span(expr);
            let help = match call.args.as_slice() {
                [
                    IdedExpr {
                        expr: Expr::Ident(word),
                        ..
                    },
                ] => {
                    format!("the name of a value set stands in quotes: `{name}(\"{word}\")`")
                }
                _ => format!("as in `{name}(\"value set\")`"),
            };
            return pass.wrong(Code::WrongArguments, message, place, Some(help));
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

/// What stands for a kind of data that FHIR has under another name.
fn called_elsewhere(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "lab" | "labs" | "labresult" | "labtest" | "laboratory" | "result" | "test" | "vital"
        | "vitals" | "vitalsign" | "finding" | "measurement" => {
            "results of tests and vital signs are `Observation`, as in `Observation(\"value set\")`"
        }
        "diagnosis" | "diagnoses" | "problem" | "problems" | "disease" | "comorbidity" => {
            "diagnoses and problems are `Condition`, as in `Condition(\"value set\").active().exists()`"
        }
        "drug" | "drugs" | "medications" | "med" | "meds" | "prescription" | "rx" => {
            "what the patient takes is `medications()`, as in `medications().exists(m, isDrug(m, \"warfarin\"))`"
        }
        "vaccine" | "vaccination" | "vaccinations" | "shot" => {
            "vaccines that were given are `Immunization`, as in `Immunization(\"value set\")`"
        }
        "operation" | "surgery" | "intervention" | "screening" => {
            "what was done is `Procedure`, as in `Procedure(\"value set\").completed()`"
        }
        "visit" | "visits" | "admission" | "appointmentvisit" => {
            "visits are `Encounter`, as in `Encounter(\"value set\")`"
        }
        "allergy" | "allergies" | "intolerance" => {
            "allergies are `allergies()`, as in `allergies().exists(a, isAllergen(a, \"penicillin G\"))`"
        }
        "order" | "orders" => {
            "orders being written are `selections(\"MedicationRequest\")`, those of tests on the chart `ServiceRequest(\"value set\")`"
        }
        "familyhistory" => "the history of the family is `FamilyMemberHistory()`",
        _ => return None,
    })
}

/// `Medication("warfarin")`: drugs are known by name, without a value set.
fn drug_help(pass: &mut Pass<'_>, resource: &str, set: &str) -> Option<String> {
    let known = names(&pass.symbols.value_sets).any(|name| name == set);
    if known || !resource.starts_with("Medication") || pass.symbols.drugs().set_of(set).is_err() {
        return None;
    }
    Some(format!(
        "a drug needs no value set: write `medications().exists(m, isDrug(m, \"{set}\"))`"
    ))
}
