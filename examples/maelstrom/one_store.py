#!/usr/bin/env python3
"""Maelstrom's other workloads, each by one entry of the service lin-kv that is replaced as a whole: g-set, counters,
txn-list-append, txn-rw-register, kafka; and unique-ids and echo. With --blind, a node replaces the entry by what it knows itself,
and updates of others are lost; and it echoes what it heard before.

splitbrain run --db maelstrom --bin ./one_store.py --workload append   # or wr, counter, pn-counter, log, unique-ids, echo"""
import json, sys
from node import Node

node, made, heard, mine = Node(), [0], [None], [None]
BLIND = "--blind" in sys.argv


def change(message, update):
    """Replaces the entry by what `update` makes of it, and replies with what that returns beside."""
    def found(answer):
        before = mine[0] if BLIND else answer.get("value")  # none if there is no entry yet
        after, reply = update(json.loads(before or "{}"))
        after = mine[0] = json.dumps(after, sort_keys=True)

        def replaced(answer):
            if answer["type"] == "error" and answer["code"] == 22:
                change(message, update)  # somebody else was faster
            else:
                node.reply(message, reply)

        if after == (before or "{}"):
            return node.reply(message, reply)
        request = {"type": "cas", "key": "all", "from": before, "to": after, "create_if_not_exists": True}
        if BLIND:
            request = {"type": "write", "key": "all", "value": after}
        node.ask("lin-kv", request, replaced)

    node.ask("lin-kv", {"type": "read", "key": "all"}, found)


@node.on("generate")
def generate(message):
    made[0] += 1
    node.reply(message, {"type": "generate_ok", "id": node.id + "-" + str(made[0])})


@node.on("echo")
def echo(message):
    before, heard[0] = heard[0], message["body"]["echo"]
    node.reply(message, {"type": "echo_ok", "echo": before if BLIND else heard[0]})


@node.on("add")
def add(message):
    body = message["body"]

    def update(state):
        if "element" in body:
            return {**state, "set": state.get("set", []) + [body["element"]]}, {"type": "add_ok"}
        return {**state, "sum": state.get("sum", 0) + body["delta"]}, {"type": "add_ok"}

    change(message, update)


@node.on("read")
def read(message):
    change(message, lambda state: (
        state, {"type": "read_ok", "value": state["set"] if "set" in state else state.get("sum", 0)}))


@node.on("txn")
def txn(message):
    def update(state):
        done = []
        for action, key, value in message["body"]["txn"]:
            if action == "append":
                state[str(key)] = state.get(str(key), []) + [value]
            elif action == "w":
                state[str(key)] = value
            done.append([action, key, state.get(str(key)) if action == "r" else value])
        return state, {"type": "txn_ok", "txn": done}

    change(message, update)


@node.on("send")
def send(message):
    def update(state):
        log = state.setdefault(message["body"]["key"], [])
        log.append(message["body"]["msg"])
        return state, {"type": "send_ok", "offset": len(log) - 1}

    change(message, update)


@node.on("poll")
def poll(message):
    def update(state):
        some = {key: list(enumerate(state.get(key, [])))[offset:][:20]
                for key, offset in message["body"]["offsets"].items()}
        return state, {"type": "poll_ok", "msgs": {key: log for key, log in some.items() if log}}

    change(message, update)


node.run()
