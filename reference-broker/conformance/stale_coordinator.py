#!/usr/bin/env python3
"""Asks a real Kafka whether a deposed group coordinator goes on telling committed offsets.

    stale_coordinator.py KAFKA_HOME [TRIALS]

Three nodes on loopback. A group's coordinator is paused (SIGSTOP), the next one confirms a commit, and the first is
asked again over a connection that it already has, at the moment it runs on. See docs/decisions/0010.
"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

NODES = (1, 2, 3)
FIND_COORDINATOR, OFFSET_COMMIT, OFFSET_FETCH = 10, 8, 9


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Cluster:
    def __init__(self, home, folder):
        self.home, self.folder, self.processes = home, folder, {}
        ports = free_ports(6)
        self.ports, controllers = dict(zip(NODES, ports)), dict(zip(NODES, ports[3:]))
        voters = ",".join(f"{n}@127.0.0.1:{controllers[n]}" for n in NODES)
        for n in NODES:
            with open(f"{folder}/{n}.properties", "w", encoding="ascii") as f:
                f.write(f"process.roles=broker,controller\nnode.id={n}\ncontroller.quorum.voters={voters}\n"
                        f"listeners=PLAINTEXT://127.0.0.1:{ports[n - 1]},CONTROLLER://127.0.0.1:{controllers[n]}\n"
                        f"advertised.listeners=PLAINTEXT://127.0.0.1:{ports[n - 1]}\ncontroller.listener.names=CONTROLLER\n"
                        f"log.dirs={folder}/{n}\noffsets.topic.replication.factor=3\noffsets.topic.num.partitions=1\n"
                        "default.replication.factor=3\nmin.insync.replicas=2\nbroker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\n")
            self.run("kafka-storage.sh", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", f"{folder}/{n}.properties")

    def start(self):
        for n in NODES:
            with open(f"{self.folder}/{n}.log", "wb") as log:
                self.processes[n] = subprocess.Popen([f"{self.home}/bin/kafka-server-start.sh", f"{self.folder}/{n}.properties"], stdout=log, stderr=log)

    def run(self, tool, *arguments):
        subprocess.run([f"{self.home}/bin/{tool}", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def signal(self, node, number):
        self.processes[node].send_signal(number)

    def end(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def connect(self, node):
        return socket.create_connection(("127.0.0.1", self.ports[node]), 20)

    def ask(self, node, key, version, body):
        with self.connect(node) as s:
            send(s, key, version, body)
            return receive(s)

    def coordinator(self, node):
        error, found = struct.unpack(">hi", self.ask(node, FIND_COORDINATOR, 0, text("g"))[:6])
        return found if error == 0 else None

    def commit(self, node, offset):
        body = text("g") + struct.pack(">i", -1) + text("") + struct.pack(">q", -1) + struct.pack(">i", 1) + text("t") + struct.pack(">iiq", 1, 0, offset) + text("")
        return struct.unpack(">h", self.ask(node, OFFSET_COMMIT, 2, body)[-2:])[0] == 0


COMMITTED = text("g") + struct.pack(">i", 1) + text("t") + struct.pack(">ii", 1, 0)


def send(s, key, version, body):
    message = struct.pack(">hhi", key, version, 1) + text("probe") + body
    s.sendall(struct.pack(">i", len(message)) + message)


def receive(s):
    def exactly(count):
        data = b""
        while len(data) < count:
            more = s.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data
    return exactly(struct.unpack(">i", exactly(4))[0])[4:]


def offset_and_error(answer):
    at = 4 + 2 + struct.unpack(">h", answer[4:6])[0] + 4
    offset, metadata = struct.unpack(">qh", answer[at + 4:at + 14])
    return offset, struct.unpack(">h", answer[at + 14 + max(0, metadata):at + 16 + max(0, metadata)])[0]


def until(question, what):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if (answer := question()) is not None and answer is not False:
                return answer
        except (OSError, EOFError):
            pass
        time.sleep(0.3)
    sys.exit(f"gave up waiting: {what}")


def main(home, trials):
    folder = tempfile.mkdtemp(prefix="stale-coordinator-")
    cluster = Cluster(home, folder)
    try:
        cluster.start()
        until(lambda: cluster.coordinator(1), "a coordinator")
        cluster.run("kafka-topics.sh", "--bootstrap-server", f"127.0.0.1:{cluster.ports[1]}", "--create", "--topic", "t", "--partitions", "1", "--replication-factor", "3")
        for trial in range(1, trials + 1):
            first = until(lambda: cluster.coordinator(1), "a coordinator")
            until(lambda: cluster.commit(first, 15), "the first commit")
            with cluster.connect(first) as s:
                cluster.signal(first, signal.SIGSTOP)
                other = next(n for n in NODES if n != first)
                second = until(lambda: (lambda n: n if n != first else None)(cluster.coordinator(other)), "the next coordinator")
                until(lambda: cluster.commit(second, 18), "the second commit")
                send(s, OFFSET_FETCH, 1, COMMITTED)
                cluster.signal(first, signal.SIGCONT)
                offset, error = offset_and_error(receive(s))
            print(f"trial {trial}: node {second} confirmed 18; node {first}, paused meanwhile, tells {offset}, error {error}", flush=True)
            until(lambda: cluster.coordinator(first) == second, "the first to learn")
    finally:
        cluster.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
