//! Syntax tree to compiled expression.

use super::ast::{Ast, Logic, Node, Operator};
use super::error::{Refused, wrong};
use super::expr::Expr;
use super::literal::Literal;
use super::scope::Scope;
use super::types::{Class, Kind, Type, is_abstract, listed, named};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, did_you_mean};

/// A compiled expression and what is known of its values.
pub(super) struct Typed {
    pub expr: Expr,
    pub ty: Type,
}

impl Typed {
    pub fn new(expr: Expr, ty: Type) -> Typed {
        Typed { expr, ty }
    }

    pub fn boxed(self) -> Box<Expr> {
        Box::new(self.expr)
    }
}

pub(super) struct Compiler<'c> {
    pub scope: &'c Scope<'c>,
    /// What is allowed but cannot be meant.
    pub warnings: Vec<Refused>,
    pub uses_row_index: bool,
}

/// Code systems that FHIRPath names.
const WELL_KNOWN: &[(&str, &str)] = &[
    ("sct", "http://snomed.info/sct"),
    ("loinc", "http://loinc.org"),
    ("ucum", "http://unitsofmeasure.org"),
];

impl Compiler<'_> {
    /// `focus` is the type of `$this`.
    pub fn expression(&mut self, ast: &Ast, focus: Type) -> Result<Typed, Refused> {
        match &ast.node {
            Node::Empty => Ok(Typed::new(
                Expr::Empty,
                Type {
                    kind: Kind::Unknown,
                    many: false,
                },
            )),
            Node::This => Ok(Typed::new(Expr::This, focus)),
            Node::Index => Ok(Typed::new(Expr::Index, Type::one("integer"))),
            Node::Literal(literal, ty) => {
                Ok(Typed::new(Expr::Literal(literal.clone()), Type::one(ty)))
            }
            Node::Constant(name) => self.constant(ast.at, name),
            Node::Member(None, name) => self.first_member(ast.at, name, focus),
            Node::Member(Some(base), name) => {
                let base = self.expression(base, focus)?;
                self.member(ast.at, base, name)
            }
            Node::Call(base, name, arguments) => {
                let base = match base {
                    Some(base) => self.expression(base, focus)?,
                    None => Typed::new(Expr::This, focus),
                };
                self.call(ast.at, base, name, arguments, focus)
            }
            Node::At(base, index) => {
                let base = self.expression(base, focus)?;
                let index_at = index.at;
                let index = self.expression(index, focus)?;
                if !matches!(index.ty.class(), Class::Number | Class::Unknown) {
                    return Err(wrong(
                        Code::PathType,
                        index_at,
                        "an index must be a whole number",
                    ));
                }
                let ty = base.ty.single();
                Ok(Typed::new(Expr::At(base.boxed(), index.boxed()), ty))
            }
            Node::Negate(operand) => {
                let operand = self.expression(operand, focus)?;
                match operand.ty.class() {
                    Class::Number | Class::Unknown => {
                        let ty = operand.ty.single();
                        Ok(Typed::new(Expr::Negate(operand.boxed()), ty))
                    }
                    _ => Err(wrong(
                        Code::PathType,
                        ast.at,
                        format!("`-` needs a number, not {}", operand.ty.shown()),
                    )),
                }
            }
            Node::As(operand, ty) => {
                let operand = self.expression(operand, focus)?;
                self.of_type(ast.at, operand, ty)
            }
            Node::Logic(logic, operands) => {
                let operands = operands
                    .iter()
                    .map(|o| self.expression(o, focus).map(|t| t.expr));
                let operands = operands.collect::<Result<Vec<_>, _>>()?;
                let expr = match logic {
                    Logic::And => Expr::And(operands),
                    Logic::Or => Expr::Or(operands),
                };
                Ok(Typed::new(expr, Type::one("boolean")))
            }
            Node::Binary(operator, left, right) => {
                self.binary(ast.at, *operator, left, right, focus)
            }
        }
    }

    fn binary(
        &mut self,
        at: usize,
        operator: Operator,
        left: &Ast,
        right: &Ast,
        focus: Type,
    ) -> Result<Typed, Refused> {
        let left = self.expression(left, focus)?;
        let right = self.expression(right, focus)?;
        self.operator(at, operator, left, right)
    }

    /// A path may start with the type of what it starts from: `Patient.name`.
    fn first_member(&mut self, at: usize, name: &str, focus: Type) -> Result<Typed, Refused> {
        let this = Typed::new(Expr::This, focus);
        let model = Model::r4();
        if let (true, Kind::Is(ty)) = (
            name.starts_with(|c: char| c.is_ascii_uppercase()),
            focus.kind,
        ) {
            if model.is_a(ty, name) {
                return Ok(this);
            }
            if model.get(name).is_some() && !is_abstract(ty) {
                return Err(wrong(
                    Code::PathType,
                    at,
                    format!("`{name}` is not what this path starts from"),
                )
                .help(format!("it starts from `{ty}`")));
            }
        }
        self.member(at, this, name)
    }

    fn constant(&mut self, at: usize, name: &str) -> Result<Typed, Refused> {
        let own = self.scope.constants.iter().find(|c| c.name == name);
        if let Some(constant) = own {
            let ty = Type::one(constant.ty);
            return Ok(Typed::new(Expr::Literal(constant.value.clone()), ty));
        }
        match name {
            "rowIndex" => {
                self.uses_row_index = true;
                return Ok(Typed::new(Expr::RowIndex, Type::one("integer")));
            }
            "resource" | "rootResource" => {
                return Ok(Typed::new(Expr::Resource, Type::one(self.scope.resource)));
            }
            _ => {}
        }
        if let Some((_, url)) = WELL_KNOWN.iter().find(|(known, _)| *known == name) {
            return Ok(Typed::new(
                Expr::Literal(Literal::Text((*url).into())),
                Type::one("uri"),
            ));
        }
        let error = wrong(
            Code::PathConstant,
            at,
            format!("unknown constant `%{name}`"),
        );
        let names = || self.scope.constants.iter().map(|c| c.name.as_str());
        Err(
            match did_you_mean(name, names().chain(["rowIndex", "resource"])) {
                Some(near) => error.help(format!("did you mean `%{near}`?")),
                None if names().next().is_none() => error.help("the view defines no constants"),
                None => error.help(format!("the view defines {}", listed(names()))),
            },
        )
    }

    /// A type named as an argument.
    pub(super) fn type_argument(&self, ast: &Ast) -> Result<&'static str, Refused> {
        let Some(name) = ast.type_name() else {
            return Err(
                wrong(Code::PathArguments, ast.at, "a type name was expected")
                    .help("such as `Quantity`"),
            );
        };
        named(name).ok_or_else(|| {
            let error = wrong(
                Code::PathUnknownType,
                ast.at,
                format!("`{name}` is no FHIR R4 type"),
            );
            match did_you_mean(name, Model::r4().types().map(|t| t.name)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("such as `Quantity`, `dateTime`, `Patient`"),
            }
        })
    }
}
