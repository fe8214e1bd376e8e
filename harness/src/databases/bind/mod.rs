//! BIND: names that are updated on a primary (RFC 2136) and read on any server, to which they come
//! by notification and incremental transfer: the eventual consistency that everyone uses.
//! Secondaries hand updates on to the primary.

mod dns;

use std::path::Path;

use splitbrain_checker::history::ErrorKind;
use splitbrain_workloads::objects::register::{self, Action, Register, Ret};
use splitbrain_workloads::objects::set_remove::{self, Element};
use splitbrain_workloads::{BoxFuture, Client, Clients, OpError, Outcome};

use super::wire::{self, Wire};
use super::{Asker, Database, Entry, Missing, Program, Role, Seek, Told};
use crate::environments::{Daemon, Member};
use dns::{Answer, NOERROR, NXDOMAIN, NXRRSET, Request};

/// The registry's line.
pub const ENTRY: Entry = Entry {
    name: "bind",
    about: "BIND from Debian's bind9: names, updated on the primary and read everywhere.",
    options: &[],
    open: |rest| Told::parse("bind", &[], rest).map(|_| Box::new(Bind) as _),
};

const PORT: u16 = 53;
const ZONE: &str = "splitbrain.test";
/// What the primary calls itself.
const PRIMARY: &str = "primary";

/// The primary's zone is a file at first, and then what its journal says. A secondary without a zone
/// begins when the primary is there, since it asks a second time only much later.
const START: &str = "PATH=$PATH:/usr/sbin
mkdir -p data
[ -e data/zone.db ] || cp zone.db data/
until [ -z \"$1\" ] || [ -e data/zone.copy ] || (exec 3<>\"/dev/tcp/$1/53\") 2>/dev/null; do sleep 0.05; done
exec named -g -n 1 -c named.conf
";

/// A zone with nothing in it. Secondaries ask once a second, should a notification be lost.
const EMPTY: &str = "$TTL 0
@ IN SOA ns.splitbrain.test. root.splitbrain.test. ( 1 1 1 3600 0 )
@ IN NS ns.splitbrain.test.
ns IN A 192.0.2.1
";

struct Bind;

impl Database for Bind {
    fn target(&self) -> String {
        ENTRY.name.to_owned()
    }

    fn default_nodes(&self) -> usize {
        3
    }

    fn find(&self) -> Result<Program, Missing> {
        Seek {
            name: "BIND",
            packages: "bind9",
            program: "named",
            flag: "-v",
            // A zone's `primaries`.
            least: (9, 16),
            version: |text| text.split_whitespace().nth(1).filter(|_| text.starts_with("BIND ")),
        }
        .find()
    }

    fn ports(&self) -> &'static [u16] {
        &[PORT]
    }

    fn scheme(&self) -> &'static str {
        "dns"
    }

    fn needs_own_addresses(&self) -> Option<&'static str> {
        Some("servers know each other by address, and some of it goes by UDP")
    }

    fn daemon(&self, _: &Program, cluster: &[Member], this: usize, folder: &Path) -> Daemon {
        let at = cluster[this].listens[0];
        let others = cluster.iter().skip(1);
        let others: String = others.map(|member| format!("{}; ", member.reached[0].ip())).collect();
        let primary = cluster[0].reached[0].ip();
        let waits_for = (this != 0).then(|| primary.to_string());
        let (id, zone) = if this == 0 {
            let zone = "type primary; file \"zone.db\"; allow-update { any; }; notify explicit; \
                        notify-delay 0;";
            (PRIMARY, format!("{zone} also-notify {{ {others}}};"))
        } else {
            let zone = "type secondary; file \"zone.copy\"; notify no; min-refresh-time 1; \
                        max-refresh-time 1; min-retry-time 1; max-retry-time 1; \
                        allow-update-forwarding { any; };";
            ("secondary", format!("{zone} primaries {{ {primary}; }};"))
        };
        let settings = format!(
            "options {{ directory \"{}\"; listen-on port {} {{ {}; }}; listen-on-v6 {{ none; }}; \
             server-id \"{id}\"; pid-file none; session-keyfile none; recursion no; \
             dnssec-validation no; empty-zones-enable no; allow-transfer {{ any; }}; \
             allow-query {{ any; }}; tcp-clients 1000; }};\ncontrols {{ }};\n\
             zone \"{ZONE}\" {{ {zone} }};\n",
            folder.join("data").display(),
            at.port(),
            at.ip(),
        );
        Daemon {
            program: "bash".into(),
            args: ["start.sh".to_owned()].into_iter().chain(waits_for).collect(),
            env: Vec::new(),
            files: vec![
                ("start.sh".into(), START.to_owned()),
                ("named.conf".into(), settings),
                ("zone.db".into(), EMPTY.to_owned()),
            ],
            directory: folder.to_owned(),
            log: folder.join("named.log"),
        }
    }

    fn ready<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            match ask_once(asker, url, &Request::Zone(ZONE)).await? {
                Answer { code: NOERROR, records: 1.., .. } => Ok(()),
                answer => Err(format!("asked for its zone it answered {answer:?}")),
            }
        })
    }

    /// Who leads never changes.
    fn role<'a>(&'a self, asker: &'a Asker, url: &'a str) -> BoxFuture<'a, Result<Role, String>> {
        Box::pin(async move {
            let answer = ask_once(asker, url, &Request::ServerId).await?;
            Ok(Role { leads: answer.texts.iter().any(|text| text == PRIMARY), term: None })
        })
    }

    fn clients(&self, urls: Vec<String>, prefix: String) -> Clients {
        let connect = move |node: usize| BindClient {
            wire: Wire::new(wire::address(&urls[node])),
            prefix: prefix.clone(),
            asked: 0,
        };
        Clients::default().serve::<Register, _>(connect.clone()).serve::<Element, _>(connect)
    }
}

