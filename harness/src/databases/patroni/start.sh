# A node: etcd, and Patroni with its PostgreSQL.
set -e
# PostgreSQL refuses to run as root. In a user namespace of its own it is somebody else to itself, and
# to the files here who it was. What it shares between processes is gone with the namespace. Patroni looks
# for processes by their numbers in the namespace of these.
if [ "$(id -u)" = 0 ]; then
    exec unshare --mount --propagation slave sh -c 'mount -t proc proc /proc &&
        exec unshare --user --map-user=65534 --map-group=65534 --ipc bash start.sh'
fi
export HOME=$PWD PGCONNECT_TIMEOUT=2 LC_ALL=C.UTF-8
mkdir -p data
etcd --config-file etcd.json >> etcd.txt 2>&1 &
patroni patroni.json &
# It has ended when one of them has.
wait -n
