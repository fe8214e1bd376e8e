//! Connections to MariaDB and to what is made of it.

use std::time::Duration;

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Error, Opts, OptsBuilder, Value};
use splitbrain_workloads::{BoxFuture, OpError};

use crate::databases::login;
use crate::databases::sql::{Access, Connection, Datum, Dialect, Problem, Row, Servers};
use crate::databases::tls::Tls;
use crate::databases::wire::address;

/// How it is spoken to.
pub const DIALECT: Dialect = Dialect {
    quote: '`',
    numbered: false,
    or_set: "on duplicate key update",
    new: "values(v)",
    or_leave: "on duplicate key update k = values(k)",
};

/// How long a node may take to let a client in; nothing has been asked by then.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// Longer than the largest row, so that the server needs not be asked how long that may be.
const PACKET_MOST_BYTES: usize = 16 << 20;
/// A connection that nobody uses for so long is made anew, without a question to the server.
const IDLE_MOST_S: usize = 3_600;

/// A connection.
pub struct MariaConnection {
    conn: Conn,
}

/// What every connection is made with.
#[derive(Clone)]
pub struct Door {
    /// Who clients are.
    pub access: Access,
    /// Statements that a connection is told first, such as what holds for all transactions.
    pub settings: Vec<String>,
}

/// Makes a connection to a node by its URL.
///
/// # Errors
/// There is none, or the server does not let this user in.
pub async fn connect(url: &str, door: &Door) -> Result<MariaConnection, Problem> {
    let (host, port) = address(url).rsplit_once(':').unwrap_or((address(url), "3306"));
    let opts: Opts = OptsBuilder::default()
        .ip_or_hostname(host)
        .tcp_port(port.parse().unwrap_or_default())
        .user(Some(&door.access.user))
        .pass(door.access.password.as_deref())
        .db_name(Some(&door.access.database))
        // What it would ask otherwise, a node that is cut off from its cluster does not answer.
        .prefer_socket(false)
        .max_allowed_packet(Some(PACKET_MOST_BYTES))
        .wait_timeout(Some(IDLE_MOST_S))
        .client_found_rows(true)
        .ssl_opts(login::of_run().tls.as_ref().map(Tls::mysql))
        .setup(door.settings.clone())
        .into();
    match tokio::time::timeout(CONNECT_WITHIN, Conn::new(opts)).await {
        Ok(conn) => Ok(MariaConnection { conn: conn.map_err(problem)? }),
        Err(_) => Err(Problem::broken(&"no connection within a second")),
    }
}

impl Connection for MariaConnection {
    fn begin(&mut self, _reads_only: bool) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async move { self.conn.query_drop("START TRANSACTION").await.map_err(problem) })
    }

    fn query<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<Vec<Row>, Problem>> {
        Box::pin(async move {
            let found: Result<Vec<mysql_async::Row>, Error> =
                self.conn.query(written(statement, values)).await;
            found.map_err(problem)?.into_iter().map(row).collect()
        })
    }

    fn change<'a>(
        &'a mut self,
        statement: &'a str,
        values: &'a [Datum],
    ) -> BoxFuture<'a, Result<u64, Problem>> {
        Box::pin(async move {
            let changed = self.conn.query_drop(written(statement, values)).await;
            changed.map(|()| self.conn.affected_rows()).map_err(problem)
        })
    }
}

/// A statement with its values in it, as most drivers send it. To have it prepared first would take one
/// exchange more, and in a Galera cluster a transaction in which that was done did not see what it had
/// appended itself: it had been aborted, which only the preparation was told.
fn written(statement: &str, values: &[Datum]) -> String {
    let mut values = values.iter().map(|datum| match datum {
        Datum::Null => Value::NULL,
        Datum::Int(number) => Value::Int(*number),
        Datum::Text(text) => Value::Bytes(text.clone().into_bytes()),
    });
    let mut text = String::with_capacity(2 * statement.len());
    for (at, part) in statement.split('?').enumerate() {
        if at > 0 {
            text += &values.next().unwrap_or(Value::NULL).as_sql(false);
        }
        text += part;
    }
    text
}

