//! A table of the file: each name is asked for once, and what nobody asked for is an error.

use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;

use engine_patient::finding::did_you_mean;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::File;
use super::secret::{self, Secret};

/// What is wrong with a value, and what to write instead.
pub(crate) struct Wrong(pub(crate) String, pub(crate) Option<String>);

impl Wrong {
    /// What was expected, as in "a number of bytes".
    pub(crate) fn expected(what: impl Into<String>) -> Self {
        Wrong(what.into(), None)
    }
}

/// A table, or one that is not there, which answers every question with "nothing".
pub(crate) struct Table<'t> {
    pub(crate) file: &'t File<'t>,
    /// `server.tls`; empty at the root.
    name: String,
    entries: Option<&'t DeTable<'t>>,
    at: Range<usize>,
    asked: RefCell<Vec<&'static str>>,
}

/// Values that are shown in a message are cut at so many characters.
const SHOWN: usize = 60;

impl<'t> Table<'t> {
    pub(crate) fn root(file: &'t File<'t>, entries: &'t DeTable<'t>) -> Self {
        Table::new(file, String::new(), Some(entries), 0..0)
    }

    fn new(
        file: &'t File<'t>,
        name: String,
        entries: Option<&'t DeTable<'t>>,
        at: Range<usize>,
    ) -> Self {
        Table {
            file,
            name,
            entries,
            at,
            asked: RefCell::default(),
        }
    }

    /// Whether the file has it.
    pub(crate) fn is_there(&self) -> bool {
        self.entries.is_some()
    }

