//! Discovery (CDS Hooks 2.0, "Discovery"): the list of services, made once at start.

use serde::Serialize;

use crate::prefetch::Templates;
use crate::service::CardService;

#[derive(Serialize)]
struct Discovery<'a> {
    services: Vec<Service<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service<'a> {
    hook: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    description: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefetch: Option<&'a Templates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_requirements: Option<&'static str>,
}

const NEEDS_PREFETCH: &str = "Send the prefetch, each search with all its pages and what its _include \
     brings along: this service does not query the FHIR server. \
     What is missing or incomplete makes the answer unknown (412, or a card that says so). \
     Keys that end in -sample show which code systems are in use; they may be left out, and then \
     no result for the codes of the other keys counts as none at all.";

/// The body of `GET /cds-services`.
pub(crate) fn body<'a>(
    services: impl Iterator<Item = (&'a dyn CardService, &'a Templates)>,
) -> Vec<u8> {
    let service = |(service, templates): (&'a dyn CardService, &'a Templates)| {
        let asks = !templates.list.is_empty();
        Service {
            hook: service.hook().name,
            title: service.title(),
            description: service.description(),
            id: service.id(),
            prefetch: asks.then_some(templates),
            usage_requirements: asks.then_some(NEEDS_PREFETCH),
        }
    };
    let discovery = Discovery {
        services: services.map(service).collect(),
    };
    serde_json::to_vec(&discovery).unwrap_or_default()
}
