//! Who belongs to an etcd cluster: its members' API, and how one that has left comes back.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use splitbrain_workloads::BoxFuture;

use super::super::http;
use super::super::{Administered, Administration, Asker};
use super::{Etcd, PEER_URL};
use crate::environments::Daemon;

/// A member, as etcd lists it.
#[derive(Debug, Deserialize)]
struct Listed {
    /// Its number; strings in this gateway.
    #[serde(rename = "ID")]
    id: String,
    /// Left out until it has been started.
    #[serde(default)]
    name: String,
    #[serde(default, rename = "peerURLs")]
    peer_urls: Vec<String>,
}

/// The members as a node knows them.
async fn listed(asker: &Asker, url: &str) -> Result<Vec<Listed>, String> {
    let answer = change(asker, url, "list", json!({})).await?;
    serde_json::from_value(answer["members"].clone()).map_err(|_| format!("no members: {answer}"))
}

/// Asks for something about members.
async fn change(asker: &Asker, url: &str, what: &str, body: Value) -> Result<Value, String> {
    let request = asker.http.post(format!("{url}/v3/cluster/member/{what}")).json(&body);
    let answer = http::ask(request).await?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(format!("member {what} answered {status}: {}", answer.body)),
    }
}

impl Administration for Etcd {
    fn leave<'a>(&'a self, asker: &'a Asker, url: &'a str, node: &'a str) -> Administered<'a> {
        Box::pin(async move {
            let members = listed(asker, url).await?;
            let Some(member) = members.iter().find(|member| member.name == node) else {
                return Ok(());
            };
            change(asker, url, "remove", json!({ "ID": member.id })).await.map(drop)
        })
    }

    fn join<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
        _node: &'a str,
        first: &'a Daemon,
    ) -> Administered<'a> {
        Box::pin(async move {
            let own = told(first, PEER_URL).to_owned();
            let members = listed(asker, url).await?;
            if members.iter().any(|member| member.peer_urls.contains(&own)) {
                return Ok(());
            }
            change(asker, url, "add", json!({ "peerURLs": [own] })).await.map(drop)
        })
    }

    /// One that was removed ends, and its number is never used again.
    fn anew(&self, first: &Daemon, members: &[String], times: usize) -> Option<Daemon> {
        let cluster = told(first, "--initial-cluster").split(',');
        let is_member =
            |peer: &&str| members.iter().any(|name| peer.starts_with(&format!("{name}=")));
        let cluster: Vec<&str> = cluster.filter(is_member).collect();
        let data = Path::new(told(first, "--data-dir")).join(format!("again-{times}"));
        let changed = [
            ("--initial-cluster", cluster.join(",")),
            ("--initial-cluster-state", "existing".to_owned()),
            ("--data-dir", data.display().to_string()),
        ];
        let mut daemon = first.clone();
        for pair in daemon.args.chunks_mut(2) {
            if let Some((_, value)) = changed.iter().find(|(name, _)| *name == pair[0]) {
                pair[1].clone_from(value);
            }
        }
        Some(daemon)
    }

    fn members<'a>(
        &'a self,
        asker: &'a Asker,
        url: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, String>> {
        Box::pin(async move {
            Ok(listed(asker, url).await?.into_iter().map(|member| member.name).collect())
        })
    }
}

/// What it is told by an argument; all its arguments have values.
fn told<'a>(daemon: &'a Daemon, name: &str) -> &'a str {
    let mut pairs = daemon.args.chunks(2);
    pairs.find(|pair| pair[0] == name).map_or("", |pair| &pair[1])
}

#[cfg(test)]
mod tests {
    use super::super::{CLIENT_PORT, OPTIONS, PEER_PORT};
    use super::*;
    use crate::databases::{Database, Program, Told};
    use crate::environments::Member;

    #[test]
    fn one_that_joins_again_has_no_past_and_knows_who_is_there() {
        let member = |n: usize| {
            let at = |port| format!("10.77.0.{n}:{port}").parse().unwrap();
            let listens = vec![at(CLIENT_PORT), at(PEER_PORT)];
            Member { name: format!("n{n}"), reached: listens.clone(), listens }
        };
        let cluster: Vec<Member> = (1..=11).map(member).collect();
        let program = Program { path: "etcd".into(), version: String::new() };
        let etcd = Etcd { told: Told::nothing(OPTIONS) };
        let first = etcd.daemon(&program, &cluster, 1, Path::new("/run/n2"));
        let members = ["n1", "n2", "n11"].map(str::to_owned);
        let again = etcd.anew(&first, &members, 2).unwrap();
        assert_eq!(told(&again, "--data-dir"), "/run/n2/data/again-2");
        assert_eq!(told(&again, "--initial-cluster-state"), "existing");
        assert_eq!(
            told(&again, "--initial-cluster"),
            "n1=http://10.77.0.1:2380,n2=http://10.77.0.2:2380,n11=http://10.77.0.11:2380"
        );
        let same = |name| told(&again, name) == told(&first, name);
        assert!(["--name", PEER_URL, "--listen-client-urls", "--logger"].into_iter().all(same));
    }
}
