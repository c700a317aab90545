//! Where PostgreSQL is, and how to get a connection to it.

use std::error::Error as _;
use std::net::{TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::fault;
use super::tls::{Roots, connector, take_roots};
use super::wire::{Driver, Socket, Stream};
use crate::tx::Fault;

/// A statement, a lock or an idle transaction that lasts longer than this is ended by the server;
/// its notices about things that exist already are not worth a line.
const OPTIONS: &str = "-c statement_timeout=20000 -c lock_timeout=10000 \
                       -c idle_in_transaction_session_timeout=30000 \
                       -c client_min_messages=warning";

/// How long a server may say nothing while we wait for it. No statement of ours lasts that long.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a connection may take when the URL does not say, and then each answer while logging in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a host may leave unconfirmed what it was sent, and how soon and how often one that has
/// confirmed everything is asked whether it is still there. The system's own values are a quarter of an
/// hour and two hours: until then a thread would wait for a dead host while others could serve it.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVES_RETRIES: u32 = 3;

/// Counts connections, so that with `load_balance_hosts=random` each begins at another host.
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// Where and how to connect.
#[derive(Clone)]
pub(crate) struct Settings {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// How long a server may say nothing; without end where the URL says how long statements may last.
    silence: Option<Duration>,
}

impl Settings {
    /// Reads a `postgres://` URL. TLS is used, and certificates are checked against the system's roots
    /// or those of `sslrootcert`, with `sslmode=require`; several hosts and `target_session_attrs` are
    /// understood.
    pub(crate) fn from_url(url: &str) -> Result<Settings, Fault> {
        let (url, roots) = take_roots(url);
        let mut config = Config::from_str(&url).map_err(|error| {
            // The cause names the option at fault; the URL itself holds a password.
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            Fault::Unavailable(format!("the database URL is not valid{cause}"))
        })?;
        let own = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{OPTIONS} {own}"));
        let silence = (!own.contains("statement_timeout")).then_some(SILENCE);
        notice_dead_hosts(&mut config);
        if config.get_application_name().is_none() {
            config.application_name("billstack");
        }
        let encrypted = config.get_ssl_mode() == SslMode::Require;
        if roots.is_some() && !encrypted {
            let why = "sslrootcert of the database URL needs sslmode=require beside it";
            return Err(Fault::Unavailable(why.to_owned()));
        }
        let tls = encrypted.then(|| connector(&roots.unwrap_or(Roots::System)));
        let tls = tls.transpose()?;
        Ok(Settings {
            config,
            tls,
            silence,
        })
    }
}

/// Fills in what the URL does not say about how soon a host that does not answer is given up.
fn notice_dead_hosts(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(KEEPALIVES_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVES_RETRIES);
    }
}

/// Connects to the first host that answers and is what the URL asks for.
pub(super) fn connect(settings: &Settings) -> Result<(Client, Driver), Fault> {
    let unavailable = |why: String| {
        let why = format!("cannot connect to PostgreSQL: {why}");
        Fault::Unavailable(why)
    };
    let hosts = hosts(&settings.config).map_err(unavailable)?;
    let mut last = "the database URL names no host".to_owned();
    for host in hosts {
        let sockets = match host.sockets(&settings.config) {
            Ok(sockets) => sockets,
            Err(why) => {
                last = why.to_string();
                continue;
            }
        };
        for socket in sockets {
            let opened = socket
                .map_err(|error| Fault::Unavailable(error.to_string()))
                .and_then(|socket| open(socket, &host.name, settings));
            match opened {
                Ok(opened) => return Ok(opened),
                Err(Fault::Unavailable(why) | Fault::Defect(why)) => last = why,
                Err(other) => last = other.to_string(),
            }
        }
    }
    Err(unavailable(last))
}

/// One of the hosts that a URL names.
struct Candidate {
    /// What its certificate must be for.
    name: String,
    address: Host,
    port: u16,
}

/// The hosts of a URL in the order in which they are tried.
fn hosts(config: &Config) -> Result<Vec<Candidate>, String> {
    let (names, addresses, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    let count = names.len().max(addresses.len());
    let fits = |given: usize| given == 0 || given == count;
    if !fits(names.len()) || !fits(addresses.len()) || !(ports.len() == 1 || fits(ports.len())) {
        return Err("host, hostaddr and port of the database URL differ in number".to_owned());
    }
    let mut hosts = Vec::new();
    for index in 0..count {
        let name = names.get(index);
        let by_address = addresses.get(index).map(|ip| Host::Tcp(ip.to_string()));
        let port = ports.get(index).or(ports.first()).copied();
        hosts.extend(by_address.or(name.cloned()).map(|address| Candidate {
            name: match name {
                Some(Host::Tcp(name)) => name.clone(),
                _ => String::new(),
            },
            address,
            port: port.unwrap_or(5432),
        }));
    }
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random && !hosts.is_empty() {
        let first = CONNECTIONS.fetch_add(1, Ordering::Relaxed) % hosts.len();
        hosts.rotate_left(first);
    }
    Ok(hosts)
}

impl Candidate {
    /// A socket for each address that the host has, connected when it is asked for.
    fn sockets<'c>(
        &self,
        config: &'c Config,
    ) -> std::io::Result<Box<dyn Iterator<Item = std::io::Result<Socket>> + 'c>> {
        match &self.address {
            Host::Tcp(host) => {
                let addresses = (host.as_str(), self.port).to_socket_addrs()?;
                let limit = *config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
                Ok(Box::new(addresses.map(move |address| {
                    let socket = TcpStream::connect_timeout(&address, limit)?;
                    prepare(&socket, config)?;
                    Ok(Socket::Tcp(socket))
                })))
            }
            #[cfg(unix)]
            Host::Unix(directory) => {
                let path = directory.join(format!(".s.PGSQL.{}", self.port));
                Ok(Box::new(std::iter::once_with(move || {
                    UnixStream::connect(path).map(Socket::Unix)
                })))
            }
        }
    }
}

