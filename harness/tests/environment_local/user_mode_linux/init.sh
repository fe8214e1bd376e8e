#!/bin/bash
# The first process of a user-mode Linux kernel whose root is this machine's, read-only: makes what
# the kernel of Debian leaves to modules, runs the tests and switches off. Their program is in the
# environment: the kernel hands on what it does not know.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
mkdir -p /run/modules/lib/modules /run/bin /run/state
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
for module in veth bridge br_netfilter sch_netem sch_htb cls_u32 ip_tables iptable_filter \
    iptable_mangle xt_statistic xt_tcpudp ipt_REJECT nfnetlink_queue xt_NFQUEUE; do
    modprobe -d /run/modules "$module" || echo "no module $module"
done
# Only the older tables are there.
for tool in iptables-restore iptables-save; do
    ln -s /usr/sbin/xtables-legacy-multi "/run/bin/$tool"
done
export PATH="/run/bin:$PATH" HOME=/run TMPDIR=/run SPLITBRAIN_STATE_DIR=/run/state
# A clock of 100 ticks a second and one processor for all.
export SPLITBRAIN_LATENESS_MS=50
ip link set lo up
cd /run
"$SPLITBRAIN_PROGRAM" bad-links "$SPLITBRAIN_PART"
echo "ended with $?"
echo o > /proc/sysrq-trigger
sleep 10
