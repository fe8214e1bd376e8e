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

# As an operator's script does it: asks once a second, does not ask anybody else, and fences nobody.
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

# What an operator does who sees that a node does not follow the new primary: an old primary, or a standby
# that had received more than the new one. Three looks, a second apart, and it is ended.
watch_second() {
    missed=0
    while [ "$missed" -lt 3 ]; do
        sleep 1
        follows=$(ask "$own" "select coalesce((select status from pg_stat_wal_receiver), 'none')")
        if [ "${follows:-streaming}" = streaming ] ||
            [ "$(ask "$second" 'select pg_is_in_recovery()')" != f ]; then
            missed=0
        else
            missed=$((missed + 1))
        fi
    done
    echo "node 2 has become the primary: this node becomes its standby"
    touch replaced
    kill -s INT "$(head -n 1 "$data/postmaster.pid")"
}
ask() {
    "$programs/psql" -d "$1" -AtXc "$2" 2> /dev/null || true
}

# What only this node had is lost now. The checkpoint writes down that there is another timeline.
rejoin() {
    "$programs/psql" -d "$second" -AtXqc checkpoint &&
        "$programs/pg_rewind" -D "$data" --source-server="$second" && touch "$data/standby.signal"
}

if [ "$promote" != 0 ] && [ "$node" = 2 ]; then watch_primary & fi
trap 'kill -s INT $server 2> /dev/null; wait $server; exit' TERM INT
while true; do
    if [ -e replaced ]; then until rejoin; do sleep 1; done && rm replaced && sync "$data"; fi
    if [ "$rejoins" = yes ] && [ "$node" != 2 ]; then watch_second & fi
    "$programs/postgres" -D "$data" --config-file="$PWD/postgresql.conf" \
        --hba-file="$PWD/pg_hba.conf" &
    server=$!
    status=0
    wait $server || status=$?
    [ -e replaced ] || exit $status
done
