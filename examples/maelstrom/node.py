"""A node of the Maelstrom protocol: handlers by message type, requests to others, and a clock."""
import json, sys, threading


class Node:
    def __init__(self):
        self.id, self.peers, self.handlers, self.callbacks = None, [], {}, {}
        self.next_id, self.lock = 0, threading.RLock()

    def on(self, kind):
        """Decorates the handler of a type of message, which is given the message."""
        return lambda handler: self.handlers.setdefault(kind, handler)

    def send(self, dest, body):
        with self.lock:
            print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def reply(self, message, body):
        self.send(message["src"], {**body, "in_reply_to": message["body"]["msg_id"]})

    def fail(self, message, code, text):
        self.reply(message, {"type": "error", "code": code, "text": text})

    def ask(self, dest, body, callback):
        """Sends a request; the callback is given the body of the answer, if one comes."""
        with self.lock:
            self.next_id += 1
            self.callbacks[self.next_id] = callback
            self.send(dest, {**body, "msg_id": self.next_id})

    def every(self, seconds, work):
        """Does some work again and again."""
        def turn():
            with self.lock:
                work()
            self.every(seconds, work)
        timer = threading.Timer(seconds, turn)
        timer.daemon = True
        timer.start()

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            body = message["body"]
            with self.lock:
                if "in_reply_to" in body:
                    callback = self.callbacks.pop(body["in_reply_to"], None)
                    if callback:
                        callback(body)
                elif body["type"] == "init":
                    self.id = body["node_id"]
                    self.peers = [node for node in body["node_ids"] if node != self.id]
                    self.reply(message, {"type": "init_ok"})
                elif body["type"] in self.handlers:
                    self.handlers[body["type"]](message)
                else:
                    self.fail(message, 10, "not supported: " + body["type"])
