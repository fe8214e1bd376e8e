"""Clients of the bundled store that break a rule each: liars.py HOW URL."""
import http.client, json, sys, time
from urllib.parse import urlsplit

how, node = sys.argv[1], urlsplit(sys.argv[2])


def once(method, path, body=None):
    connection = http.client.HTTPConnection(node.hostname, node.port, timeout=10)
    try:
        connection.connect()
    except OSError:
        return {"type": "fail", "error": "connection"}
    connection.request(method, path, json.dumps(body) if body else None,
                       {"content-type": "application/json"})
    answer = connection.getresponse()
    found = json.loads(answer.read() or "{}")
    if answer.status == 200:
        return {"type": "ok", "value": found.get("value")}
    return {"type": "fail", "error": "mismatch"} if answer.status == 412 else {"type": "info"}


def ask(*request):
    try:
        return once(*request)
    except (OSError, http.client.HTTPException):
        if how == "unsure-is-fail":
            return {"type": "fail", "error": "timeout"}
        if how == "tries-again":
            try:
                return once(*request)
            except (OSError, http.client.HTTPException):
                pass
        return {"type": "info"}


def carry_out(op):
    path, value = "/kv/" + op["key"], op["value"]
    if how == "always-ok":
        return {"type": "ok", "value": value}
    if op["f"] == "read":
        return ask("GET", path)
    if op["f"] == "write":
        return ask("PUT", path, {"value": value})
    if op["f"] == "cas":
        return ask("POST", path + "/cas", {"old": value[0], "new": value[1]})
    return {"type": "fail"}


for line in sys.stdin:
    op = json.loads(line)
    answer = {"id": op["id"], **carry_out(op)}
    print("hello" if how == "garbage" else json.dumps(answer), flush=True)
if how == "stays":
    time.sleep(60)