fn prepare(socket: &TcpStream, config: &Config) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = SockRef::from(socket);
    #[cfg(target_os = "linux")]
    if let Some(limit) = config.get_tcp_user_timeout() {
        socket.set_tcp_user_timeout(Some(*limit))?;
    }
    if !config.get_keepalives() {
        return Ok(());
    }
    let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
    if let Some(interval) = config.get_keepalives_interval() {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        keepalive = keepalive.with_retries(retries);
    }
    socket.set_tcp_keepalive(&keepalive)
}

/// Logs in over a socket, and refuses a server of the wrong kind, or one that takes connections but
/// does not speak: another host may.
fn open(socket: Socket, host: &str, settings: &Settings) -> Result<(Client, Driver), Fault> {
    let (mut driver, stream) =
        Driver::over(socket).map_err(|e| Fault::Unavailable(e.to_string()))?;
    let limit = *settings
        .config
        .get_connect_timeout()
        .unwrap_or(&CONNECT_TIMEOUT);
    driver.give_up_after(Some(limit));
    let client = match &settings.tls {
        Some(tls) => log_in(&mut driver, stream, tls.clone(), host, &settings.config),
        None => log_in(&mut driver, stream, NoTls, host, &settings.config),
    }?;
    must_be_wanted(&mut driver, &client, settings)?;
    driver.give_up_after(settings.silence);
    Ok((client, driver))
}

/// Refuses a server that is not what the URL asks for.
fn must_be_wanted(driver: &mut Driver, client: &Client, settings: &Settings) -> Result<(), Fault> {
    let wanted = settings.config.get_target_session_attrs();
    if wanted == TargetSessionAttrs::Any {
        return Ok(());
    }
    let told = driver.run(client.simple_query("SHOW transaction_read_only"));
    let told = told.map_err(|error| fault(&error))?;
    let read_only = told
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")));
    match (wanted, read_only) {
        (TargetSessionAttrs::ReadWrite, true) => {
            Err(Fault::Unavailable("it does not allow writes".to_owned()))
        }
        (TargetSessionAttrs::ReadOnly, false) => {
            Err(Fault::Unavailable("it is not read only".to_owned()))
        }
        _ => Ok(()),
    }
}

fn log_in<T>(
    driver: &mut Driver,
    stream: Stream,
    mut tls: T,
    host: &str,
    config: &Config,
) -> Result<Client, Fault>
where
    T: MakeTlsConnect<Stream>,
    T::Stream: Send + 'static,
{
    let tls = tls.make_tls_connect(host).map_err(|error| {
        let error: Box<dyn std::error::Error + Send + Sync> = error.into();
        Fault::Unavailable(error.to_string())
    })?;
    let (client, connection) = driver
        .run(config.connect_raw(stream, tls))
        .map_err(|error| fault(&error))?;
    driver.drive(Box::pin(connection));
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parameters: &str) -> Settings {
        Settings::from_url(&format!("postgres://u@h/d?{parameters}")).unwrap()
    }

    #[test]
    fn a_dead_host_is_noticed_soon_unless_the_address_says_otherwise() {
        let usual = settings("").config;
        assert_eq!(usual.get_connect_timeout(), Some(&CONNECT_TIMEOUT));
        assert_eq!(usual.get_tcp_user_timeout(), Some(&TCP_USER_TIMEOUT));
        assert_eq!(usual.get_keepalives_idle(), KEEPALIVES_IDLE);
        assert_eq!(usual.get_keepalives_interval(), Some(KEEPALIVES_INTERVAL));
        assert_eq!(usual.get_keepalives_retries(), Some(KEEPALIVES_RETRIES));
        let told = "connect_timeout=1&tcp_user_timeout=2&keepalives_idle=3&keepalives_interval=4\
                    &keepalives_retries=5";
        let told = settings(told).config;
        let seconds = Duration::from_secs;
        assert_eq!(told.get_connect_timeout(), Some(&seconds(1)));
        assert_eq!(told.get_tcp_user_timeout(), Some(&seconds(2)));
        assert_eq!(told.get_keepalives_idle(), seconds(3));
        assert_eq!(told.get_keepalives_interval(), Some(seconds(4)));
        assert_eq!(told.get_keepalives_retries(), Some(5));
    }

    /// `billstack verify` asks for statements without end.
    #[test]
    fn silence_is_borne_where_statements_may_last() {
        assert_eq!(settings("").silence, Some(SILENCE));
        let schema = settings("options=-c%20search_path%3Dbillstack");
        assert_eq!(schema.silence, Some(SILENCE));
        let endless = settings("options=-c%20statement_timeout%3D0");
        assert_eq!(endless.silence, None);
    }
}
