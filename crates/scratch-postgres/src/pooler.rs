//! A throw-away PgBouncer in front of a cluster.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Cluster, Error, port, programs};

/// How long it may take to answer, on a machine that is busy with other tests.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Ends it with the process that started it, however that ends: its standard input closes then. The first argument is
/// the directory, to be removed at the end.
const SCRIPT: &str =
    "directory=$1; shift; \"$@\" </dev/null & cat >/dev/null; kill \"$!\"; rm -r \"$directory\"";

/// A PgBouncer that logs in to a cluster as its superuser. Dropping it ends it.
#[derive(Debug)]
pub struct Pooler {
    child: Child,
    port: u16,
}

impl Pooler {
    /// Starts one with these settings of its own, such as `pool_mode`.
    ///
    /// # Errors
    ///
    /// When PgBouncer is not installed, or does not start.
    pub fn start(cluster: &Cluster, settings: &[(&str, &str)]) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::new(format!("cannot start pgbouncer: {error}"));
        let port = port::free()?;
        let directory = tempfile::Builder::new().prefix("scratch-pooler-").tempdir();
        let directory = directory.map_err(failed)?;
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, configuration(cluster.port(), port, settings)).map_err(failed)?;
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "sh"])
            .arg(directory.path())
            .args(["pgbouncer", "-q"]);
        // It refuses to run as root, as the server does.
        if fs::metadata("/proc/self").is_ok_and(|process| is_root(&process)) {
            let (uid, gid) = programs::system_user()?;
            let open = fs::Permissions::from_mode(0o755);
            fs::set_permissions(directory.path(), open).map_err(failed)?;
            chown(&file, Some(uid), Some(gid)).map_err(failed)?;
            command.args(["-u", programs::SYSTEM_USER]);
        }
        command
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(failed)?;
        // From here on the directory is the script's to remove.
        let _ = directory.keep();
        let pooler = Pooler { child, port };
        pooler.wait()?;
        Ok(pooler)
    }

    /// The one pooler of this process, before [`Cluster::shared`]: a session of the server for each transaction.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Pooler> = OnceLock::new();
        SHARED.get_or_init(|| {
            let settings = [("pool_mode", "transaction"), ("default_pool_size", "4")];
            match Pooler::start(Cluster::shared(), &settings) {
                Ok(pooler) => pooler,
                Err(error) => panic!("{error}"),
            }
        })
    }

    /// The URL of one database of the cluster, by way of the pooler.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn wait(&self) -> Result<(), Error> {
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                let why = "pgbouncer does not answer; install it with `apt-get install pgbouncer`";
                return Err(Error::new(why.to_owned()));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn is_root(process: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(process) == 0
}

fn configuration(server: u16, port: u16, settings: &[(&str, &str)]) -> String {
    let own: String = settings
        .iter()
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    format!(
        "[databases]\n* = host=127.0.0.1 port={server} user=postgres\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\nmax_client_conn = 500\n{own}"
    )
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has been told to end; the shell that is waited for ends right after.
        let _ = self.child.wait();
    }
}
