//! Secrets: never printed, and best kept out of the file.

use std::fmt;

use toml::de::DeValue;

use super::file::File;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret from elsewhere, as from an argument.
    pub fn new(text: String) -> Self {
        Secret(text)
    }

    /// The text itself, for where it is needed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The text itself, or the variable that `${NAME}` names.
pub(super) fn of_text(file: &File<'_>, value: &DeValue<'_>) -> Result<Secret, String> {
    let text = value.as_str().ok_or("expected a text")?;
    let name = text.strip_prefix("${").and_then(|t| t.strip_suffix('}'));
    let found = match name {
        Some(name) => file
            .around
            .variable(name)
            .ok_or_else(|| format!("the environment has no variable `{name}`"))?,
        None => text.to_owned(),
    };
    match found.is_empty() {
        true => Err("is empty".to_owned()),
        false => Ok(Secret(found)),
    }
}

/// The text of a file, without the end of its last line.
pub(super) fn of_file(file: &File<'_>, value: &DeValue<'_>) -> Result<Secret, String> {
    let text = value.as_str().ok_or("expected the path of a file")?;
    let path = file.path(text);
    let bytes = file.around.file(&path);
    let bytes = bytes.map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| format!("{} is not a text in UTF-8", path.display()))?;
    let text = text.trim_end_matches(['\n', '\r']);
    match text.is_empty() {
        true => Err(format!("{} is empty", path.display())),
        false => Ok(Secret(text.to_owned())),
    }
}
