#!/usr/bin/env python3
"""The few requests that the script itself needs, in plain Python, so that it can look at a cluster whatever clients are there.

wire.py ready NODES [SECONDS]: waits until every broker knows of that many brokers.   wire.py in-sync [SECONDS]: waits until every replica of every partition is in sync."""
import os
import socket
import struct
import sys
import time


def ask(address, api, version, body, timeout=10):
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout) as connection:
        connection.settimeout(timeout)
        head = struct.pack(">hhih", api, version, 1, 6) + b"script"
        connection.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
        size = struct.unpack(">i", exactly(connection, 4))[0]
        return Reader(exactly(connection, size)[4:])


def exactly(connection, count):
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            raise ConnectionError("the broker closed the connection")
        got += more
    return got


class Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def take(self, form):
        value = struct.unpack_from(">" + form, self.content, self.at)[0]
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        length = self.take("h")
        if length < 0:
            return None
        self.at += length
        return self.content[self.at - length:self.at].decode()

    def list(self, item):
        return [item() for _ in range(self.take("i"))]


def text(value):
    return struct.pack(">h", len(value.encode())) + value.encode()


def metadata(address, topics=None):
    """Metadata version 4: (controller, {broker: address}, {topic: (error, {partition: (leader, replicas, isr)})})."""
    named = struct.pack(">i", -1) if topics is None else struct.pack(">i", len(topics)) + b"".join(map(text, topics))
    answer = ask(address, 3, 4, named + b"\0")
    answer.take("i")
    brokers = dict(answer.list(lambda: (answer.take("i"), (answer.text(), answer.take("i"), answer.text()))))
    answer.text()
    controller = answer.take("i")

    def partition():
        answer.take("h")
        return answer.take("i"), (answer.take("i"), answer.list(lambda: answer.take("i")), answer.list(lambda: answer.take("i")))

    def one():
        error, name, _ = answer.take("h"), answer.text(), answer.take("b")
        return name, (error, dict(answer.list(partition)))

    return controller, {node: f"{host}:{port}" for node, (host, port, _) in brokers.items()}, dict(answer.list(one))


def addresses():
    return os.environ["BOOTSTRAP"].split(",")


def create_topic(name, partitions, configs):
    """CreateTopics version 4, at the controller."""
    settings = struct.pack(">i", len(configs)) + b"".join(text(key) + text(value) for key, value in configs.items())
    body = struct.pack(">i", 1) + text(name) + struct.pack(">ihi", partitions, -1, 0) + settings + struct.pack(">ib", 30000, 0)
    controller, brokers, _ = metadata(addresses()[0], [])
    answer = ask(brokers.get(controller, addresses()[0]), 19, 4, body, 40)
    answer.take("i")
    for topic, error, message in answer.list(lambda: (answer.text(), answer.take("h"), answer.text())):
        if error:
            raise RuntimeError(f"creating {topic}: error {error} {message}")


def keep_trying(what, seconds, works):
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            last = works()
            if last is None:
                return
        except (OSError, struct.error) as error:
            last = str(error)
        time.sleep(0.1)
    raise TimeoutError(f"{what} not within {seconds} s: {last}")


def await_topic(name, partitions):
    """Until every broker knows the topic and each partition has a leader."""
    def works():
        for address in addresses():
            error, found = metadata(address, [name])[2][name]
            if error or len(found) != partitions or any(leader < 0 for leader, _, _ in found.values()):
                return f"{address} says error {error}, {found}"
    keep_trying(f"topic {name} everywhere", 30, works)


def await_brokers(nodes, seconds):
    def works():
        for address in addresses():
            if len(metadata(address)[1]) != nodes:
                return f"{address} knows {len(metadata(address)[1])} brokers"
    keep_trying(f"{nodes} brokers", seconds, works)


def await_in_sync(seconds):
    def works():
        for address in addresses():
            _, brokers, topics = metadata(address)
            if len(brokers) != len(addresses()):
                return f"{address} knows {len(brokers)} brokers"
            for name, (_, partitions) in topics.items():
                for number, (leader, replicas, isr) in partitions.items():
                    if leader < 0 or len(isr) < len(replicas):
                        return f"{name}-{number} leader {leader}, in sync {isr} of {replicas}"
    keep_trying("all replicas in sync", seconds, works)


if __name__ == "__main__":
    try:
        if sys.argv[1] == "ready":
            await_brokers(int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 60)
        elif sys.argv[1] == "in-sync":
            await_in_sync(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
        elif sys.argv[1] == "create":
            create_topic(sys.argv[2], int(sys.argv[3]), {})
            await_topic(sys.argv[2], int(sys.argv[3]))
        else:
            sys.exit(f"wire.py knows no '{sys.argv[1]}'")
    except Exception as error:
        sys.exit(f"wire.py: {error}")
