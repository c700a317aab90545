//! Where PostgreSQL is, and how to connect to it.

use std::error::Error as _;
use std::net::{IpAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::driver::Driver;
use super::fault::fault;
use super::session;
use super::tls::{Roots, connector, take_roots};
use crate::seam::Fault;

/// The server ends statements, lock waits and idle transactions that last longer than this. Its notices about
/// existing objects are noise.
const OPTIONS: &str = "-c statement_timeout=20000 -c lock_timeout=10000 \
                       -c idle_in_transaction_session_timeout=30000 \
                       -c client_min_messages=warning";

/// A setting without effect, by which a session shows that it was begun for us: a pooler does not hand it on.
const MARK: &str = "-c billstack.direct=on";

/// A look-up never reads a whole table. The planner would choose that where its statistics are older than the rows: in
/// a fresh or restored database, or one that grows fast.
const LOOK_UPS: &str = "-c enable_seqscan=off -c jit=off";

/// How long a server may take to answer a round trip. No statement of ours lasts that long.
const SILENCE: Duration = Duration::from_secs(30);

/// How long a connection may take when the URL does not say; logging in may take as long again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a host may leave data unacknowledged, and how soon and how often an idle one is probed. The system's
/// defaults are a quarter of an hour and two hours: so long a thread would wait for a dead host while others
/// could serve it.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVES_RETRIES: u32 = 3;

/// Counts connections, so that with `load_balance_hosts=random` each starts at another host.
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);

/// Where and how to connect.
#[derive(Clone)]
pub(crate) struct Settings {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// How long a server may take to answer; no limit when the URL sets its own limit for statements.
    silence: Option<Duration>,
}

/// Refuses an address whose password holds a bare `@`: what follows it would be taken, and shown, for a host.
fn whole_password(config: &Config) -> Result<(), Fault> {
    let is_torn = |text: &str| text.contains('@');
    let hosts = config.get_hosts().iter();
    let in_host = |host: &Host| matches!(host, Host::Tcp(name) if is_torn(name));
    match hosts.into_iter().any(in_host) || config.get_dbname().is_some_and(is_torn) {
        false => Ok(()),
        true => Err(Fault::Unavailable(
            "the database URL is not valid: a password in it must be percent-encoded, @ as %40, / as %2F and % as %25"
                .to_owned(),
        )),
    }
}

