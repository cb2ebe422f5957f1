//! Queries (CQL Author's Guide, "Queries"; ELM "Query"): sources, let, with, without, where, return,
//! aggregate, sort.

use std::cmp::Ordering;

use super::compare::order;
use super::cx::{Fault, Out};
use super::eval::Evaluator;
use super::list::distinct_of;
use super::merge::merge_sort;
use super::node::Node;
use super::property::{Path, follow};
use super::value::{Tuple, Val};

pub struct Query {
    pub sources: Box<[Source]>,
    pub lets: Box<[(u32, Node)]>,
    pub relationships: Box<[Relationship]>,
    pub condition: Option<Node>,
    pub result: Option<(Node, bool)>,
    pub aggregate: Option<Aggregate>,
    pub sort: Box<[SortKey]>,
}

pub struct Source {
    pub alias: Box<str>,
    pub slot: u32,
    pub expression: Node,
}

/// `with` or `without`.
pub struct Relationship {
    pub without: bool,
    pub alias: Box<str>,
    pub slot: u32,
    pub expression: Node,
    pub such_that: Node,
}

pub struct Aggregate {
    /// Slot of the running total.
    pub slot: u32,
    pub distinct: bool,
    pub starting: Option<Node>,
    pub expression: Node,
}

pub struct SortKey {
    pub descending: bool,
    pub by: SortBy,
}

pub enum SortBy {
    /// The item itself.
    Item,
    Path(Path),
    /// An expression over the item, in its slot.
    Expression(u32, Node),
}

/// Of two dates of which one is a part of the other, the whole comes first.
fn coarser_first(a: &Val<'_>, b: &Val<'_>) -> Ordering {
    match (a, b) {
        (Val::Date(a) | Val::DateTime(a), Val::Date(b) | Val::DateTime(b)) => {
            a.precision().cmp(&b.precision())
        }
        (Val::Time(a), Val::Time(b)) => a.precision.cmp(&b.precision),
        _ => Ordering::Equal,
    }
}

