#!/usr/bin/env python3
"""Maelstrom's lin-kv by the service of that name: each request is passed on. With --cached, a node answers reads
from what it last saw, and is stale.

splitbrain run --db maelstrom --bin ./lin_kv.py --workload register"""
import sys
from node import Node

node, cache = Node(), {}


def pass_on(message):
    body = message["body"]
    request = {key: value for key, value in body.items() if key != "msg_id"}
    if "--cached" in sys.argv and body["type"] == "read" and body["key"] in cache:
        return node.reply(message, {"type": "read_ok", "value": cache[body["key"]]})

    def answered(answer):
        if answer["type"] == "read_ok":
            cache[body["key"]] = answer["value"]
        del answer["in_reply_to"]
        node.reply(message, answer)

    node.ask("lin-kv", request, answered)


for kind in ["read", "write", "cas"]:
    node.on(kind)(pass_on)
node.run()