impl Settings {
    /// Reads a `postgres://` URL, which may name several hosts. `sslmode=require` turns on TLS and checks certificates
    /// against the system's roots or those of `sslrootcert`.
    pub(crate) fn from_url(url: &str) -> Result<Settings, Fault> {
        let (url, roots) = take_roots(url);
        let mut config = Config::from_str(&url).map_err(|error| {
            // The cause names the option at fault. The URL itself contains a password.
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            Fault::Unavailable(format!("the database URL is not valid{cause}"))
        })?;
        whole_password(&config)?;
        let own = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{OPTIONS} {own}"));
        // Before anything is connected to, so that it is a fault of the address.
        session::assignments(&own)?;
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

    /// Where this is, for people: never the password.
    pub(crate) fn place(&self) -> String {
        let hosts = hosts(&self.config).unwrap_or_default();
        let hosts: Vec<_> = hosts.iter().map(Candidate::text).collect();
        place(&hosts.join(","), &self.config)
    }

    /// What each session of ours is to have set, by name.
    pub(super) fn assignments(&self) -> Result<Vec<(String, String)>, Fault> {
        session::assignments(self.config.get_options().unwrap_or_default())
    }

    /// How long a server may take to answer.
    pub(super) fn silence(&self) -> Option<Duration> {
        self.silence
    }

    /// The same for connections that wait for a lock no longer than so many milliseconds.
    pub(super) fn with_patience(&self, milliseconds: u32) -> Settings {
        let mut waiting = self.clone();
        let all = waiting.config.get_options().unwrap_or_default();
        let all = format!("{all} -c lock_timeout={milliseconds}");
        waiting.config.options(all);
        waiting
    }

    /// The same for connections whose statements all look rows up by key.
    pub(crate) fn for_look_ups(&self) -> Settings {
        let mut looking = self.clone();
        let all = looking.config.get_options().unwrap_or_default();
        let all = format!("{LOOK_UPS} {all}");
        looking.config.options(all);
        looking
    }
}

/// Sets the limits that the URL leaves open for a host that does not answer.
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

/// Connects to the first address that answers and satisfies the URL.
///
/// The driver gets one address at a time, because it would wait forever for a host that accepts connections but
/// does not speak.
pub(super) fn connect(settings: &Settings) -> Result<(Client, Driver), Fault> {
    let unavailable = |why: String| {
        let why = format!("cannot connect to {why}");
        Fault::Unavailable(why)
    };
    let all = &settings.config;
    let mut driver = Driver::new()?;
    let mut last = "PostgreSQL: the database URL names no host".to_owned();
    for host in hosts(all).map_err(|why| unavailable(format!("PostgreSQL: {why}")))? {
        let told = |why: &str| format!("{}: {why}", place(&host.text(), all));
        let addresses = match host.addresses() {
            Ok(addresses) => addresses,
            Err(why) => {
                last = told(&why.to_string());
                continue;
            }
        };
        for address in addresses {
            match log_in_as_told(&mut driver, &host, address, settings) {
                Ok(client) => return Ok((client, driver)),
                Err(Fault::Unavailable(why) | Fault::Defect(why)) => last = told(&why),
                Err(other) => last = told(&other.to_string()),
            }
        }
    }
    Err(unavailable(last))
}

/// Logs in with the settings of a session, or without them where a pooler does not take any: then
/// [`session::pin`] finds out.
fn log_in_as_told(
    driver: &mut Driver,
    host: &Candidate,
    address: Option<IpAddr>,
    settings: &Settings,
) -> Result<Client, Fault> {
    let all = &settings.config;
    let options = all.get_options().unwrap_or_default();
    let marked = format!("{MARK} {options}");
    let config = host.config(address, all, Some(&marked));
    match log_in(driver, &config, settings.tls.clone()) {
        Err(Fault::Unavailable(why)) if why.contains("unsupported startup parameter") => {
            let config = host.config(address, all, None);
            log_in(driver, &config, settings.tls.clone())
        }
        other => other,
    }
}

/// A database in words.
fn place(hosts: &str, config: &Config) -> String {
    let user = config.get_user().unwrap_or("of this process");
    let database = config.get_dbname().unwrap_or(user);
    format!("PostgreSQL at {hosts}, database {database}, user {user}")
}

/// One of the URL's hosts.
struct Candidate {
    /// The name its certificate must carry.
    name: Option<Host>,
    address: Option<IpAddr>,
    port: u16,
}

/// The hosts of a URL in the order of attempts.
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
    let candidate = |index| {
        let port = ports.get(index).or(ports.first()).copied();
        Candidate {
            name: names.get(index).cloned(),
            address: addresses.get(index).copied(),
            port: port.unwrap_or(5432),
        }
    };
    let mut hosts: Vec<_> = (0..count).map(candidate).collect();
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random && !hosts.is_empty() {
        let first = CONNECTIONS.fetch_add(1, Ordering::Relaxed) % hosts.len();
        hosts.rotate_left(first);
    }
    Ok(hosts)
}

impl Candidate {
    /// Its name and port.
    fn text(&self) -> String {
        let name = match (&self.name, self.address) {
            (Some(Host::Tcp(name)), _) => name.clone(),
            #[cfg(unix)]
            (Some(Host::Unix(directory)), _) => directory.display().to_string(),
            (None, Some(address)) => address.to_string(),
            (None, None) => String::new(),
        };
        format!("{name}:{}", self.port)
    }

    /// The addresses of the host; `None` for a socket file, which is reached by its name.
    fn addresses(&self) -> std::io::Result<Vec<Option<IpAddr>>> {
        match (&self.name, self.address) {
            (Some(Host::Tcp(name)), None) => {
                let found = (name.as_str(), self.port).to_socket_addrs()?;
                Ok(found.map(|address| Some(address.ip())).collect())
            }
            (_, address) => Ok(vec![address]),
        }
    }

