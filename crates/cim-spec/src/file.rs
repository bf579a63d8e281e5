//! Files on the host that nats-server or a node tool opens; never in the Nix store.

use crate::problem::Refused;

/// What a file option points at; decides what stands in for it in a throwaway copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A server's or client's certificate chain, PEM.
    Certificate,
    /// The private key of a certificate, PEM.
    Key,
    /// Certificates of the authorities to trust, PEM.
    Ca,
    /// A `.creds` file: user JWT and seed.
    Credentials,
    /// A user's nkey seed.
    NkeySeed,
    /// A key that encrypts what is stored, one line of text.
    StoreKey,
}

/// A file on the host, by its absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Absolute path on the host.
    pub path: String,
    /// What it holds.
    pub kind: FileKind,
}

/// Checks the path of a file that exists only on the host.
///
/// # Errors
/// Relative paths, control characters, and paths in the Nix store, which everybody can read.
pub fn check(path: &str) -> Result<(), Refused> {
    let help = "write the absolute path of a file that is put on the host at run time, for example \"/run/secrets/leaf.nk\"";
    if in_store(path) {
        return Err(Refused::new(
            "is in the Nix store, which every user of the host can read",
            help,
        ));
    }
    if !path.starts_with('/') || path.chars().any(char::is_control) {
        return Err(Refused::new("is not an absolute path", help));
    }
    Ok(())
}

/// Whether the text holds a path into the Nix store: `/nix/store/`, 32 characters and a dash.
pub fn in_store(text: &str) -> bool {
    text.match_indices("/nix/store/").any(|(start, prefix)| {
        let rest = &text.as_bytes()[start + prefix.len()..];
        rest.len() > 32
            && rest[32] == b'-'
            && rest[..32]
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_paths_are_found_anywhere_in_a_text() {
        let hash = "0123456789abcdfghijklmnpqrsvwxyz";
        assert!(in_store(&format!("/nix/store/{hash}-leaf.nk")));
        assert!(in_store(&format!("file:///nix/store/{hash}-x/y")));
        assert!(!in_store("/run/secrets/nix/store"));
        assert!(check("leaf.nk").is_err());
        assert!(check("/run/secrets/leaf.nk").is_ok());
    }
}
