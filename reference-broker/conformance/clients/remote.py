"""A client in another language: one JSON line for each call, one for its answer. The program is kafkajs/client.js or dotnet/Program.cs."""
import json
import subprocess

from client import Client, Member, NotOffered


class RemoteMember(Member):
    def __init__(self, remote, number):
        self.remote, self.number, self.held, self.rebalances = remote, number, [], 0

    def poll(self, seconds):
        told = self.remote.call("poll", member=self.number, ms=int(seconds * 1000))
        self.held, self.rebalances = told["assignment"], told["rebalances"]
        return told["records"]

    def assignment(self):
        return self.held

    def commit(self):
        self.remote.call("commit", member=self.number)

    def leave(self):
        self.remote.call("leave", member=self.number)


class Remote(Client):
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def call(self, what, **arguments):
        self.process.stdin.write(json.dumps(dict(arguments, call=what)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the client's program ended at {what}")
        told = json.loads(line)
        if "notOffered" in told:
            raise NotOffered(told["notOffered"])
        if "error" in told:
            raise RuntimeError(told["error"])
        return told.get("result")

    def version(self):
        return self.call("version")

    def create(self, topic, partitions, configs=None):
        self.call("create", topic=topic, partitions=partitions, configs=configs or {})

    def describe(self, topic):
        told = self.call("describe", topic=topic)
        return told and {part["partition"]: (part["leader"], part["replicas"], part["isr"]) for part in told}

    def delete(self, topic):
        self.call("delete", topic=topic)

    def grow(self, topic, partitions):
        self.call("grow", topic=topic, partitions=partitions)

    def produce(self, topic, records, acks="all", idempotent=False, compression="none"):
        return self.call("produce", topic=topic, records=records, acks=acks, idempotent=idempotent, compression=compression)

    def transact(self, topic, records, commit):
        self.call("transact", topic=topic, records=records, commit=commit)

    def read(self, topic, partition, start, count):
        return self.call("read", topic=topic, partition=partition, start=start, count=count)

    def offset_at(self, topic, partition, ms):
        return self.call("offsetAt", topic=topic, partition=partition, ms=ms)

    def ends(self, topic, partition):
        return self.call("ends", topic=topic, partition=partition)

    def join(self, group, topic, instance=None):
        return RemoteMember(self, self.call("join", group=group, topic=topic, instance=instance))

    def groups(self):
        return self.call("groups")

    def group(self, group):
        return self.call("group", group=group)

    def delete_group(self, group):
        self.call("deleteGroup", group=group)

    def reset(self, group, topic, partition, offset):
        self.call("reset", group=group, topic=topic, partition=partition, offset=offset)

    def delete_records(self, topic, partition, before):
        self.call("deleteRecords", topic=topic, partition=partition, before=before)

    def configs(self, topic):
        return self.call("configs", topic=topic)

    def alter(self, topic, name, value):
        self.call("alter", topic=topic, name=name, value=value)
