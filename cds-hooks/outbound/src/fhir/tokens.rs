//! Prefetch tokens of CDS Hooks 2.0.

/// What stands for the tokens of a call: first-level primitive fields of its context, and the user by type.
#[derive(Clone, Default)]
pub struct Tokens(Vec<(String, String)>);

/// The types of which a user may be, and the token that stands for the id of one.
const USERS: [(&str, &str); 4] = [
    ("Practitioner", "userPractitionerId"),
    ("PractitionerRole", "userPractitionerRoleId"),
    ("Patient", "userPatientId"),
    ("RelatedPerson", "userRelatedPersonId"),
];

impl Tokens {
    /// `{{context.NAME}}`. An empty value is none. `userId`, written `Type/id`, also gives one of
    /// `{{userPractitionerId}}`, `{{userPractitionerRoleId}}`, `{{userPatientId}}` and
    /// `{{userRelatedPersonId}}`.
    pub fn context(mut self, name: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        if name == "userId" {
            let user = value.split_once('/');
            let token = user.and_then(|(ty, id)| {
                let row = USERS.iter().find(|(user, _)| *user == ty);
                row.map(|(_, token)| (*token, id))
            });
            if let Some((token, id)) = token.filter(|(_, id)| !id.is_empty()) {
                self.0.push((token.to_owned(), id.to_owned()));
            }
        }
        self.0.push((format!("context.{name}"), value.to_owned()));
        self
    }

    /// Values by the names of their tokens, without braces, as they are. An empty value is none.
    pub fn of(values: &[(String, String)]) -> Self {
        let values = values.iter().filter(|(_, value)| !value.is_empty());
        Tokens(values.cloned().collect())
    }

    /// The value of a token, without its braces.
    pub(crate) fn get(&self, token: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == token);
        found.map(|(_, value)| value.as_str())
    }
}

/// Whether there is such a token in CDS Hooks 2.0.
pub(crate) fn is_token(name: &str) -> bool {
    let field = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    USERS.iter().any(|(_, token)| *token == name)
        || name.strip_prefix("context.").is_some_and(field)
}
