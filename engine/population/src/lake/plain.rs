//! What a storage error means, for people: no names of libraries, stores or types.

use std::error::Error;
use std::io::ErrorKind;

/// What went wrong, in a few words: where the machine itself gave a reason, that one
/// ("No space left on device"), else the innermost reason there is.
pub fn plain(error: &(dyn Error + 'static)) -> String {
    if let Some(io) = machine(error) {
        return of_machine(&io);
    }
    let mut innermost = error;
    while let Some(source) = inner(innermost) {
        innermost = source;
    }
    if let Some(store) = innermost.downcast_ref::<object_store::Error>() {
        match store {
            object_store::Error::NotFound { .. } => return "it is not there".into(),
            object_store::Error::AlreadyExists { .. } => return "it is there already".into(),
            object_store::Error::PermissionDenied { .. } => return "permission denied".into(),
            _ => {}
        }
    }
    let text = innermost.to_string();
    // "Parquet error: External: …": what stands behind is what is meant.
    const NAMES: [&str; 10] = [
        "Parquet error: ",
        "Parquet argument error: ",
        "Arrow: ",
        "Arrow error: ",
        "External: ",
        "External error: ",
        "EOF: ",
        "Io error: ",
        "Generic LocalFileSystem error: ",
        "Generic InMemory error: ",
    ];
    let mut rest = text.as_str();
    while let Some(behind) = NAMES.iter().find_map(|n| rest.strip_prefix(n)) {
        rest = behind;
    }
    rest.to_owned()
}

/// What to do about it.
pub fn remedy(error: &(dyn Error + 'static)) -> &'static str {
    match machine(error).map(|m| m.kind) {
        Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            "free some space and run it again"
        }
        Some(ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            "check who may read and write there"
        }
        _ => "check the disk, the network and permissions",
    }
}

/// A reason of the machine.
struct Machine {
    kind: ErrorKind,
    text: String,
}

fn of_machine(error: &Machine) -> String {
    match error.kind {
        ErrorKind::NotFound => "it is not there".into(),
        _ => error.text.clone(),
    }
}

/// An error that stands in another. One of the machine that carries another says so by `get_ref`.
fn inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|e| e as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn machine(error: &(dyn Error + 'static)) -> Option<Machine> {
    let mut at = Some(error);
    while let Some(error) = at {
        let io = error.downcast_ref::<std::io::Error>();
        if let Some(io) = io.filter(|io| io.raw_os_error().is_some()) {
            let text = io.to_string();
            let end = text.find(" (os error").unwrap_or(text.len());
            return Some(Machine {
                kind: io.kind(),
                text: text.get(..end).unwrap_or_default().to_owned(),
            });
        }
        at = inner(error);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::Error as Store;
    use parquet::errors::ParquetError;

    fn full() -> std::io::Error {
        std::io::Error::from_raw_os_error(28)
    }

    #[test]
    fn the_machines_reason_comes_out_however_deep() {
        let generic = |source: std::io::Error| Store::Generic {
            store: "LocalFileSystem",
            source: source.into(),
        };
        let wrapped = ParquetError::External(Box::new(generic(full())));
        assert_eq!(plain(&wrapped), "No space left on device");
        assert!(remedy(&wrapped).starts_with("free some space"));
        let custom = generic(std::io::Error::other(full()));
        assert_eq!(plain(&custom), "No space left on device");
        let denied = generic(std::io::Error::from_raw_os_error(13));
        assert_eq!(plain(&denied), "Permission denied");
        assert!(remedy(&denied).contains("who may"));
        let gone = Store::NotFound {
            path: "/lake/facts/a.parquet".into(),
            source: std::io::Error::from_raw_os_error(2).into(),
        };
        assert_eq!(plain(&gone), "it is not there");
    }

    #[test]
    fn no_names_of_libraries() {
        let cut = ParquetError::EOF("eof decoding".into());
        assert_eq!(plain(&cut), "eof decoding");
        let general = ParquetError::External(Box::new(ParquetError::General("bad page".into())));
        assert_eq!(plain(&general), "bad page");
        let text = Store::Generic {
            store: "LocalFileSystem",
            source: "Generic LocalFileSystem error: cut short".into(),
        };
        assert_eq!(plain(&text), "cut short");
    }
}
