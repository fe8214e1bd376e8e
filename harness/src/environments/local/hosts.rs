//! Local nodes as the harness starts and ends them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use splitbrain_nemesis::{Capability, Members};

use super::LocalCluster;
use crate::environments::{Daemon, EnvError, Hosts, Leftovers, Member};

impl Hosts for LocalCluster {
    fn told_to(&self, _viewer: usize, usual_ports: &[u16]) -> Vec<Member> {
        Member::at_usual_ports(self.nodes(), usual_ports)
    }

    fn clients_reach(&self, node: usize, usual_ports: &[u16]) -> SocketAddr {
        (self.nodes()[node].address, usual_ports[0]).into()
    }

    fn remove_at_end(&self, directory: &Path) -> Result<(), EnvError> {
        LocalCluster::remove_at_end(self, directory)
    }

    fn install(&self, daemons: Vec<Daemon>) -> Result<(), EnvError> {
        LocalCluster::install(self, daemons);
        Ok(())
    }

    fn replace(&self, node: usize, daemon: Daemon) -> Result<(), EnvError> {
        self.nodes[node].program().daemon = Some(daemon);
        Ok(())
    }

    fn attach(&self, needed: &[Capability], data: &[PathBuf]) {
        if needed.contains(&Capability::Limits) {
            self.prepare_limits();
        }
        if needed.contains(&Capability::Disks) {
            self.attach_disks(data);
        }
        if needed.contains(&Capability::Clocks) {
            self.attach_clocks();
        }
    }

    fn administer(&self, members: Box<dyn Members>) {
        LocalCluster::administer(self, members);
    }

    fn launch(&self, node: usize) -> Result<(), EnvError> {
        self.start(node)
    }

    fn exited(&self) -> Vec<(usize, String)> {
        LocalCluster::exited(self)
    }

    fn is_guarded(&self) -> bool {
        self.keeper_is_alive()
    }

    fn tear_down(&self) -> Leftovers {
        LocalCluster::tear_down(self)
    }
}
