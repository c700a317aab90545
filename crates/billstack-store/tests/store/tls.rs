//! Encrypted connections to a PostgreSQL whose certificate no public authority has signed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use billstack_store::migrate::migrate;
use billstack_store::store::Target;
use postgres::{Client, NoTls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use scratch_postgres::Cluster;

use crate::support::{START, directory, refusal};

/// What an authority has made: its own certificate, and that of a server at 127.0.0.1 with its key.
struct Certificates {
    authority: String,
    server: String,
    key: String,
}

fn certificates() -> Certificates {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    Certificates {
        authority: authority.pem(),
        server: server.pem(),
        key: key.serialize_pem(),
    }
}

/// A cluster that takes encrypted connections; a server wants a key that nobody else can read.
fn cluster(made: &Certificates) -> Cluster {
    let cluster = Cluster::start(scratch_postgres::Options::default()).unwrap();
    let owner = fs::metadata(cluster.directory().join("data")).unwrap();
    let mut client = Client::connect(&cluster.admin_url(), NoTls).unwrap();
    for (setting, name, text) in [
        ("ssl_cert_file", "server.pem", &made.server),
        ("ssl_key_file", "server.key", &made.key),
    ] {
        let file = cluster.directory().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        let sql = format!("ALTER SYSTEM SET {setting} = '{}'", file.display());
        client.batch_execute(&sql).unwrap();
    }
    client.batch_execute("ALTER SYSTEM SET ssl = on").unwrap();
    drop(client);
    cluster.restart().unwrap();
    cluster
}

#[test]
fn a_server_is_believed_by_the_authority_that_the_address_names() {
    let made = certificates();
    let cluster = cluster(&made);
    let directory = directory();
    let authority = directory.path().join("ca.pem");
    fs::write(&authority, &made.authority).unwrap();
    let url = cluster.create_database("encrypted", None).unwrap();
    let url = format!("{url}?sslmode=require");
    let named = format!("{url}&sslrootcert={}", authority.display());
    assert!(migrate(&Target::from_url(&named).unwrap(), START).is_ok());
    // Nobody else believes it.
    let unknown = refusal(migrate(&Target::from_url(&url).unwrap(), START));
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    // The name counts as much as the signature.
    let other_name = named.replace("127.0.0.1", "other.example.com");
    let other_name = format!("{other_name}&hostaddr=127.0.0.1");
    let other_name = refusal(migrate(&Target::from_url(&other_name).unwrap(), START));
    assert!(other_name.contains("not valid for name"), "{other_name}");
}

#[test]
fn an_authority_that_cannot_be_read_is_told_at_once() {
    let directory = directory();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "nothing").unwrap();
    let good = directory.path().join("ca.pem");
    fs::write(&good, certificates().authority).unwrap();
    let url = |file: &Path| {
        format!(
            "postgres://u@h/d?sslmode=require&sslrootcert={}",
            file.display()
        )
    };
    let missing = url(&directory.path().join("missing.pem"));
    for (url, complaint) in [
        (missing, "No such file"),
        (url(&empty), "there is no certificate in it"),
        (
            url(&good).replace("sslmode=require&", ""),
            "needs sslmode=require",
        ),
    ] {
        let why = refusal(Target::from_url(&url));
        assert!(
            why.contains("sslrootcert") && why.contains(complaint),
            "{why}"
        );
    }
}
