//! One cluster: made, started, stopped, started again and removed.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use crate::watcher::Watcher;
use crate::{Error, port, programs};

/// How long a server may take to answer, on a machine that is busy with other tests.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How many ports are tried before a clash is an error.
const PORTS_TRIED: u32 = 10;

/// The first version that has `CREATE DATABASE … STRATEGY`.
const STRATEGY_SINCE: u32 = 15;

/// How a cluster is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether a commit waits for the disk (`fsync`). Off, the server is faster and still keeps
    /// every commit through [`Cluster::stop_immediate`]: only a crash of the machine can lose one.
    pub durable: bool,
    /// How many connections it accepts; the usual number is enough for a suite whose tests share a cluster.
    pub max_connections: u16,
    /// More settings, as names and values; they win over those made here.
    pub settings: Vec<(String, String)>,
    /// The directory in which its own is made; the usual one where there is none.
    pub within: Option<PathBuf>,
    /// Variables of its processes.
    pub environment: Vec<(String, OsString)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durable: false,
            max_connections: 400,
            settings: Vec::new(),
            within: None,
            environment: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn server_arguments(&self) -> Vec<String> {
        let switch = if self.durable { "on" } else { "off" };
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "timezone=UTC".to_owned(),
            format!("max_connections={}", self.max_connections),
            format!("fsync={switch}"),
            format!("full_page_writes={switch}"),
        ];
        settings.extend(
            self.settings
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        settings
            .into_iter()
            .flat_map(|setting| ["-c".to_owned(), setting])
            .collect()
    }
}

/// A throw-away PostgreSQL cluster.
///
/// Dropping it kills the server, whoever is connected, and removes its directory. The superuser
/// is `postgres` and has no password; only this machine can connect.
#[derive(Debug)]
pub struct Cluster {
    watcher: Mutex<Watcher>,
    directory: PathBuf,
    bin: PathBuf,
    port: u16,
    major: u32,
}

/// How one attempt to start a server ended, when it was not an error.
enum Started {
    Ready { major: u32 },
    PortTaken,
}

impl Cluster {
    /// Makes a cluster and waits until it answers.
    ///
    /// # Errors
    ///
    /// When no PostgreSQL is installed, none may be run by this user, or it does not start.
    pub fn start(options: Options) -> Result<Self, Error> {
        let bin = programs::find()?;
        let within = options.within.clone().unwrap_or_else(env::temp_dir);
        let directory = tempfile::Builder::new()
            .prefix("scratch-postgres-")
            .tempdir_in(within)
            .map_err(|error| Error::new(format!("cannot make a directory: {error}")))?;
        let user = server_user(directory.path())?;
        let mut watcher = Watcher::spawn(directory.path(), &bin, user, &options)?;
        // From here on the directory is the watcher's to remove.
        let directory = directory.keep();
        if !watcher.ask("init")? {
            return Err(Error::new(format!(
                "initdb failed: {}",
                log_of(&directory, 0)
            )));
        }
        for _ in 0..PORTS_TRIED {
            let port = port::free()?;
            if let Started::Ready { major } = launch(&mut watcher, &directory, port)? {
                return Ok(Self {
                    watcher: Mutex::new(watcher),
                    directory,
                    bin,
                    port,
                    major,
                });
            }
        }
        Err(Error::new(format!(
            "{PORTS_TRIED} ports in a row were taken by others"
        )))
    }

