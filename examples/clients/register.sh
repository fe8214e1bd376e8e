#!/bin/sh
# A client of the bundled store, by curl: run --db command --client 'register.sh {url}'.
url=$1

# What became of a request: STATUS on the last line, the answer before it. curl sends it once.
ask() {
    body=$(curl --silent --max-time 10 --write-out '\n%{http_code}' "$@" <&-)
    case $? in
        0) ;;
        7) answer='"type":"fail","error":"connection"'; return ;; # could not connect
        *) answer='"type":"info","error":"connection"'; return ;;
    esac
    status=$(printf '%s' "$body" | tail -n 1)
    found=$(printf '%s' "$body" | sed -n 's/.*"value":\([^,}]*\).*/\1/p')
    case $status:$body in
        200:*) answer="\"type\":\"ok\",\"value\":${found:-null}" ;;
        412:*) answer='"type":"fail","error":"mismatch"' ;;
        *'"outcome":"refused"'*) answer='"type":"fail","error":"refused"' ;;
        *) answer="\"type\":\"info\",\"text\":\"status $status\"" ;;
    esac
}

while read -r line; do
    id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
    f=$(printf '%s' "$line" | sed 's/.*"f":"\([^"]*\)".*/\1/')
    key=$(printf '%s' "$line" | sed 's/.*"key":"\([^"]*\)".*/\1/')
    value=$(printf '%s' "$line" | sed 's/.*"value":\(.*\)}/\1/')
    json='content-type: application/json'
    case $f in
        read) ask "$url/kv/$key" ;;
        write) ask -X PUT -H "$json" -d "{\"value\":$value}" "$url/kv/$key" ;;
        cas) pair=$(printf '%s' "$value" | sed 's/\[\(.*\),\(.*\)\]/"old":\1,"new":\2/')
             ask -H "$json" -d "{$pair}" "$url/kv/$key/cas" ;;
        *) answer='"type":"fail","text":"no such operation"' ;;
    esac
    printf '{"id":%s,%s}\n' "$id" "$answer"
done
