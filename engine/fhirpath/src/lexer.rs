//! Text to tokens.

use rust_decimal::Decimal;

use super::error::{Refused, wrong};
use super::literal::Literal;
use engine_patient::finding::Code;
use engine_patient::system::date_time::{DateTime, Precision};

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Token {
    /// Column of its first character, from 1.
    pub at: usize,
    pub kind: TokenKind,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum TokenKind {
    /// A name; `true` where it was written in backticks, so is no keyword.
    Name(String, bool),
    /// A literal and its FHIR type.
    Literal(Literal, &'static str),
    /// `%name`
    Constant(String),
    /// `$this`, without the `$`.
    Variable(String),
    Sign(&'static str),
    End,
}

/// Longest first where one is the start of another.
const SIGNS: &[&str] = &[
    "!=", "!~", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "&", "|", "~", "(", ")", "[", "]",
    "{", "}", ",", ".",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refused> {
    let mut lexer = Lexer { rest: text, at: 1 };
    let mut out = vec![];
    loop {
        lexer.take_while(char::is_whitespace);
        let at = lexer.at;
        let kind = lexer.token()?;
        let end = kind == TokenKind::End;
        out.push(Token { at, kind });
        if end {
            return Ok(out);
        }
    }
}

struct Lexer<'t> {
    rest: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        self.at += 1;
        Some(next)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }

    fn name(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn token(&mut self) -> Result<TokenKind, Refused> {
        let at = self.at;
        match self.peek() {
            None => Ok(TokenKind::End),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.name();
                Ok(match name {
                    "true" => TokenKind::Literal(Literal::Bool(true), "boolean"),
                    "false" => TokenKind::Literal(Literal::Bool(false), "boolean"),
                    _ => TokenKind::Name(name.to_owned(), false),
                })
            }
            Some('`') => Ok(TokenKind::Name(self.quoted('`')?, true)),
            Some('\'') => {
                let text = self.quoted('\'')?.into_boxed_str();
                Ok(TokenKind::Literal(Literal::Text(text), "string"))
            }
            Some('%') => {
                self.bump();
                let name = match self.peek() {
                    Some(quote @ ('`' | '\'')) => self.quoted(quote)?,
                    _ => self
                        .take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
                        .to_owned(),
                };
                match name.is_empty() {
                    true => Err(wrong(
                        Code::PathSyntax,
                        at,
                        "`%` without the name of a constant",
                    )),
                    false => Ok(TokenKind::Constant(name)),
                }
            }
            Some('$') => {
                self.bump();
                Ok(TokenKind::Variable(self.name().to_owned()))
            }
            Some('@') => self.moment(),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some('"') => Err(wrong(
                Code::PathSyntax,
                at,
                "double quotes start nothing in FHIRPath",
            )
            .help("write text in single quotes: 'text'")),
            Some(_) => self.sign(),
        }
    }

    fn sign(&mut self) -> Result<TokenKind, Refused> {
        let found = SIGNS.iter().find(|s| self.rest.starts_with(**s));
        let Some(sign) = found else {
            let shown = self.peek().unwrap_or(' ');
            return Err(wrong(
                Code::PathSyntax,
                self.at,
                format!("`{shown}` means nothing in FHIRPath"),
            ));
        };
        self.rest = self.rest.get(sign.len()..).unwrap_or("");
        self.at += sign.len();
        Ok(TokenKind::Sign(sign))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Refused> {
        let start = self.at;
        self.bump();
        let mut out = String::new();
        loop {
            let at = self.at;
            match self.bump() {
                None => {
                    return Err(wrong(
                        Code::PathSyntax,
                        start,
                        format!("the closing {quote} is missing"),
                    ));
                }
                Some(c) if c == quote => return Ok(out),
                Some('\\') => out.push(self.escape(at)?),
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, at: usize) -> Result<char, Refused> {
        match self.bump() {
            Some(c @ ('\'' | '"' | '`' | '\\' | '/')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('f') => Ok('\u{c}'),
            Some('u') => {
                let digits: String = std::iter::from_fn(|| self.bump()).take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                code.ok_or_else(|| {
                    wrong(Code::PathSyntax, at, "`\\u` needs four hexadecimal digits")
                })
            }
            _ => Err(wrong(Code::PathSyntax, at, "an unknown escape")
                .help("known are \\' \\\" \\` \\\\ \\/ \\n \\r \\t \\f \\u")),
        }
    }

    fn number(&mut self) -> Result<TokenKind, Refused> {
        let (at, from) = (self.at, self.rest);
        let mut len = self.take_while(|c| c.is_ascii_digit()).len();
        let mut fraction = self.rest.chars();
        let decimal =
            fraction.next() == Some('.') && fraction.next().is_some_and(|c| c.is_ascii_digit());
        if decimal {
            self.bump();
            len += 1 + self.take_while(|c| c.is_ascii_digit()).len();
        }
        let text = from.get(..len).unwrap_or("");
        let literal = match decimal {
            true => Decimal::from_str_exact(text)
                .ok()
                .map(|d| (Literal::Decimal(d), "decimal")),
            false => text.parse().ok().map(|i| (Literal::Int(i), "integer")),
        };
        let too_long = || wrong(Code::PathSyntax, at, "the number has too many digits");
        literal
            .map(|(l, ty)| TokenKind::Literal(l, ty))
            .ok_or_else(too_long)
    }

    /// `@2024-05-01`, `@2024-05-01T10:00Z`, `@T10:00`.
    fn moment(&mut self) -> Result<TokenKind, Refused> {
        let at = self.at;
        self.bump();
        let allowed = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '+' | 'T' | 'Z');
        let mut text = self.take_while(allowed).to_owned();
        // A dot belongs to it only before digits: `@T10:00.first()`.
        let mut after = self.rest.chars();
        if text.contains(':')
            && after.next() == Some('.')
            && after.next().is_some_and(|c| c.is_ascii_digit())
        {
            self.bump();
            text.push('.');
            text.push_str(self.take_while(allowed));
        }
        let (value, ty) = match text.strip_prefix('T') {
            Some(time) => (time, "time"),
            None if text.contains('T') => (text.strip_suffix('T').unwrap_or(&text), "dateTime"),
            None => (text.as_str(), "date"),
        };
        let valid = match ty {
            "time" => super::compare::time_of_day(value).is_some(),
            "date" => DateTime::parse(value).is_some_and(|d| d.precision() <= Precision::Day),
            _ => DateTime::parse(value).is_some(),
        };
        match valid {
            true => Ok(TokenKind::Literal(Literal::Text(value.into()), ty)),
            false => Err(
                wrong(Code::PathSyntax, at, "this is no date, date-time or time")
                    .help("write @2024-05-01, @2024-05-01T10:00:00Z or @T10:00"),
            ),
        }
    }
}
