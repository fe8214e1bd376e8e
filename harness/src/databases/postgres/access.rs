//! Clients' connections to PostgreSQL.

use splitbrain_workloads::{BoxFuture, OpError};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls};

use crate::databases::login;
use crate::databases::sql::{Access, Connection, Datum, Problem, Row};
use crate::databases::wire;

impl Access {
    /// A connection to `HOST:PORT`. An error says that nothing was asked yet.
    pub async fn connect(&self, address: &str) -> Result<PgConnection, OpError> {
        let stream = wire::connect(address).await.map_err(wire::unconnected)?;
        let mut config = Config::new();
        config.user(&self.user).dbname(&self.database).application_name("splitbrain");
        if let Some(password) = &self.password {
            config.password(password);
        }
        let connected = match &login::of_run().tls {
            Some(tls) => {
                config.ssl_mode(SslMode::Require);
                begin(&config, stream, tls.postgres(address)).await
            }
            None => {
                config.ssl_mode(SslMode::Disable);
                begin(&config, stream, NoTls).await
            }
        };
        let (client, driver) = connected.map_err(|error| problem(&error).before_commit())?;
        Ok(PgConnection { client, address: address.to_owned(), begin: "begin", driver })
    }
}

/// Says who we are over a new connection, whose work is then done beside.
async fn begin<T>(
    config: &Config,
    stream: TcpStream,
    tls: T,
) -> Result<(Client, AbortHandle), Error>
where
    T: TlsConnect<TcpStream, Stream: Send + 'static>,
{
    let (client, connection) = config.connect_raw(stream, tls).await?;
    Ok((client, tokio::spawn(connection).abort_handle()))
}

/// A connection. One that is dropped is cut at once, whatever is open on it.
pub struct PgConnection {
    client: Client,
    /// Where it leads.
    pub address: String,
    /// How a transaction begins on it.
    pub begin: &'static str,
    driver: AbortHandle,
}

impl Drop for PgConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl PgConnection {
    /// Whether the other side has not closed it, as far as is known.
    pub fn is_open(&self) -> bool {
        !self.client.is_closed()
    }
}

impl Connection for PgConnection {
    fn begin(&mut self, _reads_only: bool) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async move { self.change(self.begin, &[]).await.map(drop) })
    }

    fn query<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<Vec<Row>, Problem>> {
        Box::pin(async move {
            let rows = self.client.query_typed(statement, &typed(values)).await;
            rows.map_err(|error| problem(&error))?.iter().map(row).collect()
        })
    }

    fn change<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<u64, Problem>> {
        Box::pin(async move {
            let changed = self.client.execute_typed(statement, &typed(values)).await;
            changed.map_err(|error| problem(&error))
        })
    }
}

/// Values with their types, so that a statement needs not be prepared first.
fn typed(values: &[Datum]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    fn typed(value: &Datum) -> (&(dyn ToSql + Sync), Type) {
        match value {
            Datum::Null => (&None::<i64>, Type::INT8),
            Datum::Int(number) => (number, Type::INT8),
            Datum::Text(text) => (text, Type::TEXT),
        }
    }
    values.iter().map(typed).collect()
}

fn row(row: &tokio_postgres::Row) -> Result<Row, Problem> {
    let datum = |(at, column): (usize, &tokio_postgres::Column)| {
        let datum = match *column.type_() {
            Type::INT8 => row.try_get(at).map(|found: Option<i64>| found.map(Datum::Int)),
            _ => row.try_get(at).map(|found: Option<String>| found.map(Datum::Text)),
        };
        datum.map(|datum| datum.unwrap_or(Datum::Null)).map_err(|error| problem(&error))
    };
    row.columns().iter().enumerate().map(datum).collect()
}

/// What the server answered, or that it did not.
fn problem(error: &Error) -> Problem {
    match error.as_db_error() {
        Some(answer) => Problem {
            state: Some(answer.code().code().to_owned()),
            text: answer.message().to_owned(),
        },
        None => Problem::broken(error),
    }
}