    /// The one cluster of this process, started by the first caller with default options.
    ///
    /// # Panics
    ///
    /// When it cannot be started; a test has no use for the error but to show it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start(Options::default()) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error}"),
        })
    }

    /// The URL of the `postgres` database, for its superuser.
    pub fn admin_url(&self) -> String {
        self.url("postgres")
    }

    /// The URL of one database, whether or not it exists yet.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The loopback port; it stays the same through a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's major version, such as 15.
    pub fn major_version(&self) -> u32 {
        self.major
    }

    /// Where `psql`, `pg_dump` and the like of the same version are, when they are installed.
    pub fn bin_dir(&self) -> &Path {
        &self.bin
    }

    /// The directory that holds the data and the log, until the cluster is dropped.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything the server has logged so far.
    pub fn log(&self) -> String {
        log_of(&self.directory, 0)
    }

    /// Creates a database, as a copy of `template` when one is given, and returns its URL.
    ///
    /// Nobody may be connected to the template meanwhile. Names are lower-case letters, digits
    /// and underscores, so that they need no quoting anywhere.
    ///
    /// # Errors
    ///
    /// When a name is not of that form, or the server refuses.
    pub fn create_database(&self, name: &str, template: Option<&str>) -> Result<String, Error> {
        check_name(name)?;
        let mut statement = format!("CREATE DATABASE {name}");
        if let Some(template) = template {
            check_name(template)?;
            let _infallible = write!(statement, " TEMPLATE {template}");
        }
        if self.major >= STRATEGY_SINCE {
            statement.push_str(" STRATEGY file_copy");
        }
        self.execute(&statement)?;
        Ok(self.url(name))
    }

    /// Gives a setting of new sessions in a database another value than the server's.
    ///
    /// # Errors
    ///
    /// When there is no such database or setting, or a name is not as [`Cluster::create_database`] wants it.
    pub fn set_default(&self, database: &str, setting: &str, value: &str) -> Result<(), Error> {
        check_name(database)?;
        check_name(setting)?;
        let value = value.replace('\'', "''");
        self.execute(&format!(
            "ALTER DATABASE {database} SET {setting} = '{value}'"
        ))
    }

    /// Drops a database, and with it the connections to it.
    ///
    /// # Errors
    ///
    /// When there is no such database.
    pub fn drop_database(&self, name: &str) -> Result<(), Error> {
        check_name(name)?;
        self.execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
    }

    /// Ends every session of a database, whatever it is doing.
    ///
    /// # Errors
    ///
    /// When the name is not as [`Cluster::create_database`] wants it, or the server does not answer.
    pub fn end_sessions(&self, database: &str) -> Result<(), Error> {
        check_name(database)?;
        self.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        ))
    }

    /// Stops the server in order: connections are closed, open transactions rolled back.
    ///
    /// # Errors
    ///
    /// When the watcher was killed.
    pub fn stop(&self) -> Result<(), Error> {
        self.watcher().ask("fast").map(drop)
    }

    /// Stops the server as a crash would: it has to recover from its log at the next start.
    ///
    /// # Errors
    ///
    /// When the watcher was killed.
    pub fn stop_immediate(&self) -> Result<(), Error> {
        self.watcher().ask("immediate").map(drop)
    }

    /// Starts the server again on the same port, stopping it in order first if it still runs.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn restart(&self) -> Result<(), Error> {
        let mut watcher = self.watcher();
        let deadline = Instant::now() + START_LIMIT;
        while let Started::PortTaken = launch(&mut watcher, &self.directory, self.port)? {
            if Instant::now() > deadline {
                return Err(Error::new(format!(
                    "port {} was taken meanwhile",
                    self.port
                )));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn execute(&self, statement: &str) -> Result<(), Error> {
        with_client(self.port, |client| Ok(client.batch_execute(statement)?))
    }

    /// A test that panicked while it held the lock leaves the pipes in order, so poison is no news.
    fn watcher(&self) -> MutexGuard<'_, Watcher> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides who runs the server. The owner of the directory we just made is who we are.
fn server_user(directory: &Path) -> Result<Option<(u32, u32)>, Error> {
    let failed = |error: std::io::Error| {
        Error::new(format!("cannot prepare {}: {error}", directory.display()))
    };
    if fs::metadata(directory).map_err(failed)?.uid() != 0 {
        return Ok(None);
    }
    let (uid, gid) = programs::system_user()?;
    chown(directory, Some(uid), Some(gid)).map_err(failed)?;
    Ok(Some((uid, gid)))
}

/// Starts the server on `port` and waits until it answers, ends, or takes too long.
fn launch(watcher: &mut Watcher, directory: &Path, port: u16) -> Result<Started, Error> {
    // What an earlier server logged must not be taken for this one's words.
    watcher.ask("fast")?;
    let logged = fs::metadata(directory.join("log")).map_or(0, |file| file.len());
    watcher.ask(&format!("start {port}"))?;
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        if !watcher.ask("alive")? {
            let log = log_of(directory, logged);
            if log.contains("could not create any TCP/IP sockets") {
                return Ok(Started::PortTaken);
            }
            return Err(Error::new(format!("the server did not start: {log}")));
        }
        if is_ready(directory) {
            return Ok(Started::Ready {
                major: with_client(port, major_version)?,
            });
        }
        thread::sleep(Duration::from_millis(10));
    }
    watcher.ask("immediate")?;
    let log = log_of(directory, logged);
    Err(Error::new(format!(
        "the server took more than {START_LIMIT:?} to start: {log}"
    )))
}

/// The server writes its state to the eighth line of its lock file. Asking it by connecting would
/// do too, but whoever answers on the port may be somebody else's server.
fn is_ready(directory: &Path) -> bool {
    fs::read_to_string(directory.join("data/postmaster.pid")).is_ok_and(|file| {
        file.lines()
            .nth(7)
            .is_some_and(|state| state.trim() == "ready")
    })
}

fn major_version(client: &mut Client) -> Result<u32, Error> {
    let row = client.query_one("SELECT current_setting('server_version_num')", &[])?;
    let number: String = row.try_get(0)?;
    let number: u32 = number
        .parse()
        .map_err(|_| Error::new(format!("`{number}` is no version of PostgreSQL")))?;
    Ok(number / 10_000)
}

/// Runs `work` with a fresh connection, on a thread of its own: the client panics when it is used
/// on a thread that runs async code, and a caller may well be an async test.
fn with_client<T: Send>(
    port: u16,
    work: impl FnOnce(&mut Client) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let connected = move || {
        let mut client = Config::new()
            .host("127.0.0.1")
            .port(port)
            .user("postgres")
            .dbname("postgres")
            .connect_timeout(START_LIMIT)
            .connect(NoTls)?;
        work(&mut client)
    };
    thread::scope(|scope| match scope.spawn(connected).join() {
        Ok(result) => result,
        Err(_) => Err(Error::new("the connection's thread panicked")),
    })
}

fn check_name(name: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    if starts_well && name.len() <= 63 && name.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::new(format!(
        "`{name}` is no database name here: up to 63 of a-z, 0-9 and _, not starting with a digit"
    )))
}

fn log_of(directory: &Path, from: u64) -> String {
    let bytes = fs::read(directory.join("log")).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(bytes.len());
    String::from_utf8_lossy(&bytes[from..]).into_owned()
}
