//! TLS to nodes that run elsewhere (the cargo feature `tls`), by the OpenSSL of this machine.

use std::fmt::Display;
use std::{fs, io};

use mysql_async::{ClientIdentity, SslOpts};
use native_tls::{Certificate, Identity, TlsConnector};
use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;
use tokio::net::TcpStream;
use tokio_native_tls::TlsStream;

use super::login::said;

/// Files in PEM: who signs the nodes' certificates, beside those whom this machine trusts, and what
/// clients show of themselves, if they have to.
const CA: &str = "SPLITBRAIN_DB_CA";
const CERTIFICATE: &str = "SPLITBRAIN_DB_CERT";
const KEY: &str = "SPLITBRAIN_DB_KEY";

/// Whom clients trust, and what they show.
pub struct Tls {
    connector: TlsConnector,
    /// The same in the words of a driver that makes its connectors itself.
    mysql: SslOpts,
}

impl Tls {
    /// As the environment says.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn of_environment() -> Result<Tls, String> {
        let mut builder = TlsConnector::builder();
        let mut mysql = SslOpts::default();
        if let Some(file) = said(CA) {
            let wrong = |error: String| format!("{CA}={file}: {error}");
            let text = read(CA, &file)?;
            let certificates = Certificate::stack_from_pem(&text);
            let certificates = certificates.map_err(|error| wrong(error.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("there is no certificate in it".to_owned()));
            }
            for certificate in certificates {
                builder.add_root_certificate(certificate);
            }
            mysql = mysql.with_root_certs(vec![text.into()]);
        }
        match (said(CERTIFICATE), said(KEY)) {
            (Some(certificate), Some(key)) => {
                let files = (read(CERTIFICATE, &certificate)?, read(KEY, &key)?);
                let wrong = |error: &dyn Display| format!("{CERTIFICATE} and {KEY}: {error}");
                let identity = Identity::from_pkcs8(&files.0, &files.1);
                builder.identity(identity.map_err(|error| wrong(&error))?);
                let archive = archive(&files.0, &files.1).map_err(|error| wrong(&error))?;
                mysql = mysql.with_client_identity(Some(ClientIdentity::new(archive.into())));
            }
            (None, None) => {}
            _ => return Err(format!("{CERTIFICATE} and {KEY} belong together")),
        }
        let connector = builder.build().map_err(|error| error.to_string())?;
        Ok(Tls { connector, mysql })
    }

    /// For clients that speak HTTP.
    pub fn http(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_backend_preconfigured(self.connector.clone())
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
        let connector = tokio_native_tls::TlsConnector::from(self.connector.clone());
        connector.connect(host(address), plain).await.map_err(io::Error::other)
    }

    /// For PostgreSQL, which is asked for it first.
    pub fn postgres(&self, address: &str) -> postgres_native_tls::TlsConnector {
        postgres_native_tls::TlsConnector::new(self.connector.clone(), host(address))
    }

    /// For MariaDB, which says first whether it speaks it.
    pub fn mysql(&self) -> SslOpts {
        self.mysql.clone()
    }
}

fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']'])
}

/// The form in which [`ClientIdentity`] wants a key and the certificates that go with it, without a password.
fn archive(certificates: &[u8], key: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut certificates = X509::stack_from_pem(certificates)?.into_iter();
    let mut archive = Pkcs12::builder();
    archive.pkey(&*PKey::private_key_from_pem(key)?);
    if let Some(own) = certificates.next() {
        archive.cert(&own);
    }
    let mut others = Stack::new()?;
    for other in certificates {
        others.push(other)?;
    }
    archive.ca(others).build2("")?.to_der()
}

fn read(variable: &str, file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{variable}={file}: {error}"))
}
