//! Suggestions that can be carried out: what they change has the name that the client gave it.

use engine_patient::record::PatientRecord;

use crate::drafts::Drafts;
use crate::service::CardContent;
use crate::wire::{Action, Change, Resource, Suggestion};

/// A card with those of its suggestions that the client can carry out; of the others is said why not.
pub(crate) fn only(mut content: CardContent, drafts: &Drafts) -> CardContent {
    let Some(offered) = &mut content.suggestions else {
        return content;
    };
    let mut not_offered = vec![];
    let all = std::mem::take(&mut offered.suggestions);
    for (number, mut suggestion) in all.into_iter().enumerate() {
        if is_of_nameless(&suggestion, drafts) {
            not_offered.push(format!(
                "suggestion {}: the draft that it changes came without an `id` of its own",
                number + 1
            ));
            continue;
        }
        let actions = suggestion.actions.into_iter();
        suggestion.actions = actions.map(|action| as_it_came(action, drafts)).collect();
        offered.suggestions.push(suggestion);
    }
    content.extension.not_offered = not_offered;
    content
}

/// Whether it changes a draft that the client cannot know by its id.
fn is_of_nameless(suggestion: &Suggestion, drafts: &Drafts) -> bool {
    suggestion
        .actions
        .iter()
        .any(|action| match &action.change {
            Change::Create { .. } => false,
            Change::Update { resource } => {
                name_of(resource).is_some_and(|name| drafts.is_made_up(&name))
            }
            Change::Delete { resource_id } => drafts.is_made_up(resource_id),
        })
}

/// `Type/id`.
fn name_of(resource: &Resource) -> Option<String> {
    let mut record = PatientRecord::new();
    let root = record.push_document(resource.json()).ok()?;
    let (ty, id) = (root.get_str("resourceType")?, root.get_str("id")?);
    Some(format!("{ty}/{id}"))
}

fn as_it_came(action: Action, drafts: &Drafts) -> Action {
    let change = match action.change {
        Change::Update { resource } => Change::Update {
            resource: drafts.as_it_came(resource),
        },
        Change::Create { resource } => Change::Create {
            resource: drafts.as_it_came(resource),
        },
        delete @ Change::Delete { .. } => delete,
    };
    Action { change, ..action }
}
