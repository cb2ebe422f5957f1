//! All checks. The numbers are the items of the project's checklist for CDS services.

use super::Check;
use super::Severity::{Must, Should};

macro_rules! checks {
    ($($name:ident = $id:literal $items:tt $severity:ident $expected:literal $mend:literal;)*) => {
        $(
            #[doc = $expected]
            pub static $name: Check = Check {
                id: $id,
                items: &$items,
                severity: $severity,
                expected: $expected,
                mend: $mend,
            };
        )*
        /// Every check, in the order of the report.
        pub static ALL: &[&Check] = &[$(&$name),*];
    };
}

checks! {
    // Transport and discovery.
    ENCRYPTED = "encrypted" [1, 74] Must
        "https everywhere but on this machine"
        "serve TLS, or stand behind a proxy that does";
    DISCOVERY = "discovery" [5, 6] Must
        "`GET /cds-services` is answered 200 with an object that has the list `services`"
        "answer `{\"services\": [...]}`, also where the list is empty; no bare list, no 204, no redirect";
    DISCOVERY_MEDIA = "json-media-type" [1] Must
        "JSON is sent as `application/json`"
        "send `Content-Type: application/json`";
    STRICT_JSON = "strict-json" [3] Must
        "answers are JSON without comments, trailing commas, or a member that occurs twice"
        "serialise with a JSON library";
    NO_EMPTY = "no-empty-members" [2, 4] Must
        "nothing sent is `null`, `\"\"`, `[]` or `{}`, save for `cards: []` and `services: []`"
        "leave a member without a value out";
    SERVICE_REQUIRED = "service-required" [7] Must
        "each service has `hook`, `description` and `id`, texts that are not empty"
        "give each service the three";
    SERVICE_ID = "service-id" [7, 15] Must
        "the `id` of each service is the last part of the address at which it is called"
        "list the id by which the service is routed: letters, digits, `-`, `_`, `.`";
    SERVICE_TITLE = "service-title" [8] Should
        "each service has a `title`"
        "give it a name for people";
    SERVICE_PREFETCH = "service-prefetch" [9] Must
        "`prefetch` is an object of keys and templates, and written so"
        "send `\"prefetch\": {\"key\": \"template\"}`: no list, not `preFetch`";
    SERVICE_TEXTS = "service-texts" [10, 12] Must
        "`title`, `usageRequirements` and `hookVersion`, where they are there, are texts"
        "send texts";
    SERVICE_VERSION = "service-version" [11] Must
        "`version`, where it is there, is the version of CDS Hooks: `2.0.1`, `3.0.0`"
        "send the version of the specification, not of the rule";
    SERVICE_UNIQUE = "service-unique" [13] Must
        "an id occurs several times only with different hooks"
        "give each service its own id, or its own hook";
    HOOK_NAME = "hook-name" [87] Should
        "a hook is one of the library, or is named as `org.example.noun-verb`"
        "name hooks of your own with your domain, reversed";
    SERVICE_MEMBERS = "service-members" [14, 86] Must
        "nothing but the members of the specification; what is more stands in the object `extension`"
        "move it into `extension`";
    TEMPLATE_FORM = "template-form" [28, 38] Must
        "a template is a relative read (`Type/{{…}}`) or search (`Type?…`)"
        "no absolute URL, no leading slash, no `..`, no operation";
    TEMPLATE_TOKENS = "template-tokens" [34, 35] Must
        "tokens are closed by `}}` and name members of the hook's context that may be tokens, or the user"
        "use `{{context.patientId}}`, `{{context.userId}}`, `{{context.encounterId}}`, `{{userPractitionerId}}`, …";
    TEMPLATE_30 = "template-2.0-tokens" [36, 37] Should
        "tokens are those of CDS Hooks 2.0, which every client knows"
        "have a way without the paths, dates and variables of 3.0";
    TEMPLATE_ORDER = "template-order" [16] Must
        "a template that needs another (`%key`) stands after it, and none needs itself"
        "order them; keep the order when serialising";
    TEMPLATE_PARAMETERS = "template-parameters" [28] Should
        "searches use references, tokens by equality or `:in`, dates, `_count`, `_sort`"
        "other parameters are not known to every FHIR server: do without, or fetch yourself";
    TEMPLATE_PATIENT = "template-patient" [38, 42] Should
        "searches are of the patient"
        "add `patient={{context.patientId}}`";
    TEMPLATE_LENGTH = "template-length" [28] Should
        "templates have at most 2,000 characters"
        "do not spell whole value sets in `code=`; ask for less, or for the type";
    HEAD_DISCOVERY = "head-discovery" [5] Should
        "`HEAD /cds-services` is answered like GET, without a body"
        "answer HEAD wherever GET is answered";

    // Calls.
    CALL_STATUS = "call-status" [18, 46] Must
        "a call that has all that was asked for is answered 200"
        "answer `200 {\"cards\": []}` where there is nothing to say: no 204, no 404";
    CARDS_LIST = "cards-list" [46] Must
        "the answer is an object with the list `cards`"
        "send `\"cards\": []` where there are none; never null, never left out";
    RESPONSE_MEMBERS = "response-members" [46, 86] Must
        "an answer has `cards`, `systemActions`, `extension` and nothing else"
        "move it into `extension`";
    SYSTEM_ACTIONS = "system-actions" [47] Must
        "`systemActions`, where it is there, is a list of actions that is not empty"
        "leave it out, or send actions as in suggestions";
    REPEATED = "repeated-call" [20, 27] Must
        "the same call again has the same cards"
        "do not drop a call because its hookInstance was seen before";
    PARALLEL = "parallel-calls" [27] Must
        "calls at the same time are answered like one after the other"
        "keep no state between calls";
    FRESH = "fresh-uuids" [50] Must
        "no two calls share the uuid of a card"
        "make new uuids for each answer: feedback is by them";
    LATENCY = "latency" [29] Should
        "99 of 100 calls are answered within 500 ms"
        "ask for less, evaluate less, or leave out what is late";
    LATENCY_MOST = "latency-most" [29] Must
        "every call is answered within 5 s"
        "set a deadline, and answer with what is there";

    // Cards.
    CARD_UUID = "card-uuid" [50] Must
        "each card has a `uuid`, without which no feedback can be sent"
        "give each card a new UUID";
    CARD_UUID_FORM = "card-uuid-form" [50] Must
        "uuids are UUIDs (8-4-4-4-12 hexadecimal digits), each once"
        "make UUIDs";
    CARD_SUMMARY = "card-summary" [51] Must
        "`summary` is a text of 1 to 139 characters"
        "shorten it after the patient's values are filled in; the rest goes to `detail`";
    SUMMARY_LINE = "summary-line" [51] Should
        "`summary` is one line of plain text"
        "no line breaks, no Markdown: they belong to `detail`";
    CARD_DETAIL = "card-detail" [52] Must
        "`detail`, where it is there, is a text"
        "send Markdown";
    DETAIL_HTML = "detail-html" [52] Should
        "`detail` has no raw HTML"
        "write Markdown: clients render it in the page of the EHR";
    ESCAPED = "patient-text-escaped" [52] Must
        "text of the patient's data never becomes HTML or a link of the card"
        "escape what comes from resources: <, >, &, [, ], (, ), backticks";
    CARD_INDICATOR = "card-indicator" [53] Must
        "`indicator` is `info`, `warning` or `critical`"
        "no `hard-stop`, no `success`: those are of drafts before 1.0";
    CARD_SOURCE = "card-source" [54] Must
        "`source` has a `label`; `url` and `icon` are absolute; `topic` is a Coding"
        "name the guideline or the service";
    SELECTION = "selection-behavior" [55] Must
        "`suggestions` go with `selectionBehavior`: `at-most-one` or `any`"
        "send both or neither";
    OVERRIDE_REASONS = "override-reasons" [56] Must
        "each override reason has `code`, `system` and `display`"
        "clients show the display";
    CARD_MEMBERS = "card-members" [57, 86] Must
        "cards, suggestions, actions, links and sources have the members of the specification only"
        "move what is more into `extension`, an object";
    SUGGESTION = "suggestion" [58] Must
        "`suggestions` is a list, not empty, of objects with a `label`"
        "give each a label";
    SUGGESTION_UUID = "suggestion-uuid" [58] Must
        "each suggestion has a uuid of its own, without which its acceptance cannot be told"
        "give each a new UUID";
    RECOMMENDED = "recommended" [59] Must
        "`isRecommended` is true or false, and with `at-most-one` at most one is recommended"
        "recommend one";
    ACTION = "action" [60, 61] Must
        "each action has a `type` (create, update, delete) and a `description`"
        "small letters, and words for the user";
    ACTION_RESOURCE = "action-resource" [1, 62] Must
        "create and update carry the whole FHIR resource as an object"
        "send the resource itself, with `resourceType`; never as a string, no patch";
    ACTION_TARGET = "action-target" [62, 63] Must
        "update keeps the `id` of what it replaces; delete names `resourceId` (`Type/id`)"
        "keep the id of the draft: the client finds it by that";
    ACTION_KEEPS = "action-keeps" [62] Should
        "an update of a draft keeps its members"
        "send the whole draft with the change, not only what changes";
    ACTION_SELECTION = "action-selection" [17, 60] Must
        "`actionSelectionBehavior`, where it is there, is `all`, `any` or `at-most-one`"
        "send it only to clients that know it (3.0)";
    LINK = "link" [64] Must
        "each link has `label`, `url` and `type`: `absolute` or `smart`; the URL is absolute"
        "give all three";
    LINK_CONTEXT = "link-app-context" [65, 66] Must
        "`appContext` is a text, of `smart` links only; `autolaunchable` is true or false"
        "JSON in it is written as a text";

    // Broken and other clients.
    BROKEN_DRAFTS = "broken-drafts" [25, 26] Must
        "drafts that are not valid FHIR are answered 200"
        "read what can be read: order-select fires before the details are there";
    UNKNOWN_MEMBERS = "unknown-members" [23, 88] Must
        "members that are not known are passed over, anywhere in the request"
        "ignore them; new versions of hooks bring new members";
    EXTENSION = "request-extension" [23, 86] Must
        "a request with `extension` is answered"
        "ignore it, or honour it; never 400";
    MISSING = "missing-members" [19] Must
        "a request without `hook`, `hookInstance`, `context` or what the context must have is refused with 4xx"
        "check the request before you use it, and say what is missing";
    WRONG_TYPES = "wrong-types" [19] Must
        "members of a wrong type are refused or passed over, never 5xx"
        "check types; say which member is wrong";
    WRONG_HOOK = "wrong-hook" [24] Must
        "a call for a hook that the service does not have is refused with 4xx"
        "compare `hook` with what discovery says for this id";
    NOT_JSON = "not-json" [19] Must
        "a body that is not a JSON object is refused with 4xx"
        "answer 400, and say where";
    DEEP = "deep-and-odd" [19] Must
        "deep nesting, huge numbers, lone surrogates and the like are no 5xx"
        "limit the depth; read numbers as text";
    UNKNOWN_SERVICE = "unknown-service" [18] Must
        "a service that is not there is 404"
        "answer 404, with feedback as well";
    METHODS = "methods" [18] Must
        "GET and others on a service are refused with 4xx, OPTIONS without Origin is no 5xx"
        "answer 405 with `Allow`";
    MEDIA_TYPES = "media-types" [18] Must
        "`application/json; charset=utf-8` is taken"
        "compare media types without their parameters";
    MEDIA_WRONG = "media-types-wrong" [18] Should
        "a body that says it is no JSON is refused with 4xx"
        "answer 415";
    BIG_BODY = "big-body" [18] Must
        "a large call is answered, or refused with 413"
        "state a limit; do not fall over";
    ERROR_BODY = "error-body" [49] Should
        "errors have an OperationOutcome as their body"
        "send `{\"resourceType\": \"OperationOutcome\", \"issue\": [...]}`";
    ERROR_PRIVATE = "error-private" [41] Must
        "no answer repeats a token, and no error repeats what the patient's data says"
        "name members and types in errors, never values";

    // Prefetch and data.
    PREFETCH_NULL = "prefetch-null" [32] Must
        "`null` under a key means that nothing is there: as an empty Bundle, and no 412"
        "do not treat null as missing";
    PREFETCH_OUTCOME = "prefetch-outcome" [32] Must
        "an OperationOutcome under a key, or in its Bundle, is answered 200 or 412"
        "look for it before you read resources";
    FAILED_IS_NOT_EMPTY = "failed-is-not-empty" [31, 32, 33] Must
        "what was not sent, failed, or has further pages is not read as \"there is nothing\""
        "answer unknown: 412, no card, or a card that says so";
    PREFETCH_ABSENT = "prefetch-absent" [30, 31, 48] Must
        "a call without prefetch is answered 200 or 412, never 5xx and never 400"
        "fetch what is missing; answer 412 where that cannot be";
    PREFETCH_EXTRA = "prefetch-extra" [30] Must
        "keys that the service did not ask for are passed over"
        "ignore them";
    PREFETCH_SHAPE = "prefetch-shape" [19, 30] Must
        "a prefetch, or a value in it, of a wrong type is no 5xx"
        "check the type: 4xx, or unknown";
    AUTHORIZATION = "fhir-authorization" [21, 22, 45] Must
        "`fhirServer` with `fhirAuthorization` is taken, with scopes of SMART 1 and 2"
        "accept `user/Observation.read` and `user/Observation.rs`";
    OTHER_PATIENT = "other-patient" [42] Must
        "a call for another patient than that of `fhirAuthorization.patient` is refused with 4xx"
        "compare the two";
    FETCHES = "fetches" [31, 40, 43] Should
        "what is missing in the prefetch is fetched from `fhirServer` with the token"
        "fetch it, or answer 412; allow this address, if it should be tried here";
    FETCH_QUERY = "fetch-query" [38] Must
        "what is fetched is of this patient: no token left in the address, no empty `patient=`"
        "resolve tokens, encode them, and send no query with an empty one";
    NOT_FETCHED_AGAIN = "not-fetched-again" [32] Must
        "what came as null, as an empty Bundle or as an OperationOutcome is not asked for again"
        "fetch only keys that are absent";
    SSRF = "fhir-server-guard" [44] Must
        "nothing is fetched from an address that the caller made up"
        "have a list of FHIR servers for each client";

    // Browsers.
    PREFLIGHT = "cors-preflight" [84] Must
        "a preflight (OPTIONS with Origin and Access-Control-Request-Method) is answered 2xx without a token"
        "answer preflights before authentication";
    CORS_ALLOWED = "cors-allowed" [84] Must
        "the origin may call: `Access-Control-Allow-Origin`, POST, and the headers authorization and content-type"
        "allow the origin of the client, and name both headers (`*` does not cover authorization)";
    CORS_ANSWERS = "cors-answers" [84] Must
        "answers, errors too, have `Access-Control-Allow-Origin`"
        "add it outside of everything else: a browser hides an error without it";
    CORS_CLOSED = "cors-closed" [84] Must
        "an origin that nobody knows is not let in with credentials"
        "do not echo every Origin; never with `Access-Control-Allow-Credentials`";

    // Feedback.
    FEEDBACK = "feedback" [68, 71, 72] Must
        "feedback on a card is taken with 200 or 204"
        "answer `POST /cds-services/{id}/feedback`";
    FEEDBACK_BATCH = "feedback-batch" [68] Must
        "several entries at once, and the same again, are taken"
        "store by card, keep the history";
    FEEDBACK_OVERRIDE = "feedback-override" [69] Must
        "an override with a reason (without display), with a comment, or with neither is taken"
        "`overrideReason` and its `display` may be missing";
    FEEDBACK_UNKNOWN = "feedback-unknown-card" [72] Must
        "feedback on a card that is not known is no 5xx"
        "take it and count it, or refuse it";
    FEEDBACK_SHAPE = "feedback-shape" [69] Must
        "feedback that is none is refused with 4xx"
        "check `feedback`, `card`, `outcome`, `outcomeTimestamp`";

    // Security.
    TOKEN_TAKEN = "token-taken" [75, 76, 77] Must
        "a call with a good token is answered, at discovery, call and feedback"
        "verify against the key set of the client";
    TOKEN_ARRAY = "token-audience-list" [78] Must
        "`aud` may be a list"
        "take a text or a list of texts";
    TOKEN_NEEDED = "token-needed" [75, 82] Must
        "without a token every address answers 401"
        "authenticate discovery, calls and feedback alike";
    TOKEN_BAD = "token-refused" [77, 78, 79, 80, 81, 83] Must
        "a token that is expired, for another audience, altered, of an unknown issuer or key, symmetric or unsigned is 401"
        "check iss, aud, exp, signature and algorithm; allow ES384 and RS384 only";
    TOKEN_REPLAY = "token-replay" [82, 83] Must
        "a token that was used once is 401"
        "keep `jti` until the token expires, for all workers";
    TOKEN_LONG = "token-lifetime" [83] Should
        "a token that lives for a day is refused"
        "limit exp - iat to some minutes";
    TOKEN_SILENT = "token-silent" [82] Must
        "a 401 says nothing of what was wrong with the token"
        "log it; tell the caller nothing";
    JKU_GUARD = "jku-guard" [81] Must
        "a `jku` that is not on the list is never fetched"
        "compare it with the list for this iss before anything else";
}
