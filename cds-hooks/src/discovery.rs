//! Discovery (CDS Hooks 2.0, "Discovery"): the entry of each service, made once.

use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::configuration;
use crate::prefetch::Templates;
use crate::service::Service;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    hook: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    description: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefetch: Option<&'a Templates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_requirements: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<Value>,
}

/// The version of CDS Hooks that is spoken where a 3.0 client is expected.
const VERSION_3: &str = "3.0.0";

const NEEDS_PREFETCH: &str = "Send the prefetch, each search with all its pages and what its _include \
     brings along: this service does not query the FHIR server. \
     What is missing or incomplete makes the answer unknown (412, or a card that says so). \
     Keys that end in -sample show which code systems are in use; they may be left out, and then \
     no result for the codes of the other keys counts as none at all.";

const PREFERS_PREFETCH: &str = "Send the prefetch, each search with all its pages and what its _include \
     brings along, or fhirServer and fhirAuthorization: what is missing is then read from there, as far as \
     this service may. \
     What stays missing or incomplete makes the answer unknown (412, or a card that says so). \
     Keys that end in -sample show which code systems are in use; they may be left out, and then \
     no result for the codes of the other keys counts as none at all.";

/// The JSON of a service in `GET /cds-services`.
pub(crate) fn entry(service: &Service, templates: &Templates, config: &Config) -> String {
    let asks = !templates.list.is_empty();
    let needs = match config.seams.data.is_some() {
        true => PREFERS_PREFETCH,
        false => NEEDS_PREFETCH,
    };
    let speaks_3 = config.protocol.version_3;
    let hook_version = Some(service.hook.version).filter(|v| speaks_3 && !v.is_empty());
    let listed = Listed {
        hook: service.hook.name,
        title: &service.title,
        description: &service.description,
        id: &service.id,
        prefetch: asks.then_some(templates),
        usage_requirements: asks.then_some(needs),
        version: speaks_3.then_some(VERSION_3),
        hook_version,
        extension: (config.protocol.crd).then(|| configuration::offered(config.limits.max_cards)),
    };
    // Plain strings under fixed names: there is nothing that could fail.
    serde_json::to_string(&listed).unwrap_or_default()
}
