//! Expressions: operators by the table, special forms one by one.

use serde_json::Value as Json;

use super::{Linker, Role, constant_folding, null, result_type};
use crate::context::cx::Extra;
use crate::fhir::property::Path;
use crate::operators::nodes::{self, How};
use crate::operators::operator::Operator;
use crate::operators::table::{self, IN_CODE_SYSTEM, MAX_VALUE, MIN_VALUE};
use crate::operators::type_test::point_of;
use crate::read::library::text;
use crate::tree::constant::Owned;
use crate::tree::node::{IntervalNode, Kind, NO_CLAUSE, Node, precision};
use crate::values::types::Type;
use crate::values::value::PointType;
use engine_patient::finding::{Code, Finding};

impl Linker<'_> {
    /// An expression. Findings inside it are reported; it is null then.
    pub(super) fn expr(&mut self, json: &Json) -> Node {
        stacker::maybe_grow(256 << 10, 8 << 20, || self.expression_at(json))
    }

    fn expression_at(&mut self, json: &Json) -> Node {
        let place = text(json, "localId").map(|id| (id, text(json, "locator")));
        let located = place.is_some();
        if let Some(place) = place {
            self.at.nodes.push(place);
        }
        let (before, lowest) = (self.scope.next, self.scope.lowest);
        self.scope.lowest = u32::MAX;
        let (name, kind) = self.kind(json);
        let clause = if located {
            self.clause(name)
        } else {
            NO_CLAUSE
        };
        let node = Node { kind, clause };
        // All it refers to was declared inside it: it is the same for every row of the loop.
        let closed = self.scope.lowest >= before;
        self.scope.lowest = lowest.min(self.scope.lowest);
        if located {
            self.at.nodes.pop();
        }
        let worth = matches!(
            node.kind,
            Kind::Query(_)
                | Kind::Call(..)
                | Kind::Dispatch(..)
                | Kind::Op(..)
                | Kind::Nary(..)
                | Kind::Property(..)
        );
        if closed && worth && self.options.hoist && self.scope.repeated > 0 {
            let index = self.unit.once;
            self.unit.once = index.saturating_add(1);
            return Node {
                kind: Kind::Once(index, Box::new(node)),
                clause: NO_CLAUSE,
            };
        }
        node
    }

    fn kind(&mut self, json: &Json) -> (&'static str, Kind) {
        let Some(name) = json.get("type").and_then(Json::as_str) else {
            let message = "an expression has no `type`".to_owned();
            self.report(Finding::error(Code::ElmWrongForm, message));
            return ("", null().kind);
        };
        let Some((name, how)) = nodes::find(name) else {
            let near = self.near(name, nodes::nodes().map(|(n, _)| n));
            let help = near.map(|n| format!("did you mean `{n}`?"));
            let message = format!("ELM has no node `{name}`");
            self.report(Finding::error(Code::ElmUnknownNode, message).maybe_help(help));
            return ("", null().kind);
        };
        let kind = match how {
            // The least Integer has no positive counterpart.
            How::Operator(_) if name == "Negate" && is_number(json.get("operand")) => {
                let literal = json.get("operand").unwrap_or(&Json::Null);
                Kind::Const(self.literal(literal, true))
            }
            How::Operator(operator) => self.operator(operator, json),
            How::Special => self.special(name, json),
            How::Part | How::Abstract => {
                let message = format!("`{name}` cannot stand as an expression");
                self.report(Finding::error(Code::ElmWrongForm, message));
                null().kind
            }
            How::Unsupported(why) => {
                let message = format!("`{name}` is not supported: {why}");
                self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                null().kind
            }
        };
        (name, kind)
    }

    fn operator(&mut self, operator: &'static Operator, json: &Json) -> Kind {
        let name = operator.name;
        let mut args = vec![];
        for field in operator.operands {
            match self.operands(json, name, field) {
                Some(operands) => args.extend(operands),
                None => return null().kind,
            }
        }
        if let ("Width" | "Size", [of]) = (name, args.as_slice()) {
            self.has_width(name, json, of);
        }
        let mut extra = self.extra(json, name);
        extra.on_lists = self.on_lists(json);
        if operator.is_constant
            && let Some(value) = folded(operator, &args, &extra)
        {
            return Kind::Const(value);
        }
        match (operator.is_pairwise, args.len()) {
            (true, 0) => null().kind,
            (true, 2) | (false, _) => Kind::Op(operator, args.into(), extra),
            // Not nested: a tree of a hundred thousand levels could not even be dropped.
            (true, _) => Kind::Nary(operator, args.into(), extra),
        }
    }

    /// Width and size are not defined of intervals of dates and times (CQL 1.5 §19, "Size", "Width"):
    /// found at load where the text tells the type.
    fn has_width(&mut self, name: &str, json: &Json, operand: &Node) {
        let of = match self.points(operand, 0) {
            PointType::Unknown => {
                let written = json.get("operand").unwrap_or(&Json::Null);
                match self.static_type(written) {
                    Some(Type::Interval(of)) => point_of(&of),
                    _ if self.is_period(written) => PointType::DateTime,
                    _ => PointType::Unknown,
                }
            }
            known => known,
        };
        if matches!(of, PointType::Date | PointType::DateTime | PointType::Time) {
            let message = format!("`{name}` is not defined of intervals of dates or times");
            let help =
                "ask for a duration or difference between `start of` and `end of` the interval";
            self.report(Finding::error(Code::ElmNoOverload, message).help(help));
        }
    }

    /// The type of the points of an interval, as far as what was compiled tells.
    fn points(&self, node: &Node, depth: u32) -> PointType {
        const DEPTH: u32 = 16;
        let of = |ty: &Type| match ty {
            Type::Interval(of) => point_of(of),
            _ => PointType::Unknown,
        };
        match &node.kind {
            Kind::Interval(interval) => interval.point,
            Kind::Once(_, inner) if depth < DEPTH => self.points(inner, depth + 1),
            Kind::As(_, ty, _) => of(ty),
            Kind::Param(index) => {
                let parameter = self.unit.parameters.get(*index as usize);
                parameter
                    .and_then(|p| p.ty.as_ref())
                    .map_or(PointType::Unknown, of)
            }
            Kind::Def(index) if depth < DEPTH => {
                let definition = self.unit.definitions.get(*index as usize);
                definition.map_or(PointType::Unknown, |d| self.points(&d.node, depth + 1))
            }
            _ => PointType::Unknown,
        }
    }

    /// A child expression that must be there.
    pub(super) fn child(&mut self, json: &Json, field: &str) -> Node {
        match json.get(field) {
            Some(child @ Json::Object(_)) => self.expr(child),
            _ => {
                let name = json.get("type").and_then(Json::as_str).unwrap_or("?");
                let message = format!("`{name}` has no `{field}`");
                self.report(Finding::error(Code::ElmWrongForm, message));
                null()
            }
        }
    }

    /// A child expression that may be there.
    pub(super) fn child_if(&mut self, json: &Json, field: &str) -> Option<Node> {
        match json.get(field) {
            Some(child @ Json::Object(_)) => Some(self.expr(child)),
            _ => None,
        }
    }

    /// The operands that a property holds; `None`, with a finding, where it does not hold them.
    fn operands(&mut self, json: &Json, node: &str, field: &str) -> Option<Vec<Node>> {
        if let Some(field) = field.strip_suffix('?') {
            return Some(vec![self.child_if(json, field).unwrap_or_else(null)]);
        }
        let Some((field, count)) = field.split_once('*') else {
            return Some(vec![self.child(json, field)]);
        };
        let Some(items) = json.get(field).and_then(Json::as_array) else {
            let message = format!("`{node}` has no list `{field}`");
            self.report(Finding::error(Code::ElmWrongForm, message));
            return None;
        };
        let nodes = items.iter().map(|item| self.expr(item)).collect();
        if let Ok(count) = count.parse::<usize>()
            && items.len() != count
        {
            let message = format!("`{node}` has {} operands where {count} belong", items.len());
            self.report(Finding::error(Code::ElmWrongForm, message));
            return None;
        }
        Some(nodes)
    }

    fn extra(&mut self, json: &Json, name: &str) -> Extra {
        let Some(Json::String(text)) = json.get("precision") else {
            return Extra::default();
        };
        precision(text).unwrap_or_else(|| {
            let message = format!("`{name}` has the precision `{text}`, which is none");
            self.report(Finding::error(Code::ElmWrongForm, message));
            Extra::default()
        })
    }

    /// Whether an operator that is on lists and on intervals is meant on lists.
    fn on_lists(&mut self, json: &Json) -> bool {
        let is_list =
            |ty: &Json| ty.get("type").and_then(Json::as_str) == Some("ListTypeSpecifier");
        let signature = json.get("signature").and_then(Json::as_array);
        if signature.is_some_and(|s| s.iter().any(is_list)) {
            return true;
        }
        json.get("resultTypeSpecifier").is_some_and(is_list)
    }

    fn pair(&mut self, json: &Json, name: &str) -> Box<[Node; 2]> {
        let both = self.operands(json, name, "operand*2");
        match both.map(<[Node; 2]>::try_from) {
            Some(Ok(both)) => Box::new(both),
            _ => Box::new([null(), null()]),
        }
    }

    fn special(&mut self, name: &'static str, json: &Json) -> Kind {
        match name {
            "ExpressionRef" | "FunctionRef" | "ParameterRef" | "OperandRef" | "AliasRef"
            | "QueryLetRef" | "IdentifierRef" | "ValueSetRef" | "CodeSystemRef" | "CodeRef"
            | "ConceptRef" | "Current" | "Total" => self.reference(name, json),
            "Literal" => Kind::Const(self.literal(json, false)),
            "Null" => Kind::Const(Owned::Null),
            "And" => Kind::And(self.pair(json, name)),
            "Or" => Kind::Or(self.pair(json, name)),
            "Implies" => Kind::Implies(self.pair(json, name)),
            "If" => Kind::If(Box::new([
                self.child(json, "condition"),
                self.child(json, "then"),
                self.child(json, "else"),
            ])),
            "Case" => self.case(json),
            "Coalesce" => {
                let args = self.operands(json, name, "operand*");
                Kind::Coalesce(args.unwrap_or_default().into())
            }
            "Tuple" | "Instance" => self.structure(name, json),
            "Interval" => self.interval(json),
            "List" => {
                let items = match json.get("element") {
                    Some(_) => self.operands(json, name, "element*"),
                    None => None,
                };
                Kind::List(items.unwrap_or_default().into())
            }
            "Property" => self.property(json),
            "As" | "Is" | "Convert" | "CanConvert" => self.cast(name, json),
            "MinValue" | "MaxValue" => self.extreme(name, json),
            "Quantity" => match self.number(json) {
                Some(value) => Kind::Const(Owned::Quantity(value, self.unit_of(json))),
                None => null().kind,
            },
            "Ratio" => {
                let mut part = |name: &str| {
                    let part = json.get(name).unwrap_or(&Json::Null);
                    let value = self.number(part)?;
                    Some((value, self.unit_of(part)))
                };
                match (part("numerator"), part("denominator")) {
                    (Some(n), Some(d)) => Kind::Const(Owned::Ratio(Box::new([n, d]))),
                    _ => null().kind,
                }
            }
            "Code" => match self.code_literal(json) {
                Some(code) => Kind::Const(Owned::Code(Box::new(code))),
                None => null().kind,
            },
            "Concept" => {
                let codes = json.get("code").and_then(Json::as_array);
                let codes: Vec<_> = codes
                    .into_iter()
                    .flatten()
                    .filter_map(|c| self.code_literal(c))
                    .collect();
                let display = text(json, "display").map(|d| Box::from(&*d));
                Kind::Const(Owned::Concept(codes.into(), display))
            }
            "InValueSet" | "AnyInValueSet" => {
                let field = if name == "InValueSet" {
                    "code"
                } else {
                    "codes"
                };
                let code = self.child(json, field);
                let set = match (json.get("valueset"), json.get("valuesetExpression")) {
                    (Some(reference), _) if reference.is_object() => Node {
                        kind: self.reference("ValueSetRef", reference),
                        clause: NO_CLAUSE,
                    },
                    _ => self.child(json, "valuesetExpression"),
                };
                Kind::InValueSet(Box::new(code), Box::new(set))
            }
            "InCodeSystem" | "AnyInCodeSystem" => {
                let field = if name == "InCodeSystem" {
                    "code"
                } else {
                    "codes"
                };
                let code = self.child(json, field);
                let system = match json.get("codesystem") {
                    Some(reference) if reference.is_object() => Node {
                        kind: self.reference("CodeSystemRef", reference),
                        clause: NO_CLAUSE,
                    },
                    _ => self.child(json, "codesystemExpression"),
                };
                Kind::Op(&IN_CODE_SYSTEM, Box::new([code, system]), Extra::default())
            }
            "Query" => self.query(json),
            "Retrieve" => self.retrieve(json),
            "Filter" | "ForEach" | "Repeat" | "Sort" | "Aggregate" => self.iteration(name, json),
            "Message" => {
                let yes = || Node {
                    kind: Kind::Const(Owned::Boolean(true)),
                    clause: NO_CLAUSE,
                };
                Kind::Message(Box::new([
                    self.child(json, "source"),
                    self.child_if(json, "condition").unwrap_or_else(yes),
                    self.child_if(json, "code").unwrap_or_else(null),
                    self.child_if(json, "severity").unwrap_or_else(null),
                    self.child_if(json, "message").unwrap_or_else(null),
                ]))
            }
            other => {
                // The table and this match must name the same nodes: a test goes through both.
                let message = format!("`{other}` has no implementation");
                self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                null().kind
            }
        }
    }

    fn unit_of(&mut self, json: &Json) -> Box<str> {
        let unit = text(json, "unit").filter(|u| !u.is_empty());
        unit.map_or_else(|| "1".into(), |u| Box::from(&*u))
    }

    fn case(&mut self, json: &Json) -> Kind {
        let comparand = self.child_if(json, "comparand").map(Box::new);
        let mut items = vec![];
        for item in json
            .get("caseItem")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            items.push((self.child(item, "when"), self.child(item, "then")));
        }
        if items.is_empty() {
            let message = "`Case` has no `caseItem`".to_owned();
            self.report(Finding::error(Code::ElmWrongForm, message));
        }
        let otherwise = self.child(json, "else");
        Kind::Case(comparand, items.into(), Box::new(otherwise))
    }

    fn structure(&mut self, name: &str, json: &Json) -> Kind {
        let class: Option<Box<str>> = (name == "Instance").then(|| {
            let class = text(json, "classType").unwrap_or_default();
            match Type::named(&class) {
                Some(Type::Fhir(id)) => id.name().into(),
                Some(Type::Enumeration(name)) => name,
                Some(Type::Lacking(name)) => {
                    self.lacking(&name);
                    name
                }
                Some(system) => format!("System.{system}").into(),
                None => {
                    let message = format!("there is no type `{class}`");
                    self.report(Finding::error(Code::ElmUnknownType, message));
                    "".into()
                }
            }
        });
        let (mut names, mut values) = (vec![], vec![]);
        for element in json
            .get("element")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            names.push(Box::<str>::from(
                &*text(element, "name").unwrap_or_default(),
            ));
            values.push(self.child(element, "value"));
        }
        Kind::Tuple(class, names.into(), values.into())
    }

    fn interval(&mut self, json: &Json) -> Kind {
        let closed = |linker: &mut Self, flag: &str, expression: &str| {
            if let Some(node) = linker.child_if(json, expression) {
                return node;
            }
            let flag = json.get(flag).and_then(Json::as_bool).unwrap_or(true);
            Node {
                kind: Kind::Const(Owned::Boolean(flag)),
                clause: NO_CLAUSE,
            }
        };
        let mut point = PointType::Unknown;
        for part in ["low", "high"] {
            if let Some(bound) = json.get(part)
                && point == PointType::Unknown
                && let Some(ty) = self.static_type(bound)
            {
                point = point_of(&ty);
            }
        }
        if point == PointType::Unknown
            && let Some(Type::Interval(of)) = result_type(self, json)
        {
            point = point_of(&of);
        }
        let node = IntervalNode {
            low: self.child_if(json, "low").unwrap_or_else(null),
            high: self.child_if(json, "high").unwrap_or_else(null),
            low_closed: closed(self, "lowClosed", "lowClosedExpression"),
            high_closed: closed(self, "highClosed", "highClosedExpression"),
            point,
        };
        Kind::Interval(Box::new(node))
    }

    /// The type of an expression, where it can be seen without evaluating it.
    pub(super) fn static_type(&mut self, json: &Json) -> Option<Type> {
        match json.get("type").and_then(Json::as_str) {
            Some("As") => match (json.get("asType"), json.get("asTypeSpecifier")) {
                (Some(name), _) => Type::named(name.as_str().unwrap_or_default()),
                (None, Some(specifier)) => Some(self.specifier(specifier)),
                _ => None,
            },
            Some("Literal") => Type::named(json.get("valueType")?.as_str()?),
            Some("Quantity" | "ToQuantity") => Some(Type::Quantity),
            Some("DateTime" | "Now" | "ToDateTime") => Some(Type::DateTime),
            Some("Date" | "Today" | "ToDate" | "DateFrom") => Some(Type::Date),
            Some("Time" | "TimeOfDay" | "ToTime") => Some(Type::Time),
            Some("ToDecimal") => Some(Type::Decimal),
            _ => result_type(self, json),
        }
    }

    fn property(&mut self, json: &Json) -> Kind {
        let path = text(json, "path").unwrap_or_default();
        let Some(compiled) = Path::parse(&path) else {
            let message = format!("`{path}` is no path of a property");
            self.report(Finding::error(Code::ElmWrongForm, message));
            return null().kind;
        };
        let source = match text(json, "scope") {
            Some(scope) => match self.scope.find(Role::Alias, &scope) {
                Some(slot) => Node {
                    kind: Kind::Local(slot),
                    clause: NO_CLAUSE,
                },
                None => self.unknown_name("alias", &scope, Role::Alias),
            },
            None if json.get("source").is_none_or(Json::is_null) => {
                match self.bare_property(&path, &compiled) {
                    Some(alias) => alias,
                    None => return null().kind,
                }
            }
            None => self.child(json, "source"),
        };
        Kind::Property(Box::new(source), Box::new(compiled))
    }

    fn cast(&mut self, name: &str, json: &Json) -> Kind {
        let operand = self.child(json, "operand");
        let (attribute, element) = match name {
            "As" => ("asType", "asTypeSpecifier"),
            "Is" => ("isType", "isTypeSpecifier"),
            _ => ("toType", "toTypeSpecifier"),
        };
        let ty = match (json.get(element), json.get(attribute)) {
            (Some(specifier), _) => self.specifier(specifier),
            (None, Some(name)) => self.specifier(name),
            (None, None) => {
                let message = format!("`{name}` names no type");
                self.report(Finding::error(Code::ElmWrongForm, message));
                return null().kind;
            }
        };
        let strict = json.get("strict").and_then(Json::as_bool).unwrap_or(false);
        match name {
            "As" => Kind::As(Box::new(operand), Box::new(ty), strict),
            "Is" => Kind::Is(Box::new(operand), Box::new(ty)),
            _ => {
                let can = name == "CanConvert";
                let operator = match &ty {
                    Type::Boolean
                    | Type::Integer
                    | Type::Long
                    | Type::Decimal
                    | Type::String
                    | Type::Date
                    | Type::DateTime
                    | Type::Time
                    | Type::Quantity
                    | Type::Ratio
                        if can =>
                    {
                        table::operator(&format!("ConvertsTo{ty}"))
                    }
                    Type::Boolean
                    | Type::Integer
                    | Type::Long
                    | Type::Decimal
                    | Type::String
                    | Type::Date
                    | Type::DateTime
                    | Type::Time
                    | Type::Quantity
                    | Type::Ratio
                    | Type::Concept
                        if !can =>
                    {
                        table::operator(&format!("To{ty}"))
                    }
                    _ => None,
                };
                match operator {
                    Some(operator) => Kind::Op(operator, Box::new([operand]), Extra::default()),
                    None => {
                        let message = format!("there is no conversion to {ty}");
                        self.report(Finding::unsupported(Code::ElmUnsupportedNode, message));
                        null().kind
                    }
                }
            }
        }
    }

    fn extreme(&mut self, name: &str, json: &Json) -> Kind {
        let named = text(json, "valueType").unwrap_or_default();
        let point = Type::named(&named).map_or(PointType::Unknown, |ty| point_of(&ty));
        if point == PointType::Unknown {
            let message = format!("`{name}` has no value for the type `{named}`");
            self.report(Finding::error(Code::ElmUnknownType, message));
            return null().kind;
        }
        let operator = match name {
            "MinValue" => &MIN_VALUE,
            _ => &MAX_VALUE,
        };
        let extra = Extra {
            point,
            ..Extra::default()
        };
        // Not done at load: the ends of DateTime depend on the zone of the run.
        Kind::Op(operator, Box::new([]), extra)
    }
}

/// What an operator gives of constants.
fn folded(operator: &Operator, args: &[Node], extra: &Extra) -> Option<Owned> {
    fn constant(node: &Node) -> Option<&Owned> {
        match &node.kind {
            Kind::Const(value) => Some(value),
            _ => None,
        }
    }
    let values = args.iter().map(constant).collect::<Option<Vec<&Owned>>>()?;
    constant_folding::apply(operator, &values, extra)
}

/// Whether it is a literal number.
fn is_number(json: Option<&Json>) -> bool {
    let text = |name: &str| json.and_then(|j| j.get(name)).and_then(Json::as_str);
    text("type") == Some("Literal")
        && matches!(
            Type::named(text("valueType").unwrap_or_default()),
            Some(Type::Integer | Type::Long | Type::Decimal)
        )
}
