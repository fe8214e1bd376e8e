//! TLS to nodes that run elsewhere (the cargo feature `tls`), by the OpenSSL of this machine.

use std::{fs, io};

use native_tls::{Certificate, Identity, TlsConnector};
use tokio::net::TcpStream;
use tokio_native_tls::TlsStream;

use super::login::said;

/// Files in PEM: who signs the nodes' certificates, beside those whom this machine trusts, and what
/// clients show of themselves, if they have to.
const CA: &str = "SPLITBRAIN_DB_CA";
const CERTIFICATE: &str = "SPLITBRAIN_DB_CERT";
const KEY: &str = "SPLITBRAIN_DB_KEY";

/// Whom clients trust, and what they show.
pub struct Tls(TlsConnector);

impl Tls {
    /// As the environment says.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn of_environment() -> Result<Tls, String> {
        let mut builder = TlsConnector::builder();
        if let Some(file) = said(CA) {
            let wrong = |error: String| format!("{CA}={file}: {error}");
            let certificates = Certificate::stack_from_pem(&read(CA, &file)?);
            let certificates = certificates.map_err(|error| wrong(error.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
            for certificate in certificates {
                builder.add_root_certificate(certificate);
            }
        }
        match (said(CERTIFICATE), said(KEY)) {
            (Some(certificate), Some(key)) => {
                let files = (read(CERTIFICATE, &certificate)?, read(KEY, &key)?);
                let identity = Identity::from_pkcs8(&files.0, &files.1)
                    .map_err(|error| format!("{CERTIFICATE} and {KEY}: {error}"))?;
                builder.identity(identity);
            }
            (None, None) => {}
            _ => return Err(format!("{CERTIFICATE} and {KEY} belong together")),
        }
        builder.build().map(Tls).map_err(|error| error.to_string())
    }

    /// For clients that speak HTTP.
    pub fn http(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_backend_preconfigured(self.0.clone())
    }

    /// The same connection, but secret. The server has to be whom the address names.
    ///
    /// # Errors
    /// It is not, or it does not speak TLS.
    pub async fn secret(
        &self,
        address: &str,
        plain: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector = tokio_native_tls::TlsConnector::from(self.0.clone());
        connector.connect(host(address), plain).await.map_err(io::Error::other)
    }

    /// For PostgreSQL, which is asked for it first.
    pub fn postgres(&self, address: &str) -> postgres_native_tls::TlsConnector {
        postgres_native_tls::TlsConnector::new(self.0.clone(), host(address))
    }
}

fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']'])
}

fn read(variable: &str, file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{variable}={file}: {error}"))
}
