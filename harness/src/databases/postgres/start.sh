# A node: a primary, or a standby that follows one. $1 is the folder of PostgreSQL's programs.
set -e
programs=$1
# PostgreSQL refuses to run as root. In a user namespace of its own it is somebody else to itself, and
# to the files here who it was. What it shares between processes is gone with the namespace.
if [ "$(id -u)" = 0 ]; then
    exec unshare --user --map-user=65534 --map-group=65534 --ipc bash start.sh "$programs"
fi
export HOME=$PWD PGCONNECT_TIMEOUT=2 LC_ALL=C
. ./node.sh

# The data is there at once and whole, or not at all.
made=data/made data=data/postgres
while [ ! -e "$data" ]; do
    rm -rf "$made"
    mkdir -p data
    if [ "$node" = 1 ]; then
        "$programs/initdb" -D "$made" -A trust -U "$user" -E UTF8 --locale=C --no-instructions
        if [ "$database" != postgres ]; then
            echo "create database \"$database\"" | "$programs/postgres" --single -D "$made" postgres
        fi
        mv "$made" "$data"
    # A server syncs a backup before it replays it.
    elif "$programs/pg_basebackup" -d "$primary" -D "$made" -X stream -c fast --no-sync 2> backup.txt
    then
        touch "$made/standby.signal"
        mv "$made" "$data"
    else
        sleep 0.1
    fi
    sync data
done

# As a script of an operator's does it: asks once a second, and does not ask anybody else.
watch_primary() {
    missed=0
    while [ -e "$data/standby.signal" ]; do
        sleep 1 &
        if "$programs/pg_isready" -q -t 1 -d "$primary"; then missed=0; else missed=$((missed + 1)); fi
        wait $!
        if [ "$missed" -ge "$promote" ]; then
            echo "the primary has not answered $missed times: this node takes its place"
            "$programs/pg_ctl" promote -D "$data" -W
            return
        fi
    done
}
if [ "$promote" != 0 ] && [ "$node" = 2 ]; then watch_primary & fi

"$programs/postgres" -D "$data" --config-file="$PWD/postgresql.conf" --hba-file="$PWD/pg_hba.conf" &
server=$!
# What ends one of them ends the node.
trap 'kill -s INT $server 2> /dev/null; wait $server; exit' TERM INT
wait $server
