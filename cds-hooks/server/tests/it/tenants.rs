//! Clients with rules of their own.

use serde_json::json;

use crate::client::{BASE, call, ehr, get, http, post, token_with};
use crate::rules_of_test::{rule, write};
use crate::server::{Server, start};

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_its_rules() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.0.0", "For all"),
    );
    write(
        &folder.path().join("north"),
        "visit.yaml",
        &rule("visit", "1.0.0", "For the north"),
    );
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{BASE}\"\n[rules]\npaths = [\"rules\"]\n\
         [[tenant]]\nname = \"north\"\n[tenant.rules]\nbuilt_in = false\npaths = [\"north\"]\n[[tenant]]\nname = \"south\"\n{}",
        ehr("tenants = [\"north\", \"south\"]")
    );
    let (starting, _) = start(folder.path(), &settings, false);
    let notes = starting.check().unwrap().notes.join("\n");
    let said = "tenant north has services of its own: own-patient-view (patient-view)";
    assert!(notes.contains(said), "{notes}");
    let server = Server::start(folder.path(), &settings, false).await;
    let http = http();
    let path = "/cds-services/own-patient-view";
    for (tenant, summary) in [("north", "For the north"), ("south", "For all")] {
        let token = token_with(path, &json!({ "tenant": tenant }));
        let answer = post(&http, &server.url(path), Some(&token), call()).await;
        assert_eq!(answer.summaries(), [summary], "{tenant}");
    }
    let other = token_with(path, &json!({ "tenant": "west" }));
    assert_eq!(
        post(&http, &server.url(path), Some(&other), call())
            .await
            .status,
        401
    );
    let live = get(&http, &server.url("/admin/live"), None).await.json();
    let sets = live["live"].as_array().unwrap();
    assert_eq!(sets.len(), 2);
    assert_ne!(sets[0]["configuration"], sets[1]["configuration"]);
    // What is wrong with the rules of one is nothing to the others.
    write(&folder.path().join("north"), "visit.yaml", "id: visit\n");
    write(
        &folder.path().join("rules"),
        "visit.yaml",
        &rule("visit", "1.1.0", "For all, newer"),
    );
    let reloaded = post(&http, &server.url("/admin/reload"), None, String::new()).await;
    assert_eq!(reloaded.status, 422, "{}", reloaded.text);
    assert_eq!(reloaded.json()["notReloaded"][0]["tenant"], "north");
    for (tenant, summary) in [("north", "For the north"), ("south", "For all, newer")] {
        let token = token_with(path, &json!({ "tenant": tenant }));
        let answer = post(&http, &server.url(path), Some(&token), call()).await;
        assert_eq!(answer.summaries(), [summary], "{tenant}");
    }
    server.end().await;
}
