//! Functions: which there are, what they take, what they give.

use super::ast::Ast;
use super::compile::{Compiler, Typed};
use super::error::{Refused, unsupported, wrong};
use super::expr::{Bounded, Expr};
use super::literal::Literal;
use super::types::{Class, Kind, Type, common};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};

/// Every function, with the least and the greatest number of arguments.
pub(super) const TABLE: &[(&str, usize, usize)] = &[
    ("all", 1, 1),
    ("as", 1, 1),
    ("count", 0, 0),
    ("empty", 0, 0),
    ("exists", 0, 1),
    ("extension", 1, 1),
    ("first", 0, 0),
    ("getReferenceKey", 0, 1),
    ("getResourceKey", 0, 0),
    ("highBoundary", 0, 0),
    ("iif", 2, 3),
    ("join", 0, 1),
    ("last", 0, 0),
    ("lowBoundary", 0, 0),
    ("not", 0, 0),
    ("ofType", 1, 1),
    ("select", 1, 1),
    ("where", 1, 1),
];

impl Compiler<'_> {
    /// `base.name(arguments)`; `focus` is the type of `$this` around it.
    pub(super) fn call(
        &mut self,
        at: usize,
        base: Typed,
        name: &str,
        arguments: &[Ast],
        focus: Type,
    ) -> Result<Typed, Refused> {
        check(at, name, arguments.len())?;
        let ty = base.ty;
        let inner = ty.single();
        let boolean = |expr| Ok(Typed::new(expr, Type::one("boolean")));
        match (name, arguments) {
            ("where", [criteria]) => {
                let criteria = self.expression(criteria, inner)?.boxed();
                Ok(Typed::new(Expr::Where(base.boxed(), criteria), ty))
            }
            ("exists", [criteria]) => {
                let criteria = self.expression(criteria, inner)?.boxed();
                boolean(Expr::Exists(Box::new(Expr::Where(base.boxed(), criteria))))
            }
            ("all", [criteria]) => {
                let criteria = self.expression(criteria, inner)?.boxed();
                boolean(Expr::All(base.boxed(), criteria))
            }
            ("select", [projection]) => {
                let projection = self.expression(projection, inner)?;
                let many = ty.many || projection.ty.many;
                let ty = Type {
                    many,
                    ..projection.ty
                };
                Ok(Typed::new(
                    Expr::Select(base.boxed(), projection.boxed()),
                    ty,
                ))
            }
            ("exists", _) => boolean(Expr::Exists(base.boxed())),
            ("empty", _) => boolean(Expr::IsEmpty(base.boxed())),
            ("not", _) => boolean(Expr::Not(base.boxed())),
            ("count", _) => Ok(Typed::new(Expr::Count(base.boxed()), Type::one("integer"))),
            ("first", _) => Ok(Typed::new(Expr::First(base.boxed()), inner)),
            ("last", _) => Ok(Typed::new(Expr::Last(base.boxed()), inner)),
            ("join", separator) => {
                if ty.class() == Class::Complex {
                    return Err(wrong(
                        Code::PathType,
                        at,
                        format!("`join` needs texts, not {}", ty.shown()),
                    ));
                }
                let separator = separator
                    .first()
                    .map(|s| self.expression(s, focus).map(Typed::boxed));
                let expr = Expr::Join(base.boxed(), separator.transpose()?);
                Ok(Typed::new(expr, Type::one("string")))
            }
            ("extension", [url]) => {
                let Expr::Literal(Literal::Text(text)) = self.expression(url, focus)?.expr else {
                    return Err(wrong(
                        Code::PathArguments,
                        url.at,
                        "the url must be a text or a constant",
                    ));
                };
                let extensions = self.member(at, base, "extension")?;
                let expr = Expr::Extension(Box::new(extensions.expr), text);
                Ok(Typed::new(
                    expr,
                    Type {
                        kind: Kind::Is("Extension"),
                        many: true,
                    },
                ))
            }
            ("ofType" | "as", [wanted]) => self.of_type(at, base, wanted),
            ("getResourceKey", _) => match ty.kind {
                Kind::Is(name) if !Model::r4().get(name).is_some_and(|t| t.is_resource) => {
                    Err(wrong(
                        Code::PathType,
                        at,
                        format!("`getResourceKey` needs a resource, not {}", ty.shown()),
                    )
                    .help("`%resource.getResourceKey()` is the key of the resource of the row"))
                }
                _ => Ok(Typed::new(
                    Expr::ResourceKey(base.boxed()),
                    Type {
                        kind: Kind::Is("id"),
                        ..ty
                    },
                )),
            },
            ("getReferenceKey", target) => {
                if !matches!(ty.kind, Kind::Unknown | Kind::Is("Reference")) {
                    return Err(wrong(
                        Code::PathType,
                        at,
                        format!("`getReferenceKey` needs a Reference, not {}", ty.shown()),
                    )
                    .help("say `.ofType(Reference)` first where it is a choice"));
                }
                let target = target.first().map(|t| self.type_argument(t)).transpose()?;
                let expr = Expr::ReferenceKey(base.boxed(), target);
                Ok(Typed::new(
                    expr,
                    Type {
                        kind: Kind::Is("id"),
                        ..ty
                    },
                ))
            }
            ("lowBoundary", _) => boundary(at, base, false),
            ("highBoundary", _) => boundary(at, base, true),
            ("iif", _) if !matches!(base.expr, Expr::This) => Err(wrong(
                Code::PathUnsupported,
                at,
                "`iif` stands at the start of an expression here",
            )
            .help("write `iif(condition, then, otherwise)`, or put it into `select(…)`")),
            ("iif", [condition, then, rest @ ..]) => {
                let condition = self.expression(condition, focus)?.boxed();
                let then = self.expression(then, focus)?;
                let otherwise = rest
                    .first()
                    .map(|e| self.expression(e, focus))
                    .transpose()?;
                let other = otherwise.as_ref().map_or(then.ty, |o| o.ty);
                let ty = Type {
                    kind: common(then.ty, other),
                    many: then.ty.many || other.many,
                };
                let (then, otherwise) = (then.boxed(), otherwise.map(Typed::boxed));
                Ok(Typed::new(
                    Expr::If {
                        condition,
                        then,
                        otherwise,
                    },
                    ty,
                ))
            }
            _ => Err(unknown(at, name)),
        }
    }
}

