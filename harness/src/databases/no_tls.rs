//! In the place of TLS where it is not built in.

use std::convert::Infallible;
use std::io;

use tokio::net::TcpStream;

/// There is none.
pub struct Tls(Infallible);

impl Tls {
    /// Says so.
    pub fn of_environment() -> Result<Tls, String> {
        Err("this splitbrain speaks no TLS: cargo build --release --features tls".to_owned())
    }

    pub fn http(&self, _: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        match self.0 {}
    }

    pub fn postgres(&self, _: &str) -> tokio_postgres::NoTls {
        match self.0 {}
    }

    pub fn mysql(&self) -> mysql_async::SslOpts {
        match self.0 {}
    }

    pub async fn secret(&self, _: &str, _: TcpStream) -> io::Result<TcpStream> {
        match self.0 {}
    }
}
