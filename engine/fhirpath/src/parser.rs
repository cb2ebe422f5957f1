//! Tokens to a syntax tree, by operator precedence (FHIRPath, "Operator Precedence").

use super::ast::{Ast, Logic, MAX_DEPTH, Node, Operator};
use super::error::{Refused, unsupported, wrong};
use super::lexer::{Token, TokenKind, tokens};
use engine_patient::finding::Code;

pub(super) fn parse(text: &str) -> Result<Ast, Refused> {
    let mut parser = Parser {
        tokens: tokens(text)?.into_iter().peekable(),
        end: text.chars().count() + 1,
    };
    let ast = parser.expression(0, 0)?;
    match parser.next() {
        Token {
            kind: TokenKind::End,
            ..
        } => Ok(ast),
        token => Err(wrong(
            Code::PathSyntax,
            token.at,
            format!("{} does not belong here", shown(&token.kind)),
        )
        .help("the expression is complete before it")),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    end: usize,
}

/// What binds two operands: the stronger, the higher the number.
enum Infix {
    Binary(Operator),
    Logic(Logic),
    As,
    Unsupported(&'static str),
}

fn infix(kind: &TokenKind) -> Option<(u8, Infix)> {
    use Infix::{As, Binary, Unsupported};
    Some(match kind {
        TokenKind::Name(name, false) => match name.as_str() {
            "implies" => (1, Unsupported("implies")),
            "or" => (2, Infix::Logic(Logic::Or)),
            "xor" => (2, Unsupported("xor")),
            "and" => (3, Infix::Logic(Logic::And)),
            "in" => (4, Unsupported("in")),
            "contains" => (4, Unsupported("contains")),
            "as" => (8, As),
            "is" => (8, Unsupported("is")),
            "div" => (10, Unsupported("div")),
            "mod" => (10, Unsupported("mod")),
            _ => return None,
        },
        TokenKind::Sign(sign) => match *sign {
            "=" => (5, Binary(Operator::Equal)),
            "!=" => (5, Binary(Operator::NotEqual)),
            "~" => (5, Unsupported("~")),
            "!~" => (5, Unsupported("!~")),
            "<" => (6, Binary(Operator::Less)),
            "<=" => (6, Binary(Operator::LessOrEqual)),
            ">" => (6, Binary(Operator::Greater)),
            ">=" => (6, Binary(Operator::GreaterOrEqual)),
            "|" => (7, Binary(Operator::Union)),
            "+" => (9, Binary(Operator::Add)),
            "-" => (9, Binary(Operator::Subtract)),
            "&" => (9, Binary(Operator::Concatenate)),
            "*" => (10, Binary(Operator::Multiply)),
            "/" => (10, Binary(Operator::Divide)),
            _ => return None,
        },
        _ => return None,
    })
}

fn shown(kind: &TokenKind) -> String {
    match kind {
        TokenKind::Name(name, _) => format!("`{name}`"),
        TokenKind::Literal(..) => "a literal".to_owned(),
        TokenKind::Constant(name) => format!("`%{name}`"),
        TokenKind::Variable(name) => format!("`${name}`"),
        TokenKind::Sign(sign) => format!("`{sign}`"),
        TokenKind::End => "the end".to_owned(),
    }
}

impl Parser {
    fn next(&mut self) -> Token {
        self.tokens.next().unwrap_or(Token {
            at: self.end,
            kind: TokenKind::End,
        })
    }

    fn take(&mut self, sign: &'static str) -> bool {
        self.tokens
            .next_if(|t| t.kind == TokenKind::Sign(sign))
            .is_some()
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Refused> {
        let token = self.next();
        match token.kind == TokenKind::Sign(sign) {
            true => Ok(()),
            false => Err(wrong(
                Code::PathSyntax,
                token.at,
                format!("`{sign}` was expected, not {}", shown(&token.kind)),
            )),
        }
    }

    /// Operators that bind stronger than `least`.
    fn expression(&mut self, least: u8, nesting: usize) -> Result<Ast, Refused> {
        let mut left = self.unary(nesting)?;
        while let Some(token) = self.tokens.peek() {
            let at = token.at;
            let Some((strength, infix)) = infix(&token.kind).filter(|(s, _)| *s > least) else {
                break;
            };
            self.next();
            let right = self.expression(strength, nesting + 1)?;
            left = match infix {
                Infix::Unsupported(text) => {
                    return Err(unsupported(
                        Code::PathUnsupported,
                        at,
                        format!("the operator `{text}` is not supported"),
                    )
                    .help("supported are = != < > <= >= and or + - * / & | as"));
                }
                Infix::As => Ast::new(at, Node::As(Box::new(left), Box::new(right)))?,
                Infix::Binary(operator) => {
                    Ast::new(at, Node::Binary(operator, Box::new(left), Box::new(right)))?
                }
                Infix::Logic(logic) => Ast::chain(at, logic, left, right)?,
            };
        }
        Ok(left)
    }

    fn unary(&mut self, nesting: usize) -> Result<Ast, Refused> {
        let at = self.tokens.peek().map_or(self.end, |t| t.at);
        if nesting > MAX_DEPTH {
            let message = format!("the expression is nested deeper than {MAX_DEPTH} levels");
            return Err(wrong(Code::PathTooDeep, at, message));
        }
        if self.take("-") {
            let operand = self.unary(nesting + 1)?;
            return Ast::new(at, Node::Negate(Box::new(operand)));
        }
        if self.take("+") {
            return self.unary(nesting + 1);
        }
        let mut left = self.primary(nesting)?;
        loop {
            if self.take(".") {
                let token = self.next();
                left = match token.kind {
                    TokenKind::Name(name, _) => self.name(token.at, Some(left), name, nesting)?,
                    kind => {
                        let message = format!(
                            "an element or a function was expected after `.`, not {}",
                            shown(&kind)
                        );
                        return Err(wrong(Code::PathSyntax, token.at, message));
                    }
                };
            } else if let Some(bracket) = self.tokens.next_if(|t| t.kind == TokenKind::Sign("[")) {
                let index = self.expression(0, nesting + 1)?;
                self.expect("]")?;
                left = Ast::new(bracket.at, Node::At(Box::new(left), Box::new(index)))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn primary(&mut self, nesting: usize) -> Result<Ast, Refused> {
        let Token { at, kind } = self.next();
        match kind {
            TokenKind::Literal(literal, ty) => {
                let unit = self.tokens.peek().is_some_and(|t| match &t.kind {
                    TokenKind::Literal(_, "string") => true,
                    TokenKind::Name(name, false) => {
                        infix(&TokenKind::Name(name.clone(), false)).is_none()
                    }
                    _ => false,
                });
                if unit && matches!(ty, "integer" | "decimal") {
                    return Err(unsupported(
                        Code::PathUnsupported,
                        at,
                        "quantities are not supported",
                    )
                    .help("compare the numbers and the units: `value` and `code` of a Quantity"));
                }
                Ast::new(at, Node::Literal(literal, ty))
            }
            TokenKind::Constant(name) => Ast::new(at, Node::Constant(name)),
            TokenKind::Name(name, _) => self.name(at, None, name, nesting),
            TokenKind::Variable(name) => match name.as_str() {
                "this" => Ast::new(at, Node::This),
                "index" => Ast::new(at, Node::Index),
                _ => Err(unsupported(
                    Code::PathUnsupported,
                    at,
                    format!("`${name}` is not supported"),
                )
                .help("`$this` and `$index` are")),
            },
            TokenKind::Sign("(") => {
                let inner = self.expression(0, nesting + 1)?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Sign("{") => {
                self.expect("}")?;
                Ast::new(at, Node::Empty)
            }
            kind => Err(wrong(
                Code::PathSyntax,
                at,
                format!("an expression was expected, not {}", shown(&kind)),
            )),
        }
    }

    /// A name was read: a call if `(` follows.
    fn name(
        &mut self,
        at: usize,
        base: Option<Ast>,
        name: String,
        nesting: usize,
    ) -> Result<Ast, Refused> {
        let base = base.map(Box::new);
        if !self.take("(") {
            return Ast::new(at, Node::Member(base, name));
        }
        let mut arguments = vec![];
        if !self.take(")") {
            loop {
                arguments.push(self.expression(0, nesting + 1)?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        Ast::new(at, Node::Call(base, name, arguments))
    }
}