    /// The settings of the URL for one address, with these for the session.
    fn config(&self, address: Option<IpAddr>, all: &Config, options: Option<&str>) -> Config {
        let mut config = Config::new();
        config
            .port(self.port)
            .ssl_mode(all.get_ssl_mode())
            .ssl_negotiation(all.get_ssl_negotiation())
            .channel_binding(all.get_channel_binding())
            .target_session_attrs(all.get_target_session_attrs())
            .keepalives(all.get_keepalives())
            .keepalives_idle(all.get_keepalives_idle());
        match &self.name {
            Some(Host::Tcp(name)) => config.host(name),
            #[cfg(unix)]
            Some(Host::Unix(directory)) => config.host_path(directory),
            None => &mut config,
        };
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(user) = all.get_user() {
            config.user(user);
        }
        if let Some(password) = all.get_password() {
            config.password(password);
        }
        if let Some(name) = all.get_dbname() {
            config.dbname(name);
        }
        if let Some(options) = options {
            config.options(options);
        }
        if let Some(name) = all.get_application_name() {
            config.application_name(name);
        }
        if let Some(limit) = all.get_connect_timeout() {
            config.connect_timeout(*limit);
        }
        if let Some(limit) = all.get_tcp_user_timeout() {
            config.tcp_user_timeout(*limit);
        }
        if let Some(interval) = all.get_keepalives_interval() {
            config.keepalives_interval(interval);
        }
        if let Some(retries) = all.get_keepalives_retries() {
            config.keepalives_retries(retries);
        }
        config
    }
}

/// Connects to the one address of `config` and logs in, within twice the time for a connection.
fn log_in(
    driver: &mut Driver,
    config: &Config,
    tls: Option<MakeRustlsConnect>,
) -> Result<Client, Fault> {
    let limit = 2 * *config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
    // For the first question too: a pooler lets everybody in, and looks for a server only then.
    driver.give_up_after(Some(limit));
    if let Some(tls) = tls {
        let opened = driver.log_in(limit, config.connect(tls))?;
        let (client, connection) = opened.map_err(|error| fault(&error))?;
        driver.drive(Box::pin(connection));
        return Ok(client);
    }
    let opened = driver.log_in(limit, config.connect(NoTls))?;
    let (client, connection) = opened.map_err(|error| fault(&error))?;
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

    #[test]
    fn a_password_that_is_not_encoded_is_shown_to_nobody() {
        for url in [
            "postgres://u:PW@SECRET@h/d",
            "postgres://u:PW@SECRET/WORD@h/d",
            "postgres://u:P/W@SEC@RET@h:5432/d",
        ] {
            let Err(Fault::Unavailable(why)) = Settings::from_url(url) else {
                panic!("{url} is taken");
            };
            assert!(why.contains("%40") && !why.contains("SEC"), "{why}");
        }
        assert!(Settings::from_url("postgres://u:P%40W%2F@h/d").is_ok());
    }

    /// `billstack verify` asks for statements without a limit.
    #[test]
    fn silence_is_borne_where_statements_may_last() {
        assert_eq!(settings("").silence, Some(SILENCE));
        let schema = settings("options=-c%20search_path%3Dbillstack");
        assert_eq!(schema.silence, Some(SILENCE));
        let endless = settings("options=-c%20statement_timeout%3D0");
        assert_eq!(endless.silence, None);
    }

    /// A setting that is not handed on would be ignored silently.
    #[test]
    fn an_address_is_tried_with_all_that_the_url_says() {
        let url = "postgres://u:p@h:1/d?hostaddr=10.0.0.1&options=-cx%3D1&application_name=a\
            &sslmode=disable&sslnegotiation=direct&connect_timeout=1&tcp_user_timeout=2&keepalives=0\
            &keepalives_idle=3&keepalives_interval=4&keepalives_retries=5\
            &target_session_attrs=read-write&channel_binding=disable";
        let all = Config::from_str(url).unwrap();
        let hosts = hosts(&all).unwrap();
        let [address] = hosts[0].addresses().unwrap()[..] else {
            panic!("it has one address");
        };
        assert!(hosts[0].config(address, &all, all.get_options()) == all);
        let socket = Config::from_str("postgres://u@%2Frun:2/d").unwrap();
        let host = &super::hosts(&socket).unwrap()[0];
        let address = host.addresses().unwrap()[0];
        assert!(host.config(address, &socket, None) == socket);
    }
}