/// A row as it comes where nothing was prepared: all of it is text.
fn row(row: mysql_async::Row) -> Result<Row, Problem> {
    let columns = row.columns();
    let datum = |(value, column): (Value, &Column)| match value {
        Value::NULL => Ok(Datum::Null),
        Value::Bytes(text) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            match column.column_type() {
                ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_LONGLONG => {
                    text.parse().map(Datum::Int).map_err(|_| Problem::broken(&text))
                }
                _ => Ok(Datum::Text(text)),
            }
        }
        other => Err(Problem::broken(&format!("{other:?} is neither a number nor a text"))),
    };
    row.unwrap().into_iter().zip(&*columns).map(datum).collect()
}

/// What the server answered, or that it did not.
fn problem(error: Error) -> Problem {
    match error {
        Error::Server(answer) => {
            let text = answer.to_string();
            Problem { state: Some(state(answer.code, answer.state)), text }
        }
        other => Problem::broken(&other),
    }
}

/// The SQLSTATE that is meant. Many of MariaDB's errors have none but the general one (MariaDB's
/// documentation, "MariaDB Error Code Reference").
fn state(code: u16, state: String) -> String {
    match code {
        // It waited too long for another transaction's lock. Only the statement was rolled back.
        1205 => "55P03".to_owned(),
        // A row was changed after the transaction's snapshot (`innodb_snapshot_isolation`).
        1020 => "40001".to_owned(),
        // Only reads here.
        1290 => "25006".to_owned(),
        // The node is not in its cluster's majority, or still fetches its data. The statement was not
        // carried out, whatever it was.
        1047 => "57P03".to_owned(),
        // Too many connections.
        1040 => "53300".to_owned(),
        _ => state,
    }
}

/// A way to one node, with a connection that is kept while it is good.
pub struct Way {
    url: String,
    door: Door,
    idle: Option<MariaConnection>,
}

impl Way {
    /// The way to a node; nothing is connected yet.
    pub fn new(url: &str, door: &Door) -> Way {
        Way { url: url.to_owned(), door: door.clone(), idle: None }
    }
}

impl Servers for Way {
    type Connection = MariaConnection;

    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn take(&mut self, _reads_only: bool) -> BoxFuture<'_, Result<MariaConnection, OpError>> {
        Box::pin(async move {
            match self.idle.take() {
                Some(idle) => Ok(idle),
                None => connect(&self.url, &self.door).await.map_err(Problem::before_commit),
            }
        })
    }

    fn give_back(&mut self, connection: MariaConnection) {
        self.idle = Some(connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_so_that_they_stay_what_they_are() {
        let values = ["it's\\".into(), 7.into(), Datum::Null];
        let text = written("insert into `t` values (?, ?, ?) or so", &values);
        assert_eq!(text, "insert into `t` values ('it\\'s\\\\', 7, NULL) or so");
        assert_eq!(written("commit", &[]), "commit");
    }

    /// What of this needs more than one server is provoked on real ones in the tests of the drivers.
    #[test]
    fn errors_without_a_state_of_their_own_are_told_apart() {
        let check = |code: u16, said: &str, before: &str, at_commit: &str| {
            let message = "why".to_owned();
            let answer = mysql_async::ServerError { code, message, state: said.to_owned() };
            let problem = problem(Error::Server(answer));
            assert!(problem.text.contains(said), "{}", problem.text);
            let word = |error: OpError| match error {
                OpError::Fail(error) => format!("fail {:?}", error.kind),
                OpError::Info(error) => format!("info {:?}", error.kind),
            };
            assert_eq!(word(problem.clone().before_commit()), before, "{code}");
            assert_eq!(word(problem.at_commit()), at_commit, "{code}");
        };
        check(1213, "40001", "fail Refused", "fail Refused");
        check(1020, "HY000", "fail Refused", "fail Refused");
        check(1062, "23000", "fail Mismatch", "fail Mismatch");
        check(1205, "HY000", "fail Refused", "info Refused");
        check(1290, "HY000", "fail Refused", "info Refused");
        check(1047, "08S01", "fail Refused", "info Refused");
        check(1040, "08004", "fail Refused", "info Refused");
        // The server is ending.
        check(1053, "08S01", "fail Connection", "info Connection");
        // It failed while it committed, and does not say that it rolled back.
        check(1180, "HY000", "fail Other", "info Other");
        let gone = Error::Driver(mysql_async::DriverError::ConnectionClosed);
        assert!(matches!(problem(gone).at_commit(), OpError::Info(_)));
    }
}