/// A row of a query: where its aliases and lets stand.
struct Rows<'a> {
    out: Vec<Val<'a>>,
    /// Running total of an aggregate.
    total: Val<'a>,
    /// Combinations that a distinct aggregate has had.
    seen: Vec<Vec<Val<'a>>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn query(&mut self, query: &'a Query) -> Out<'a> {
        // A query over single values gives a single value; a null source gives null.
        let mut lists = Vec::with_capacity(query.sources.len());
        let mut single = true;
        for source in &query.sources {
            match self.eval(&source.expression)? {
                Val::Null => return Ok(Val::Null),
                Val::List(items) => {
                    single = false;
                    lists.push(items);
                }
                one => lists.push(self.cx.slice(&[one])?),
            }
        }
        let mut rows = Rows {
            out: vec![],
            total: Val::Null,
            seen: vec![],
        };
        if let Some(starting) = query.aggregate.as_ref().and_then(|a| a.starting.as_ref()) {
            rows.total = self.eval(starting)?;
        }
        self.rows(query, &lists, 0, &mut rows)?;
        if query.aggregate.is_some() {
            return Ok(rows.total);
        }
        let mut items = rows.out;
        if let Some((_, true)) = query.result
            && items.len() > 1
        {
            let kept = self.cx.slice(&items)?;
            if let Val::List(distinct) = distinct_of(&self.cx, kept)? {
                items = distinct.to_vec();
            }
        }
        if single {
            return Ok(items.first().copied().unwrap_or(Val::Null));
        }
        if !query.sort.is_empty() {
            self.sort(&mut items, &query.sort)?;
        }
        self.cx.list(&items)
    }

    /// All combinations of the sources from `depth` on.
    fn rows(
        &mut self,
        query: &'a Query,
        lists: &[&'a [Val<'a>]],
        depth: usize,
        rows: &mut Rows<'a>,
    ) -> Result<(), Fault> {
        let (Some(source), Some(items)) = (query.sources.get(depth), lists.get(depth)) else {
            return self.row(query, rows);
        };
        for item in *items {
            self.cx.charge(1)?;
            self.set(source.slot, *item);
            self.rows(query, lists, depth + 1, rows)?;
        }
        Ok(())
    }

    fn row(&mut self, query: &'a Query, rows: &mut Rows<'a>) -> Result<(), Fault> {
        for (slot, expression) in &query.lets {
            let value = self.eval(expression)?;
            self.set(*slot, value);
        }
        for relationship in &query.relationships {
            if !self.related(relationship)? {
                return Ok(());
            }
        }
        if let Some(condition) = &query.condition
            && self.eval(condition)?.truth() != Some(true)
        {
            return Ok(());
        }
        if let Some(aggregate) = &query.aggregate {
            if aggregate.distinct && self.is_repeated(query, rows)? {
                return Ok(());
            }
            self.set(aggregate.slot, rows.total);
            rows.total = self.eval(&aggregate.expression)?;
            return Ok(());
        }
        let value = match (&query.result, &*query.sources) {
            (Some((result, _)), _) => self.eval(result)?,
            (None, [source]) => self.get(source.slot),
            (None, several) => {
                let mut names = vec![];
                let mut values = vec![];
                for source in several {
                    names.push(&*source.alias);
                    values.push(self.get(source.slot));
                }
                let tuple = Tuple {
                    type_name: None,
                    names: self.cx.slice(&names)?,
                    values: self.cx.slice(&values)?,
                };
                Val::Tuple(self.cx.keep(tuple)?)
            }
        };
        self.cx.room(rows.out.len())?;
        rows.out.push(value);
        Ok(())
    }

    /// Whether a row of the same items has been; notes it otherwise.
    fn is_repeated(&mut self, query: &'a Query, rows: &mut Rows<'a>) -> Result<bool, Fault> {
        let own: Vec<Val<'a>> = query.sources.iter().map(|s| self.get(s.slot)).collect();
        for before in &rows.seen {
            let mut equal = true;
            for (a, b) in before.iter().zip(&own) {
                equal = equal && super::list::same(&self.cx, *a, *b)?;
            }
            if equal {
                return Ok(true);
            }
        }
        self.cx.charge(rows.seen.len())?;
        rows.seen.push(own);
        Ok(false)
    }

    /// Whether a `with` finds a partner, or a `without` finds none.
    fn related(&mut self, relationship: &'a Relationship) -> Result<bool, Fault> {
        let single;
        let items: &[Val<'a>] = match self.eval(&relationship.expression)? {
            Val::Null => &[],
            Val::List(items) => items,
            one => {
                single = [one];
                &single
            }
        };
        for item in items {
            self.cx.charge(1)?;
            self.set(relationship.slot, *item);
            if self.eval(&relationship.such_that)?.truth() == Some(true) {
                return Ok(!relationship.without);
            }
        }
        Ok(relationship.without)
    }

    /// Stable; nulls first when ascending, as CQL has it. What cannot be compared stays in its order.
    pub(super) fn sort(
        &mut self,
        items: &mut Vec<Val<'a>>,
        keys: &'a [SortKey],
    ) -> Result<(), Fault> {
        let mut keyed = Vec::with_capacity(items.len());
        for item in items.iter() {
            let mut own = Vec::with_capacity(keys.len());
            for key in keys {
                own.push(match &key.by {
                    SortBy::Item => *item,
                    SortBy::Path(path) => follow(&self.cx, *item, path)?,
                    SortBy::Expression(slot, expression) => {
                        self.set(*slot, *item);
                        self.eval(expression)?
                    }
                });
            }
            keyed.push((own, *item));
        }
        self.cx.charge(items.len())?;
        let mut order: Vec<usize> = (0..keyed.len()).collect();
        merge_sort(&mut order, |a, b| {
            self.cx.charge(1)?;
            let (Some((a, _)), Some((b, _))) = (keyed.get(*a), keyed.get(*b)) else {
                return Ok(false);
            };
            Ok(self.order_keys(a, b, keys)? == Ordering::Greater)
        })?;
        let sorted = order.iter().filter_map(|i| keyed.get(*i));
        *items = sorted.map(|(_, item)| *item).collect();
        Ok(())
    }

    fn order_keys(
        &self,
        a: &[Val<'a>],
        b: &[Val<'a>],
        keys: &[SortKey],
    ) -> Result<Ordering, Fault> {
        for ((a, b), key) in a.iter().zip(b).zip(keys) {
            let found = match (a.is_null(), b.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => match order(&self.cx, *a, *b)? {
                    Some(told) => told,
                    None => coarser_first(a, b),
                },
            };
            let found = if key.descending {
                found.reverse()
            } else {
                found
            };
            if found.is_ne() {
                return Ok(found);
            }
        }
        Ok(Ordering::Equal)
    }
}