fn check(at: usize, name: &str, given: usize) -> Result<(), Refused> {
    let Some((_, least, most)) = TABLE.iter().find(|(n, ..)| *n == name) else {
        return Err(unknown(at, name));
    };
    if (*least..=*most).contains(&given) {
        return Ok(());
    }
    let takes = match (least, most) {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, most) => format!("{least} to {most} arguments"),
    };
    Err(wrong(
        Code::PathArguments,
        at,
        format!("`{name}` takes {takes} here, not {given}"),
    ))
}

fn unknown(at: usize, name: &str) -> Refused {
    let names = || TABLE.iter().map(|(n, ..)| *n);
    let near = did_you_mean(name, names())
        .map(|n| format!("did you mean `{n}`? "))
        .unwrap_or_default();
    let all: Vec<&str> = names().collect();
    unsupported(
        Code::PathUnsupported,
        at,
        format!("the function `{name}` is not supported"),
    )
    .help(format!("{near}supported are {}", all.join(", ")))
}

fn boundary(at: usize, base: Typed, high: bool) -> Result<Typed, Refused> {
    let name = base.ty.name();
    let kind = match (base.ty.class(), name) {
        (Class::Number, _) => Bounded::Number,
        (Class::Moment, Some("date")) => Bounded::Date,
        (Class::Moment, Some(_)) => Bounded::DateTime,
        (Class::Time, _) => Bounded::Time,
        (_, Some("Period")) => Bounded::Period,
        _ => {
            let shown = base.ty.shown();
            let message = format!(
                "a boundary needs a number, a date, a time or a Period, not what is {shown}"
            );
            return Err(
                wrong(Code::PathType, at, message).help("say which with `.ofType(…)` first")
            );
        }
    };
    let ty = match kind {
        Bounded::Number => "decimal",
        Bounded::Period => "dateTime",
        _ => name.unwrap_or("dateTime"),
    };
    let ty = Type {
        kind: Kind::Is(ty),
        many: base.ty.many,
    };
    Ok(Typed::new(
        Expr::Boundary {
            of: base.boxed(),
            kind,
            high,
        },
        ty,
    ))
}
