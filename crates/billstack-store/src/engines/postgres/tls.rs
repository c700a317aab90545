//! Which certificates of a PostgreSQL server are trusted.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::RootCertStore;
use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::seam::Fault;

/// The parameter of a URL that names a file of root certificates.
const PARAMETER: &str = "sslrootcert=";

/// Which authorities are trusted.
#[derive(Debug, PartialEq)]
pub(super) enum Roots {
    /// Those of the system.
    System,
    /// Only those in a file.
    File(PathBuf),
}

/// Takes `sslrootcert` out of a URL, because the driver does not know it. As with `libpq`, `system` means the
/// system's roots. Nor does the driver know `libpq`'s names for TLS with a checked certificate, which is the only one
/// there is here.
pub(super) fn take_roots(url: &str) -> (String, Option<Roots>) {
    // A password before the `@` may contain anything.
    let host = url.find('@').unwrap_or(0);
    let Some(mark) = url[host..].find('?').map(|mark| host + mark) else {
        return (url.to_owned(), None);
    };
    let (address, parameters) = (&url[..mark], &url[mark + 1..]);
    let (ours, theirs): (Vec<_>, Vec<_>) = parameters
        .split('&')
        .map(|parameter| match parameter {
            "sslmode=verify-full" | "sslmode=verify-ca" => "sslmode=require",
            other => other,
        })
        .partition(|parameter| parameter.starts_with(PARAMETER));
    let named = ours.last().map(|parameter| &parameter[PARAMETER.len()..]);
    let roots = named.map(|name| match name {
        "system" => Roots::System,
        name => Roots::File(PathBuf::from(
            &*percent_decode_str(name).decode_utf8_lossy(),
        )),
    });
    (format!("{address}?{}", theirs.join("&")), roots)
}

/// Opens encrypted connections and verifies the server's certificate and name.
pub(super) fn connector(roots: &Roots) -> Result<MakeRustlsConnect, Fault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Defect(error.to_string()))?
        .with_root_certificates(load(roots)?)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn load(roots: &Roots) -> Result<RootCertStore, Fault> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = load_native_certs();
            for error in found.errors {
                tracing::warn!(%error, "some of the system's root certificates cannot be read");
            }
            store.add_parsable_certificates(found.certs);
        }
        Roots::File(path) => {
            let found = load_certs_from_paths(Some(path), None);
            let unusable = |why: &str| {
                let path = path.display();
                Fault::Unavailable(format!("sslrootcert={path} of the database URL: {why}"))
            };
            if let Some(error) = found.errors.first() {
                return Err(unusable(&error.to_string()));
            }
            if store.add_parsable_certificates(found.certs) == (0, 0) {
                return Err(unusable("there is no certificate in it"));
            }
            if store.is_empty() {
                return Err(unusable("no certificate in it can be used"));
            }
        }
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_are_taken_out_of_a_url() {
        let file = |name: &str| Some(Roots::File(PathBuf::from(name)));
        for (url, left, roots) in [
            ("postgres://h/d", "postgres://h/d", None),
            ("postgres://h/d?a=b", "postgres://h/d?a=b", None),
            ("postgres://h/d?sslrootcert=x", "postgres://h/d?", file("x")),
            (
                "postgres://u:p?sslrootcert=no@h/d?a=b&sslrootcert=%2Fetc%2Fmy%20roots&c=d",
                "postgres://u:p?sslrootcert=no@h/d?a=b&c=d",
                file("/etc/my roots"),
            ),
            (
                "postgres://u:sslmode=verify-ca@h/d?sslmode=verify-full&a=b",
                "postgres://u:sslmode=verify-ca@h/d?sslmode=require&a=b",
                None,
            ),
            (
                "postgres://h/d?sslmode=verify-ca",
                "postgres://h/d?sslmode=require",
                None,
            ),
            (
                "postgres://h/d?sslrootcert=x&sslrootcert=system",
                "postgres://h/d?",
                Some(Roots::System),
            ),
        ] {
            assert_eq!(take_roots(url), (left.to_owned(), roots), "{url}");
        }
    }
}
