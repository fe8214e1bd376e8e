#!/usr/bin/env python3
"""Maelstrom's broadcast: every message comes to every node. With --forgetful, each is passed on once only, and
what the network loses is lost for good.

splitbrain run --db maelstrom --bin ./broadcast.py --workload set-full --expect eventual"""
import sys
from node import Node

node, messages, neighbours = Node(), set(), []
unacknowledged = {}  # by neighbour: what it has not confirmed


@node.on("topology")
def topology(message):
    neighbours[:] = message["body"]["topology"][node.id]
    node.reply(message, {"type": "topology_ok"})


def learn(new, but=None):
    new = set(new) - messages
    messages.update(new)
    for neighbour in neighbours if new else []:
        if neighbour != but:
            unacknowledged.setdefault(neighbour, set()).update(new)
            pass_on(neighbour)


def pass_on(neighbour):
    some = sorted(unacknowledged.get(neighbour, ()))[:500]
    if some:
        confirmed = lambda body: unacknowledged.get(neighbour, set()).difference_update(some)
        node.ask(neighbour, {"type": "gossip", "messages": some}, confirmed)
    if "--forgetful" in sys.argv:
        unacknowledged.clear()


@node.on("broadcast")
def broadcast(message):
    learn([message["body"]["message"]])
    node.reply(message, {"type": "broadcast_ok"})


@node.on("gossip")
def gossip(message):
    learn(message["body"]["messages"], but=message["src"])
    node.reply(message, {"type": "gossip_ok"})


@node.on("read")
def read(message):
    node.reply(message, {"type": "read_ok", "messages": sorted(messages)})


node.every(0.2, lambda: [pass_on(neighbour) for neighbour in list(unacknowledged)])
node.run()
