#!/bin/sh
# A node of CouchDB's kind: pouchdb-server (npm install pouchdb-server) with the database of `couchdb.toml`.
# Twice a second it fetches from each other node what it misses.
# couchdb-node.sh PROGRAM NODE ADDRESS PEERS DATA, the last four as splitbrain run --start fills them in.
program=$1 node=$2 address=$3 peers=$4 data=$5
mkdir -p "$data"
cd "$data" || exit
"$program" --host "${address%:*}" --port "${address#*:}" --dir "$data" --no-stdout-logs &
say() { curl -sS -m 2 -o answer.json -w '%{http_code}' -H 'content-type: application/json' "$@" 2> /dev/null; }
until case $(say -X PUT "http://$address/splitbrain") in 201 | 412) ;; *) false ;; esac do
    kill -0 $! || exit
    sleep 0.2
done
others=$(echo "$peers" | tr , '\n' | grep -v "^$node=")
while kill -0 $!; do
    sleep 0.5
    for other in $others; do
        say "http://$address/_replicate" -d "{\"source\": \"http://${other#*=}/splitbrain\", \"target\": \"splitbrain\"}"
    done
done