/// Asks one question over a connection of its own, for the control plane.
async fn ask_once(asker: &Asker, url: &str, request: &Request<'_>) -> Result<Answer, String> {
    let asking = async {
        let mut stream = wire::open(wire::address(url)).await?;
        dns::ask(&mut stream, request, 1).await
    };
    asker.wait(asking).await
}

/// A connection to one node.
struct BindClient {
    wire: Wire,
    prefix: String,
    asked: u16,
}

impl BindClient {
    async fn ask(&mut self, request: &Request<'_>) -> Result<Answer, OpError> {
        self.asked = self.asked.wrapping_add(1);
        let (mut stream, _) = self.wire.take().await?;
        let answer = dns::ask(&mut stream, request, self.asked).await;
        let answer = answer.map_err(|error| wire::broken(&error))?;
        self.wire.give_back(stream);
        match answer.code {
            NOERROR => Ok(answer),
            NXDOMAIN if !matches!(request, Request::Update { .. }) => Ok(answer),
            code => Err(failure(code)),
        }
    }

    async fn find(&mut self, name: &str) -> Result<Option<String>, OpError> {
        Ok(self.ask(&Request::Text(name)).await?.texts.pop())
    }

    async fn update(
        &mut self,
        name: &str,
        only_if: Option<&str>,
        text: Option<&str>,
    ) -> Result<(), OpError> {
        self.ask(&Request::Update { zone: ZONE, name, only_if, text }).await.map(drop)
    }

    fn name(&self, key: &str) -> String {
        format!("{}{key}.{ZONE}", self.prefix)
    }
}

/// What a code means that is not of success (RFC 2136, 2.2): a server that says that it will not
/// has not; one that failed (SERVFAIL) may have done it before.
fn failure(code: u8) -> OpError {
    const REFUSED: u8 = 5;
    const NOTAUTH: u8 = 9;
    let text = format!("answered with the code {code}");
    match code {
        NXRRSET => OpError::fail(ErrorKind::Mismatch, "another value was found"),
        REFUSED | NOTAUTH => OpError::fail(ErrorKind::Refused, text),
        _ => OpError::info(ErrorKind::Other, text),
    }
}

impl Client<Register> for BindClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a register::Call,
    ) -> BoxFuture<'a, Result<Outcome<Ret>, OpError>> {
        Box::pin(async move {
            let name = self.name(&call.key);
            let (old, new) = match &call.action {
                Action::Read => {
                    return Ok(match self.find(&name).await? {
                        None => Ret::Found(None).into(),
                        Some(text) => match text.parse() {
                            Ok(value) => Ret::Found(Some(value)).into(),
                            Err(_) => Ret::Foreign(text.into()).into(),
                        },
                    });
                }
                Action::Write(value) => (None, value.to_string()),
                Action::Cas { old, new } => (Some(old.to_string()), new.to_string()),
            };
            self.update(&name, old.as_deref(), Some(&new)).await.map(|()| Ret::Done.into())
        })
    }
}

/// An element is there if its name is.
impl Client<Element> for BindClient {
    fn invoke<'a>(
        &'a mut self,
        call: &'a set_remove::Call,
    ) -> BoxFuture<'a, Result<Outcome<set_remove::Ret>, OpError>> {
        Box::pin(async move {
            let name = self.name(&call.key);
            let text = match call.action {
                set_remove::Action::Read => {
                    return Ok(set_remove::Ret::There(self.find(&name).await?.is_some()).into());
                }
                set_remove::Action::Add => Some("1"),
                set_remove::Action::Remove => None,
            };
            self.update(&name, None, text).await.map(|()| set_remove::Ret::Done.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_meaning() {
        let check = |code: u8, expect: &str| {
            let meaning = match failure(code) {
                OpError::Fail(error) => format!("fail {:?}", error.kind),
                OpError::Info(error) => format!("info {:?}", error.kind),
            };
            assert_eq!(meaning, expect, "{code}");
        };
        check(NXRRSET, "fail Mismatch");
        check(5, "fail Refused");
        check(9, "fail Refused");
        check(2, "info Other");
        check(NXDOMAIN, "info Other");
        check(15, "info Other");
    }
}
