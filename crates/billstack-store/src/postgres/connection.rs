//! A connection to PostgreSQL: its settings, and the seam over it.

use std::collections::HashMap;
use std::error::Error as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Row as PostgresRow, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::dialect::Dialect;
use crate::tx::{EachRow, Fault, Row, Tx, Val};

/// A statement, a lock or an idle transaction that lasts longer than this is ended by the server;
/// its notices about things that exist already are not worth a line.
const OPTIONS: &str = "-c statement_timeout=20000 -c lock_timeout=10000 \
                       -c idle_in_transaction_session_timeout=30000 \
                       -c client_min_messages=warning";

/// How long a connection may take when the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how to connect.
#[derive(Clone)]
pub(crate) struct Settings {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Settings {
    /// Reads a `postgres://` URL. TLS is used, and certificates are checked against the system's
    /// roots, with `sslmode=require`; several hosts and `target_session_attrs` are understood.
    pub(crate) fn from_url(url: &str) -> Result<Settings, Fault> {
        let mut config = Config::from_str(url).map_err(|error| {
            // The cause names the option at fault; the URL itself holds a password.
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            Fault::Unavailable(format!("the database URL is not valid{cause}"))
        })?;
        let own = config.get_options().unwrap_or_default().to_owned();
        config.options(&format!("{OPTIONS} {own}"));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("billstack");
        }
        let tls = (config.get_ssl_mode() == SslMode::Require)
            .then(rustls_connector)
            .transpose()?;
        Ok(Settings { config, tls })
    }
}

fn rustls_connector() -> Result<MakeRustlsConnect, Fault> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::Defect(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Connects.
pub(crate) fn connect(settings: &Settings) -> Result<Client, Fault> {
    let connected = match &settings.tls {
        Some(tls) => settings.config.connect(tls.clone()),
        None => settings.config.connect(NoTls),
    };
    connected.map_err(|error| {
        let cause = error
            .source()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        Fault::Unavailable(format!("cannot connect to PostgreSQL: {error}{cause}"))
    })
}

/// Sorts a PostgreSQL error by what it means for the caller.
pub(crate) fn fault(error: &postgres::Error) -> Fault {
    let Some(database) = error.as_db_error() else {
        let text = error
            .source()
            .map_or_else(|| error.to_string(), |c| format!("{error}: {c}"));
        return if error.is_closed() || error.source().is_some_and(|c| c.is::<std::io::Error>()) {
            Fault::Unavailable(text)
        } else {
            Fault::Defect(text)
        };
    };
    let code = database.code();
    let text = format!("{}: {}", code.code(), database.message());
    // A unique violation means that somebody else was first since we looked; a second run sees it.
    let in_the_way = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
    ];
    if in_the_way.contains(code) {
        return Fault::Conflict(text);
    }
    // Classes of codes (PostgreSQL manual, appendix A): 08 connection, 53 resources, 57 operator
    // intervention, 58 system; 55P03 lock timeout, 25006 read-only (a standby), 28 and 3D log-in.
    let class = &code.code()[..2];
    if ["08", "53", "57", "58", "28", "3D"].contains(&class)
        || ["55P03", "25006"].contains(&code.code())
    {
        return Fault::Unavailable(text);
    }
    Fault::Defect(text)
}

/// A client with the statements it has prepared.
pub(crate) struct PostgresTx {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl PostgresTx {
    /// Takes over a fresh connection.
    pub(crate) fn new(client: Client) -> PostgresTx {
        PostgresTx {
            client,
            statements: HashMap::new(),
        }
    }

    /// Whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs a statement without parameters or result, such as `BEGIN`.
    pub(crate) fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        self.client.batch_execute(sql).map_err(|e| fault(&e))
    }

    /// The prepared form of a statement.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let text = Dialect::Postgres.statement(sql);
        let statement = self.client.prepare(&text).map_err(|e| fault(&e))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Tx for PostgresTx {
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        let params: Vec<_> = params
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        self.client
            .execute(&statement, &params)
            .map_err(|e| fault(&e))
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        let statement = self.prepare(sql)?;
        let params: Vec<_> = params
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        for row in self
            .client
            .query(&statement, &params)
            .map_err(|e| fault(&e))?
        {
            each(&row)?;
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        false
    }

    fn lock(&mut self, team_id: &str, names: &[&str]) -> Result<(), Fault> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.execute(LOCK, &[Val::Text(team_id), Val::Text(name)])?;
        }
        Ok(())
    }
}

/// Takes the row of a name, making it when it is missing; the row stays taken until the end.
pub(crate) const LOCK: &str = "INSERT INTO locks (team_id, name) VALUES ($1, $2) \
     ON CONFLICT (team_id, name) DO UPDATE SET name = excluded.name";

impl ToSql for Val<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Val::Int(number) if *ty == Type::INT8 => number.to_sql(ty, out),
            Val::Text(text) if *ty == Type::TEXT => text.to_sql(ty, out),
            Val::Bool(flag) if *ty == Type::BOOL => flag.to_sql(ty, out),
            Val::Null => Ok(IsNull::Yes),
            other => Err(format!("{other:?} cannot be bound where {ty} is taken").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BOOL].contains(ty)
    }

    to_sql_checked!();
}

impl Row for PostgresRow {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }

    fn opt_flag(&self, column: usize) -> Result<Option<bool>, Fault> {
        self.try_get(column).map_err(|_| Fault::decode(column))
    }
}
