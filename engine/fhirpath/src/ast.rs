//! The syntax tree: what was written, and where.

use super::error::{Refused, wrong};
use super::literal::Literal;
use engine_patient::finding::Code;

/// Deepest nesting of an expression: parentheses, arguments, and steps of one path.
pub const MAX_DEPTH: usize = 64;

/// A node with its place.
#[derive(Debug)]
pub(super) struct Ast {
    /// Column of the first character that is its own, from 1.
    pub at: usize,
    pub node: Node,
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    /// `{}`
    Empty,
    /// `$this`
    This,
    /// `$index`
    Index,
    /// A literal and its FHIR type.
    Literal(Literal, &'static str),
    /// `%name`
    Constant(String),
    /// `base.name`, or `name` alone.
    Member(Option<Box<Ast>>, String),
    /// `base.name(arguments)`, or `name(arguments)` alone.
    Call(Option<Box<Ast>>, String, Vec<Ast>),
    /// `base[index]`
    At(Box<Ast>, Box<Ast>),
    /// `-operand`
    Negate(Box<Ast>),
    /// `operand as Type`
    As(Box<Ast>, Box<Ast>),
    /// A chain of one logical operator: long lists of alternatives stay flat.
    Logic(Logic, Vec<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Logic {
    And,
    Or,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Concatenate,
    Union,
}

impl Operator {
    pub fn text(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Concatenate => "&",
            Operator::Union => "|",
        }
    }
}

impl Ast {
    /// Refuses a tree deeper than [`MAX_DEPTH`].
    pub fn new(at: usize, node: Node) -> Result<Ast, Refused> {
        let deepest = |all: &[Ast]| all.iter().map(|a| a.depth).max().unwrap_or(0);
        let below = match &node {
            Node::Empty | Node::This | Node::Index | Node::Literal(..) | Node::Constant(_) => 0,
            Node::Member(base, _) => base.as_ref().map_or(0, |b| b.depth),
            Node::Call(base, _, arguments) => {
                base.as_ref().map_or(0, |b| b.depth).max(deepest(arguments))
            }
            Node::Negate(a) => a.depth,
            Node::At(a, b) | Node::As(a, b) | Node::Binary(_, a, b) => a.depth.max(b.depth),
            Node::Logic(_, operands) => deepest(operands),
        };
        if below >= MAX_DEPTH {
            let message = format!("the expression is nested deeper than {MAX_DEPTH} levels");
            return Err(wrong(Code::PathTooDeep, at, message));
        }
        Ok(Ast {
            at,
            node,
            depth: below + 1,
        })
    }

    /// `left and right`: one more operand where `left` is such a chain already.
    pub fn chain(at: usize, logic: Logic, left: Ast, right: Ast) -> Result<Ast, Refused> {
        match left.node {
            Node::Logic(own, mut operands) if own == logic && right.depth < MAX_DEPTH => {
                let depth = left.depth.max(right.depth + 1);
                operands.push(right);
                Ok(Ast {
                    at,
                    node: Node::Logic(logic, operands),
                    depth,
                })
            }
            _ => Ast::new(at, Node::Logic(logic, vec![left, right])),
        }
    }

    /// What is written here as a type name: `Quantity`, `FHIR.Quantity`, `'Quantity'`.
    pub fn type_name(&self) -> Option<&str> {
        match &self.node {
            Node::Member(None, name) => Some(name),
            Node::Member(Some(base), name) => match &base.node {
                Node::Member(None, space) if space == "FHIR" || space == "System" => Some(name),
                _ => None,
            },
            Node::Literal(Literal::Text(text), "string") => Some(text),
            _ => None,
        }
    }
}
