//! The wiring of the nodes: typed here, carried out by `ip -batch`.
//!
//! A bridge stands in the harness's own namespace; each node's `eth0` is one end of a pair whose
//! other end is a port of it. No address routes anywhere else.
//!
//! Neighbours are told, not asked for: the kernel's table of those that it learned is one for all
//! namespaces and overflows at 1024 by default, which 33 nodes that all talk already reach.

use std::fmt::{self, Display};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use crate::environments::NodeSpec;

/// The most nodes that a cluster may have.
pub(super) const MOST_NODES: usize = 100;
const BRIDGE: &str = "br0";
/// Each node's only interface besides `lo`.
pub(super) const NODE_INTERFACE: &str = "eth0";
/// Address of the harness on the bridge.
pub(super) const HUB: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 254));
const PREFIX_BITS: u8 = 24;

/// The nodes of a cluster: `n1` is 10.77.0.1 and so on.
pub(super) fn node_specs(nodes: usize) -> Vec<NodeSpec> {
    assert!(nodes <= MOST_NODES);
    (1..=nodes as u8)
        .map(|number| NodeSpec {
            name: format!("n{number}"),
            address: IpAddr::V4(Ipv4Addr::new(10, 77, 0, number)),
        })
        .collect()
}

/// The hardware address that belongs to an address; locally administered (IEEE 802).
fn hardware_address(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { unreachable!("nodes have IPv4 addresses") };
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// One line of an `ip -batch` file.
enum Step<'a> {
    AddBridge(&'a str, IpAddr),
    AddPair { port: &'a str, peer: &'a str, address: IpAddr, namespace: &'a Path },
    Attach { port: &'a str, bridge: &'a str },
    AddAddress { address: IpAddr, interface: &'a str },
    Up(&'a str),
    AddNeighbour { address: IpAddr, interface: &'a str },
}

impl Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::AddBridge(name, address) => {
                let hardware = hardware_address(*address);
                writeln!(f, "link add {name} address {hardware} type bridge")
            }
            Step::AddPair { port, peer, address, namespace } => {
                let (hardware, namespace) = (hardware_address(*address), namespace.display());
                writeln!(
                    f,
                    "link add {port} type veth peer name {peer} address {hardware} netns {namespace}"
                )
            }
            Step::Attach { port, bridge } => writeln!(f, "link set {port} master {bridge} up"),
            Step::AddAddress { address, interface } => {
                writeln!(f, "addr add {address}/{PREFIX_BITS} dev {interface}")
            }
            Step::Up(interface) => writeln!(f, "link set {interface} up"),
            Step::AddNeighbour { address, interface } => {
                let hardware = hardware_address(*address);
                writeln!(f, "neigh add {address} lladdr {hardware} dev {interface} nud permanent")
            }
        }
    }
}

/// What makes the hub and the pairs, to be run in the harness's namespace. `nodes` are the
/// address and the network namespace of each.
pub(super) fn hub_batch(nodes: &[(IpAddr, &Path)]) -> String {
    let mut steps = vec![
        Step::Up("lo"),
        Step::AddBridge(BRIDGE, HUB),
        Step::AddAddress { address: HUB, interface: BRIDGE },
        Step::Up(BRIDGE),
    ];
    let ports: Vec<_> = (1..=nodes.len()).map(|number| format!("v{number}")).collect();
    for (port, (address, namespace)) in ports.iter().zip(nodes) {
        let address = *address;
        steps.push(Step::AddPair { port, peer: NODE_INTERFACE, address, namespace });
        steps.push(Step::Attach { port, bridge: BRIDGE });
        steps.push(Step::AddNeighbour { address, interface: BRIDGE });
    }
    steps.iter().map(Step::to_string).collect()
}

/// What sets up a node from the inside.
pub(super) fn node_batch(address: IpAddr, nodes: &[NodeSpec]) -> String {
    let mut steps = vec![
        Step::AddAddress { address, interface: NODE_INTERFACE },
        Step::Up("lo"),
        Step::Up(NODE_INTERFACE),
    ];
    let others = nodes.iter().map(|node| node.address).filter(|other| *other != address);
    steps.extend(
        others
            .chain([HUB])
            .map(|address| Step::AddNeighbour { address, interface: NODE_INTERFACE }),
    );
    steps.iter().map(Step::to_string).collect()
}

/// Switches IPv6 off in the namespace of the calling thread, for interfaces to come. Nodes are
/// only ever told of IPv4 addresses, so a machine on which these cannot be written is no failure.
pub(super) fn without_ipv6() {
    for which in ["all", "default"] {
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_hangs_on_the_bridge_of_the_hub() {
        let nodes = node_specs(2);
        let namespace = Path::new("/proc/1/task/2/ns/net");
        assert_eq!(
            hub_batch(&[(nodes[0].address, namespace)]),
            "link set lo up\nlink add br0 address 02:00:0a:4d:00:fe type bridge\n\
             addr add 10.77.0.254/24 dev br0\nlink set br0 up\n\
             link add v1 type veth peer name eth0 address 02:00:0a:4d:00:01 \
             netns /proc/1/task/2/ns/net\nlink set v1 master br0 up\n\
             neigh add 10.77.0.1 lladdr 02:00:0a:4d:00:01 dev br0 nud permanent\n"
        );
        assert_eq!(
            node_batch(nodes[1].address, &nodes),
            "addr add 10.77.0.2/24 dev eth0\nlink set lo up\nlink set eth0 up\n\
             neigh add 10.77.0.1 lladdr 02:00:0a:4d:00:01 dev eth0 nud permanent\n\
             neigh add 10.77.0.254 lladdr 02:00:0a:4d:00:fe dev eth0 nud permanent\n"
        );
    }

    #[test]
    fn no_two_nodes_share_an_address_with_each_other_or_the_hub() {
        let mut addresses: Vec<_> = node_specs(MOST_NODES).iter().map(|n| n.address).collect();
        addresses.push(HUB);
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), MOST_NODES + 1);
    }
}
