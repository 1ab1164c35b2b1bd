#!/usr/bin/env python3
"""librdkafka, through confluent-kafka for Python (Debian: python3-confluent-kafka), as a client under test. Speaks docs/clients.md."""
import threading

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, OFFSET_BEGINNING, TopicPartition

import lines

# What certainly did not happen and never will. Everything else may have: a time-out above all, and what librdkafka purged after it had been in flight.
NEVER = {"MSG_SIZE_TOO_LARGE", "TOPIC_EXCEPTION", "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "UNSUPPORTED_VERSION", "INVALID_RECORD", "_INVALID_ARG", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "_QUEUE_FULL", "BufferError", "ValueError", "TypeError"}
NEVER_AT_FIRST = {"NOT_ENOUGH_REPLICAS"}  # definite only where nothing was sent before: with retries=0
COMMIT_REFUSED = {"ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "FENCED_INSTANCE_ID", "_NO_OFFSET"}

# Settings of the runner that librdkafka does not have, with the one value that leaving them out amounts to; None: any value.
LEFT_OUT = {"max.poll.records": None, "group.protocol": "classic"}
RENAMED = {"delivery.timeout.ms": "message.timeout.ms"}


def outcome(name, retries):
    return lines.FAIL if name in NEVER or name in COMMIT_REFUSED or (retries == 0 and name in NEVER_AT_FIRST) else lines.INFO


def name(error):
    error = error.args[0] if isinstance(error, KafkaException) else error
    return error.name() if isinstance(error, KafkaError) else type(error).__name__


def settings(asked, role):
    taken = {}
    for key, value in asked.items():
        if key in LEFT_OUT and LEFT_OUT[key] in (None, value):
            continue
        # In librdkafka request.timeout.ms is a producer's alone; a consumer's is socket.timeout.ms.
        key = "socket.timeout.ms" if key == "request.timeout.ms" and role == "consumer" else RENAMED.get(key, key)
        taken[key] = min(int(value), 2147483647) if value.isdigit() else value
    return taken


class Client:
    name = f"librdkafka {confluent_kafka.libversion()[0]}"


class Producer(Client):
    def __init__(self, asked):
        self.retries = int(asked["retries"])
        self.producer = confluent_kafka.Producer(settings(asked, "producer"))
        self.open = True
        self.polling = threading.Thread(target=self.serve_callbacks, daemon=True)
        self.polling.start()

    def serve_callbacks(self):
        while self.open:
            self.producer.poll(0.05)

    def send(self, request):
        id = request["id"]

        def delivered(error, message):
            if error is not None:
                lines.tell(id=id, type=outcome(error.name(), self.retries), error=f"{error.name()}: {error.str()}")
            elif message.offset() is not None and message.offset() >= 0:
                lines.tell(id=id, type=lines.OK, offset=message.offset())
            else:
                lines.tell(id=id, type=lines.OK)

        self.producer.produce(request["topic"], value=request["value"], key=request["key"], partition=request["partition"], on_delivery=delivered)

    def close(self, request):
        self.producer.flush(30)
        self.open = False
        return {}


class Consumer(Client):
    retries = 0

    def __init__(self, asked):
        self.batch = int(asked.get("max.poll.records", "500"))
        # It wants a group of every consumer, also of one that joins none.
        self.consumer = confluent_kafka.Consumer(settings({"group.id": "none", **asked}, "consumer"))

    def assign(self, request):
        self.consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition, _ in lines.partitions(request)])
        return {}

    def seek(self, request):
        for topic, partition, offset in lines.partitions(request, "offsets"):
            self.consumer.seek(TopicPartition(topic, partition, offset))
        return {}

    def subscribe(self, request):
        def assigned(consumer, partitions):
            told = [{"topic": one.topic, "partition": one.partition, "offset": max(one.offset, -1)} for one in consumer.committed(partitions, timeout=30)]
            lines.tell(f="assigned", member=consumer.memberid() if hasattr(consumer, "memberid") else "", partitions=told)

        def revoked(consumer, partitions):
            lines.tell(f="revoked", partitions=[{"topic": one.topic, "partition": one.partition} for one in partitions])

        self.consumer.subscribe(request["topics"], on_assign=assigned, on_revoke=revoked)
        return {}

    def poll(self, request):
        """The first record is waited for; what has come by then comes with it."""
        polled = self.consumer.consume(1, request["timeoutMs"] / 1000)
        if polled:
            polled += self.consumer.consume(self.batch - 1, 0) if self.batch > 1 else []
        return {"records": [
            {"topic": one.topic(), "partition": one.partition(), "offset": one.offset(), "key": one.key() and one.key().decode(), "value": one.value() and one.value().decode()}
            for one in polled if one.error() is None]}

    def commit(self, request):
        done = self.consumer.commit(offsets=[TopicPartition(topic, partition, offset) for topic, partition, offset in lines.partitions(request, "offsets")], asynchronous=False)
        for one in done:
            if one.error is not None:
                raise KafkaException(one.error)
        return {}

    def close(self, request):
        self.consumer.close()
        return {}


if __name__ == "__main__":
    lines.run({"producer": Producer, "consumer": Consumer}, outcome, name)
