#!/usr/bin/env python3
"""A client of the bundled store: run --db command --client 'register.py {url}'."""
import http.client, json, sys
from urllib.parse import urlsplit

node = urlsplit(sys.argv[1])


def ask(method, path, body=None):
    """One request, never sent twice. An error before it was sent: nothing has happened."""
    connection = http.client.HTTPConnection(node.hostname, node.port, timeout=10)
    try:
        connection.connect()
    except OSError as error:
        return {"type": "fail", "error": "connection", "text": str(error)}
    try:
        connection.request(method, path, json.dumps(body) if body else None,
                           {"content-type": "application/json"})
        answer = connection.getresponse()
        found = json.loads(answer.read() or "{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"type": "info", "error": "connection", "text": repr(error)}
    if answer.status == 200:
        return {"type": "ok", "value": found.get("value")}
    known = {"mismatch": "fail", "refused": "fail"}.get(found.get("outcome"), "info")
    return {"type": known, "error": found["outcome"] if known == "fail" else "other"}


for line in sys.stdin:
    op = json.loads(line)
    path, value = "/kv/" + op["key"], op["value"]
    requests = {"read": ("GET", path), "write": ("PUT", path, {"value": value})}
    if op["f"] == "cas":
        requests["cas"] = ("POST", path + "/cas", {"old": value[0], "new": value[1]})
    known = op["f"] in requests
    answer = ask(*requests[op["f"]]) if known else {"type": "fail", "text": "no such operation"}
    print(json.dumps({"id": op["id"], **answer}), flush=True)
