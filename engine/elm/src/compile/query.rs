//! Queries and the iterations.

use serde_json::Value as Json;

use super::{Linker, Role};
use crate::fhir::property::Path;
use crate::read::library::text;
use crate::tree::node::{Kind, Node};
use crate::tree::query::{Aggregate, Let, Query, Relationship, SortBy, SortKey, Source};
use engine_patient::finding::{Code, Finding};

impl Linker<'_> {
    pub(super) fn query(&mut self, json: &Json) -> Kind {
        let names = self.scope.names.len();
        let list = |field: &str| {
            json.get(field)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
        };
        let mut sources = vec![];
        let mut aliases = vec![];
        for source in list("source") {
            let expression = self.child(source, "expression");
            let origins = self.origins(source.get("expression"));
            let alias = text(source, "alias").unwrap_or_default();
            aliases.push((alias, expression, origins));
        }
        if aliases.is_empty() {
            self.report(Finding::error(
                Code::ElmWrongForm,
                "`Query` has no `source`",
            ));
        }
        self.scope.queries.push(names);
        for (alias, expression, origins) in aliases {
            let slot = self.scope.declare(Role::Alias, &alias);
            self.scope.origins.insert(slot, origins);
            sources.push(Source {
                alias: Box::from(&*alias),
                slot,
                expression,
            });
        }
        self.scope.repeated += 1;
        let mut lets = vec![];
        for clause in list("let") {
            let expression = self.child(clause, "expression");
            let name = text(clause, "identifier").unwrap_or_default();
            lets.push(Let {
                name: Box::from(&*name),
                slot: self.scope.declare(Role::Let, &name),
                expression,
            });
        }
        let mut relationships = vec![];
        for clause in list("relationship") {
            let without = match clause.get("type").and_then(Json::as_str) {
                Some("With") => false,
                Some("Without") => true,
                _ => {
                    let message = "a relationship is neither `With` nor `Without`".to_owned();
                    self.report(Finding::error(Code::ElmWrongForm, message));
                    continue;
                }
            };
            let expression = self.child(clause, "expression");
            let before = self.scope.names.len();
            let alias = text(clause, "alias").unwrap_or_default();
            let origins = self.origins(clause.get("expression"));
            let slot = self.scope.declare(Role::Alias, &alias);
            self.scope.origins.insert(slot, origins);
            let such_that = self.child(clause, "suchThat");
            self.scope.names.truncate(before);
            relationships.push(Relationship {
                without,
                alias: Box::from(&*alias),
                slot,
                expression,
                such_that,
            });
        }
        let condition = self.child_if(json, "where");
        let result = json.get("return").filter(|r| r.is_object()).map(|clause| {
            let distinct = clause
                .get("distinct")
                .and_then(Json::as_bool)
                .unwrap_or(true);
            (self.child(clause, "expression"), distinct)
        });
        let aggregate = json
            .get("aggregate")
            .filter(|a| a.is_object())
            .map(|clause| {
                let starting = self.child_if(clause, "starting");
                let name = text(clause, "identifier").unwrap_or_default();
                let slot = self.scope.declare(Role::Let, &name);
                Aggregate {
                    slot,
                    distinct: clause
                        .get("distinct")
                        .and_then(Json::as_bool)
                        .unwrap_or(false),
                    starting,
                    expression: self.child(clause, "expression"),
                }
            });
        // Sorting sees the results, not the aliases.
        self.scope.names.truncate(names);
        self.scope.queries.pop();
        let sort = json.get("sort").and_then(|s| s.get("by"));
        let sort = self.sort_keys(sort);
        self.scope.repeated -= 1;
        Kind::Query(Box::new(Query {
            sources: sources.into(),
            lets: lets.into(),
            relationships: relationships.into(),
            condition,
            result,
            aggregate,
            sort,
        }))
    }

    fn sort_keys(&mut self, by: Option<&Json>) -> Box<[SortKey]> {
        let mut keys = vec![];
        for item in by.and_then(Json::as_array).into_iter().flatten() {
            let direction = item
                .get("direction")
                .and_then(Json::as_str)
                .unwrap_or("asc");
            let descending = match direction {
                "asc" | "ascending" => false,
                "desc" | "descending" => true,
                other => {
                    let message = format!("`{other}` is no direction of sorting");
                    self.report(Finding::error(Code::ElmWrongForm, message));
                    false
                }
            };
            let by = match item.get("type").and_then(Json::as_str) {
                Some("ByDirection") => SortBy::Item,
                Some("ByColumn") => {
                    let path = text(item, "path").unwrap_or_default();
                    match Path::parse(&path) {
                        Some(path) => SortBy::Path(path),
                        None => {
                            let message = format!("`{path}` is no path to sort by");
                            self.report(Finding::error(Code::ElmWrongForm, message));
                            SortBy::Item
                        }
                    }
                }
                Some("ByExpression") => {
                    let slot = self.scope.slot();
                    let outer = self.scope.sort_item.replace(slot);
                    self.scope.repeated += 1;
                    let expression = self.child(item, "expression");
                    self.scope.repeated -= 1;
                    self.scope.sort_item = outer;
                    SortBy::Expression(slot, expression)
                }
                _ => {
                    let message = "a sort key is of no known type".to_owned();
                    self.report(Finding::error(Code::ElmUnknownNode, message));
                    SortBy::Item
                }
            };
            keys.push(SortKey { descending, by });
        }
        keys.into()
    }

    pub(super) fn iteration(&mut self, node: &str, json: &Json) -> Kind {
        let source = Box::new(self.child(json, "source"));
        let scope = text(json, "scope");
        if node == "Sort" {
            return Kind::Sort(source, self.sort_keys(json.get("by")));
        }
        let item = self.scope.slot();
        let (total, initial) = if node == "Aggregate" {
            let initial = self.child_if(json, "initialValue").map(Box::new);
            (Some(self.scope.slot()), initial)
        } else {
            (None, None)
        };
        let names = self.scope.names.len();
        if let Some(scope) = &scope {
            self.scope
                .names
                .push((Role::Alias, std::sync::Arc::clone(scope), item));
        }
        self.scope.items.push((scope, item, total));
        self.scope.repeated += 1;
        let field = match node {
            "Filter" => "condition",
            "Aggregate" => "iteration",
            _ => "element",
        };
        let body: Box<Node> = Box::new(self.child(json, field));
        self.scope.repeated -= 1;
        self.scope.items.pop();
        self.scope.names.truncate(names);
        match (node, total) {
            ("Filter", _) => Kind::Filter(source, item, body),
            ("ForEach", _) => Kind::ForEach(source, item, body),
            (_, Some(total)) => Kind::Aggregate(source, item, total, body, initial),
            _ => Kind::Repeat(source, item, body),
        }
    }
}