    /// Whether it has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries
            .is_some_and(|entries| entries.get(name).is_some())
    }

    /// A text as it stands there, right or wrong.
    pub(crate) fn written(&self, name: &str) -> Option<&'t str> {
        let value = self.entries?.get(name)?;
        value.get_ref().as_str()
    }

    /// Where the table is, for what is wrong with it as a whole.
    pub(crate) fn place(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Where the value of a name is, or the table where the name is not there.
    pub(crate) fn place_of(&self, name: &str) -> Range<usize> {
        let value = self.entries.and_then(|entries| entries.get(name));
        value.map_or_else(|| self.place(), Spanned::span)
    }

    /// `server.tls.cert`.
    pub(crate) fn full(&self, name: &str) -> String {
        match self.name.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.name),
        }
    }

    fn value(&self, name: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(name);
        self.entries.and_then(|entries| entries.get(name))
    }

    fn refuse(&self, name: &str, value: &Spanned<DeValue<'_>>, wrong: Wrong) {
        let Wrong(expected, help) = wrong;
        let message = format!(
            "`{}`: expected {expected}, not {}",
            self.full(name),
            shown(value.get_ref())
        );
        self.file.wrong(value.span(), message, help);
    }

    /// A value by its own reader; the default where it is not there, or wrong, which is told.
    pub(crate) fn value_or<T>(
        &self,
        name: &'static str,
        default: T,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, Wrong>,
    ) -> T {
        self.optional(name, read).unwrap_or(default)
    }

    /// The same, without a default.
    pub(crate) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, Wrong>,
    ) -> Option<T> {
        let value = self.value(name)?;
        match read(value.get_ref()) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.refuse(name, value, wrong);
                None
            }
        }
    }

    /// A text by its own reader.
    pub(crate) fn text<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        self.optional(name, |value| match value.as_str() {
            Some(text) if is_variable(text) => Err(only_secrets()),
            Some(text) => read(text),
            None => Err(match read("") {
                Err(Wrong(expected, help)) => Wrong(expected, help),
                Ok(_) => Wrong::expected("a text"),
            }),
        })
    }

    pub(crate) fn boolean(&self, name: &'static str, default: bool) -> bool {
        self.value_or(name, default, |value| {
            value
                .as_bool()
                .ok_or_else(|| Wrong::expected("true or false"))
        })
    }

    /// A whole number in a range.
    pub(crate) fn number(&self, name: &'static str, default: u64, least: u64, most: u64) -> u64 {
        self.value_or(name, default, |value| {
            let number = value.as_integer().filter(|n| n.radix() == 10);
            let number = number.and_then(|n| n.as_str().parse::<u64>().ok());
            number
                .filter(|n| (least..=most).contains(n))
                .ok_or_else(|| Wrong::expected(format!("a whole number from {least} to {most}")))
        })
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&self, name: &'static str, default: f64) -> f64 {
        self.value_or(name, default, |value| {
            let float = value.as_float().map(|f| f.as_str().to_owned());
            let text = float.or_else(|| value.as_integer().map(|n| n.as_str().to_owned()));
            text.and_then(|text| text.parse::<f64>().ok())
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or_else(|| Wrong::expected("a number from 0 to 1"))
        })
    }

    /// A text of a list of words.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &'static str,
        default: T,
        words: &[(&'static str, T)],
    ) -> T {
        self.text(name, |text| one_of(text, words))
            .unwrap_or(default)
    }

    /// A list of texts by their own reader; each that is wrong is told at its place.
    pub(crate) fn list<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Vec<T> {
        let Some(value) = self.value(name) else {
            return vec![];
        };
        let Some(items) = value.get_ref().as_array() else {
            let wrong = Wrong(
                "a list".to_owned(),
                value
                    .get_ref()
                    .as_str()
                    .map(|text| format!("write it in brackets: {name} = [{text:?}]")),
            );
            self.refuse(name, value, wrong);
            return vec![];
        };
        let mut list = vec![];
        for item in items {
            let text = item.get_ref().as_str();
            let read = |text: &str| match is_variable(text) {
                true => Err(only_secrets()),
                false => read(text),
            };
            match text.map_or_else(|| Err(Wrong::expected("a text")), read) {
                Ok(item) => list.push(item),
                Err(wrong) => self.refuse(name, item, wrong),
            }
        }
        list
    }

    /// Whether a name has a list.
    pub(crate) fn is_list(&self, name: &str) -> bool {
        let value = self.entries.and_then(|entries| entries.get(name));
        value.is_some_and(|value| value.get_ref().is_array())
    }

    /// A table whose names are the user's own, with a text for each.
    pub(crate) fn texts(&self, name: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.value(name) else {
            return vec![];
        };
        let Some(entries) = value.get_ref().as_table() else {
            self.refuse(name, value, Wrong::expected("a table"));
            return vec![];
        };
        let mut texts = vec![];
        for (key, item) in entries {
            match item.get_ref().as_str() {
                Some(text) => texts.push((key.get_ref().to_string(), text.to_owned())),
                None => self.refuse(name, item, Wrong::expected("a text")),
            }
        }
        texts
    }

    /// Files or folders.
    pub(crate) fn paths(&self, name: &'static str) -> Vec<PathBuf> {
        self.list(name, |text| match text.is_empty() {
            true => Err(Wrong::expected("the path of a file or folder")),
            false => Ok(self.file.path(text)),
        })
    }

    /// One file or folder.
    pub(crate) fn path(&self, name: &'static str) -> Option<PathBuf> {
        self.text(name, |text| match text.is_empty() {
            true => Err(Wrong::expected("the path of a file")),
            false => Ok(self.file.path(text)),
        })
    }

    /// A secret: the text itself, `${VARIABLE}`, or a file of the name `<name>_file`.
    pub(crate) fn secret(&self, name: &'static str, file_name: &'static str) -> Option<Secret> {
        let (value, file) = (self.value(name), self.value(file_name));
        if let (Some(_), Some(file)) = (value, file) {
            let message = format!(
                "`{}` and `{}`: give one of them",
                self.full(name),
                self.full(file_name)
            );
            self.file.wrong(file.span(), message, None);
            return None;
        }
        let read = match (value, file) {
            (Some(value), _) => (value, secret::of_text(self.file, value.get_ref())),
            (_, Some(file)) => (file, secret::of_file(self.file, file.get_ref())),
            (None, None) => return None,
        };
        match read {
            (_, Ok(secret)) => Some(secret),
            (value, Err(why)) => {
                let name = if file.is_some() { file_name } else { name };
                let message = format!("`{}`: {why}", self.full(name));
                self.file.wrong(value.span(), message, None);
                None
            }
        }
    }

    /// A table within it, perhaps one that is not there.
    pub(crate) fn table(&self, name: &'static str) -> Table<'t> {
        let full = self.full(name);
        let Some(value) = self.value(name) else {
            return Table::new(self.file, full, None, self.place());
        };
        let entries = value.get_ref().as_table();
        if entries.is_none() {
            let help = match value.get_ref().is_array() {
                true => format!("write [{full}] with one pair of brackets"),
                false => format!("write [{full}] on a line of its own, and its names below it"),
            };
            self.refuse(name, value, Wrong("a table".to_owned(), Some(help)));
        }
        Table::new(self.file, full, entries, value.span())
    }

    /// The tables of a list, as in `[[client]]`.
    pub(crate) fn tables(&self, name: &'static str) -> Vec<Table<'t>> {
        let full = self.full(name);
        let Some(value) = self.value(name) else {
            return vec![];
        };
        let help = || Some(format!("write [[{full}]] with two pairs of brackets"));
        let Some(items) = value.get_ref().as_array() else {
            self.refuse(name, value, Wrong("a list of tables".to_owned(), help()));
            return vec![];
        };
        let mut tables = vec![];
        for (number, item) in items.iter().enumerate() {
            match item.get_ref().as_table() {
                Some(entries) => {
                    let name = format!("{full}[{}]", number + 1);
                    tables.push(Table::new(self.file, name, Some(entries), item.span()));
                }
                None => self.refuse(name, item, Wrong("a table".to_owned(), help())),
            }
        }
        tables
    }

    /// A name that has to be there is not.
    pub(crate) fn missing(&self, name: &str, why: &str) {
        let message = format!("`{}` is missing: {why}", self.full(name));
        self.file.wrong(self.place(), message, None);
    }

    /// Something is wrong with a value that could be read.
    pub(crate) fn wrong(&self, name: &str, message: &str, help: Option<String>) {
        let message = format!("`{}`: {message}", self.full(name));
        self.file.wrong(self.place_of(name), message, help);
    }

    /// A table within it once more, for what can be told of it only now.
    pub(crate) fn section(&self, name: &'static str) -> Table<'t> {
        let value = self.entries.and_then(|entries| entries.get(name));
        let entries = value.and_then(|value| value.get_ref().as_table());
        let place = value.map_or_else(|| self.place(), Spanned::span);
        Table::new(self.file, self.full(name), entries, place)
    }

    /// The tables of a list once more, for what can be told of them only now.
    pub(crate) fn again(&self, name: &'static str) -> Vec<Table<'t>> {
        let value = self.entries.and_then(|entries| entries.get(name));
        let items = value.and_then(|value| value.get_ref().as_array());
        let items = items.into_iter().flatten().enumerate();
        let of = |(number, item): (usize, &'t Spanned<DeValue<'t>>)| {
            let entries = item.get_ref().as_table()?;
            let name = format!("{}[{}]", self.full(name), number + 1);
            Some(Table::new(self.file, name, Some(entries), item.span()))
        };
        items.filter_map(of).collect()
    }

    /// The end: names that nobody asked for are none.
    pub(crate) fn done(self) {
        self.unknown();
    }

    /// Tells of the names that nobody asked for.
    pub(crate) fn unknown(&self) {
        let asked = self.asked.borrow();
        let Some(entries) = self.entries else { return };
        for (name, _) in entries {
            let word = name.get_ref().as_ref();
            if asked.contains(&word) {
                continue;
            }
            let place = match self.name.is_empty() {
                true => "at the top of the file".to_owned(),
                false => format!("in [{}]", self.name),
            };
            let help = match did_you_mean(word, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", asked.join(", ")),
            };
            let message = format!("unknown name `{}` {place}", cut(word));
            self.file.wrong(name.span(), message, Some(help));
        }
    }
}

/// Whether it looks like a variable of the environment, which nothing would put in here.
fn is_variable(text: &str) -> bool {
    text.starts_with("${") && text.ends_with('}')
}

fn only_secrets() -> Wrong {
    Wrong(
        "the value itself".to_owned(),
        Some(
            "variables of the environment are taken in secrets only: `store.url`, `store.pseudonym_key`, `keys` of a client"
                .to_owned(),
        ),
    )
}

/// A word of a list, or what was meant.
pub(crate) fn one_of<T: Copy>(text: &str, words: &[(&'static str, T)]) -> Result<T, Wrong> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let names: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    let near = did_you_mean(text, words.iter().map(|(word, _)| *word));
    Err(Wrong(
        format!("one of {}", names.join(", ")),
        near.map(|near| format!("did you mean {near:?}?")),
    ))
}

fn cut(text: &str) -> String {
    match text.chars().count() > SHOWN {
        true => text.chars().take(SHOWN).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A value in a message. What has `@` in an address before its host may be a password.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.contains("://") && text.contains('@') => {
            "an address with a user (not shown)".to_owned()
        }
        DeValue::String(text) => format!("{:?}", cut(text)),
        DeValue::Integer(number) => cut(number.as_str()),
        DeValue::Float(number) => cut(number.as_str()),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
