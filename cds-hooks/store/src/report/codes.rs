//! HL7's reasons for not following a recommendation (non-adherence reason codes of CDS Hooks 3.0): clients
//! send the code, and mostly no display.

/// Their code system.
pub(super) const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes";

/// A code of it.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub display: &'static str,
    /// The category it belongs to; none of a category itself.
    pub category: Option<&'static str>,
}

/// The code of this system, if it is one.
pub(super) fn find(system: &str, code: &str) -> Option<Known> {
    let mut category = None;
    for (own, display, is_category) in CODES {
        if *is_category {
            category = None;
        }
        if *own == code && system == SYSTEM {
            return Some(Known { display, category });
        }
        if *is_category {
            category = Some(*display);
        }
    }
    None
}

/// Code, display, and whether it is a category of those that follow.
const CODES: &[(&str, &str, bool)] = &[
    (
        "cds-not-applicable",
        "PC CDS does not apply to patient",
        true,
    ),
    (
        "patient-ineligible",
        "Patient does not meet eligibility for recommended action",
        false,
    ),
    (
        "indication-order-exists",
        "Patient has indication/order for intended action",
        false,
    ),
    (
        "action-completed",
        "Recommended action was already completed",
        false,
    ),
    (
        "action-unsuccessful",
        "Recommended action was previously unsuccessful",
        false,
    ),
    (
        "action-performed-no-adverse-effect",
        "Intended action was performed previously without adverse effect",
        false,
    ),
    (
        "action-not-priority",
        "Recommended action is not relevant or a priority in current state of health",
        false,
    ),
    (
        "cds-suboptimal-context",
        "PC CDS delivered in suboptimal context",
        true,
    ),
    (
        "limited-time",
        "Could not address recommended action due to limited time",
        false,
    ),
    (
        "wrong-time-workflow",
        "PC CDS delivered at wrong time in workflow or patient lifecycle",
        false,
    ),
    (
        "inappropriate-recipient",
        "PC CDS delivered to inappropriate recipient/role",
        false,
    ),
    (
        "need-more-info",
        "Could not address recommended action due to need for more information/pending results/pending consult",
        false,
    ),
    (
        "recipient-disagrees-evidence",
        "Recipient disagrees with recommendation because of issues with the evidence",
        true,
    ),
    (
        "does-not-align-latest-evidence",
        "Recommended action does not align with the latest evidence",
        false,
    ),
    (
        "expert-contradicts",
        "Advice from expert contradicts the recommended action",
        false,
    ),
    (
        "policy-contradicts",
        "Institutional policy/guideline contradicts the recommended action",
        false,
    ),
    (
        "recipient-does-not-trust",
        "Recipient does not agree with or trust the recommended action",
        false,
    ),
    (
        "recipient-concerns-outcomes",
        "Recipient has concerns regarding potential health outcomes",
        true,
    ),
    (
        "risk-benefit-ratio",
        "Recipient assessment of risk/benefit ratio",
        false,
    ),
    (
        "mitigate-risk-negative-outcome",
        "Action taken to mitigate risk of negative outcome",
        false,
    ),
    (
        "likely-negative-health-outcomes",
        "Recommended action likely to have negative health outcomes",
        false,
    ),
    (
        "patient-contraindication",
        "Patient has contraindication to recommended action",
        false,
    ),
    (
        "does-not-align-preferences",
        "Recommendation does not align with patient preferences or values",
        true,
    ),
    (
        "patient-fears-discomfort",
        "Patient fears discomfort from complying with recommended action",
        false,
    ),
    (
        "patient-does-not-want-change",
        "Patient does not want to change behavior or believes the change is unnecessary",
        false,
    ),
    (
        "cultural-religious-reason",
        "Patient has a cultural or religious reason for not following recommended action",
        false,
    ),
    (
        "prefers-alternative",
        "Patient prefers an alternative approach or treatment",
        false,
    ),
    (
        "patient-refuses",
        "Patient refuses/declines (no context given)",
        false,
    ),
    (
        "not-convenient-feasible",
        "Recommendation is not convenient or feasible",
        true,
    ),
    (
        "inadequate-support",
        "Patient has inadequate caregiver/social support",
        false,
    ),
    (
        "service-not-available",
        "Treatment or service is not practically available",
        false,
    ),
    (
        "implementation-challenges",
        "Recommended action cannot be implemented due to technology/challenges",
        false,
    ),
    (
        "too-costly-uncovered",
        "Recommended action is too costly or not covered by insurance",
        false,
    ),
    (
        "recipient-does-not-understand",
        "Recipient does not understand the recommended action or know how to perform the recommended action",
        false,
    ),
    (
        "comorbidity-disability",
        "Patient has co-morbidity or disability that hinders them from completing recommended action",
        false,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_category() {
        let found = find(SYSTEM, "patient-refuses").unwrap();
        assert_eq!(found.display, "Patient refuses/declines (no context given)");
        let category = "Recommendation does not align with patient preferences or values";
        assert_eq!(found.category, Some(category));
        assert!(
            find(SYSTEM, "cds-not-applicable")
                .unwrap()
                .category
                .is_none()
        );
        assert!(find("http://example.org", "patient-refuses").is_none());
        assert_eq!(CODES.len(), 35);
    }
}
