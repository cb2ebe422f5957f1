//! A compiled path: the way in from outside.

use super::compile::Compiler;
use super::error::{PathRunError, Refused};
use super::eval::{self, Around};
use super::expr::Expr;
use super::focus::Focus;
use super::item::{Flow, Item, Stop};
use super::parser::parse;
use super::scope::Scope;
use super::types::Type;
use engine_patient::finding::Finding;

/// A FHIRPath expression, compiled.
#[derive(Debug)]
pub struct Path {
    expr: Expr,
    ty: Type,
    warnings: Vec<Finding>,
    uses_row_index: bool,
}

impl Path {
    /// Compiles an expression, or says where it is wrong and what to write instead.
    pub fn compile(text: &str, scope: &Scope<'_>) -> Result<Path, Finding> {
        let wrong = |refused: Refused| refused.shown(text);
        let ast = parse(text).map_err(wrong)?;
        let mut compiler = Compiler {
            scope,
            warnings: vec![],
            uses_row_index: false,
        };
        let typed = compiler.expression(&ast, scope.focus.single());
        let typed = typed.map_err(wrong)?;
        let Compiler {
            warnings,
            uses_row_index,
            ..
        } = compiler;
        Ok(Path {
            expr: typed.expr,
            ty: typed.ty,
            warnings: warnings.into_iter().map(wrong).collect(),
            uses_row_index,
        })
    }

    /// What is known of its values.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// What is allowed but can hardly be meant, such as an element that R4 does not have.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Whether it says `%rowIndex`.
    pub fn uses_row_index(&self) -> bool {
        self.uses_row_index
    }

    /// Hands every value to `sink`, in order, until the sink has enough.
    #[inline]
    pub fn each<'a>(
        &'a self,
        focus: &Focus<'a>,
        sink: &mut dyn FnMut(Item<'a>) -> Flow,
    ) -> Result<(), PathRunError> {
        match eval::eval(&self.expr, &Around::of(focus), sink) {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// `None` where it gives nothing. An error where it gives anything but one boolean.
    pub fn boolean(&self, focus: &Focus<'_>) -> Result<Option<bool>, PathRunError> {
        let (mut found, mut wrong) = (None, false);
        self.each(focus, &mut |item| {
            match item {
                _ if found.is_some() => wrong = true,
                Item::Bool(value) => found = Some(value),
                Item::Element(e) => match e.as_bool() {
                    Some(value) => found = Some(value),
                    None => wrong = true,
                },
                _ => wrong = true,
            }
            if wrong { Err(Stop::Enough) } else { Ok(()) }
        })?;
        match wrong {
            true => Err(PathRunError(
                "the condition gave something other than one boolean",
            )),
            false => Ok(found),
        }
    }
}
