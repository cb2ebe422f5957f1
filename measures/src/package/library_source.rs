//! A library of logic, whatever file it came in.

use super::definition::LibraryId;

/// A library in ELM, as it came in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibrarySource {
    /// `identifier.id` of the ELM.
    pub name: String,
    /// `identifier.version` of the ELM.
    pub version: Option<String>,
    /// `identifier.system` of the ELM: the namespace that includes may write before the name.
    pub namespace: Option<String>,
    /// `Library.url`; `None` for an ELM file.
    pub url: Option<String>,
    /// `Library.version`, which may differ from that of the ELM.
    pub resource_version: Option<String>,
    /// `Library.id`.
    pub id: Option<String>,
    /// File as the user named it.
    pub source: String,
    /// The ELM: syntactically correct JSON.
    pub elm: Vec<u8>,
    /// FHIRPath of the content in that file; empty for an ELM file.
    pub fhir_path: String,
}

impl LibrarySource {
    /// Name and version.
    #[must_use]
    pub fn library_id(&self) -> LibraryId {
        LibraryId {
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }
}
