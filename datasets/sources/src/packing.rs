//! How a file is packed: by its name, and by its first bytes.

/// How the bytes are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// A window of zstd may take so much memory: 2^27 is what `zstd` itself unpacks unless told otherwise.
pub(crate) const ZSTD_WINDOW_LOG: u32 = 27;
/// As many bytes as tell what a file is: a byte order mark, and one more.
pub(crate) const HEAD: usize = 4;

/// A name in lower case without what it says of the packing, and that.
pub(crate) fn by_name(name: &str) -> (&str, Packing) {
    if let Some(name) = name.strip_suffix(".gz") {
        (name, Packing::Gzip)
    } else if let Some(name) = name.strip_suffix(".zst") {
        (name, Packing::Zstd)
    } else {
        (name, Packing::Plain)
    }
}

/// How a file that begins like this is packed.
pub(crate) fn by_start(head: &[u8], named: Packing) -> Packing {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    match head {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Packing::Zstd,
        // Unpacked on its way, and still called as before.
        _ if text.starts_with(b"{") || text.starts_with(b"[") => Packing::Plain,
        _ => named,
    }
}
