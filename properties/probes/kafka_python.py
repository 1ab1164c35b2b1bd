#!/usr/bin/env python3
"""kafka-python (Debian: python3-kafka) as a client under test. Speaks docs/clients.md."""
import kafka

import lines

# What certainly did not happen and never will. Everything else may have: a time-out above all.
NEVER_SENT = {"MessageSizeTooLargeError", "InvalidTopicError", "TopicAuthorizationFailedError", "ClusterAuthorizationFailedError", "UnsupportedVersionError", "UnrecognizedBrokerVersion", "AssertionError", "ValueError"}
REFUSED_AT_FIRST = {"NotEnoughReplicasError"}  # definite only where nothing was sent before: with retries=0
COMMIT_REFUSED = {"CommitFailedError", "RebalanceInProgressError", "IllegalGenerationError", "UnknownMemberIdError", "FencedInstanceIdError", "OffsetMetadataTooLargeError"}


def outcome(name, retries):
    if name in NEVER_SENT or name in COMMIT_REFUSED or (retries == 0 and name in REFUSED_AT_FIRST):
        return lines.FAIL
    return lines.INFO


def settings(asked, known):
    """The library's own names and types for settings under Kafka's names. What it does not have is left out where that changes nothing, and refused elsewhere."""
    without_effect = {"enable.idempotence": "false", "isolation.level": "read_uncommitted", "delivery.timeout.ms": None}
    taken = {}
    for name, value in asked.items():
        own = name.replace(".", "_")
        if own in known:
            default = known[own]
            taken[own] = value.split(",") if name == "bootstrap.servers" else value == "true" if isinstance(default, bool) else int(value) if isinstance(default, int) and value.lstrip("-").isdigit() else value
        elif name not in without_effect or without_effect[name] not in (None, value):
            raise ValueError(f"kafka-python has no setting {name}={value}")
    return taken


class Client:
    name = f"kafka-python {kafka.__version__}"


class Producer(Client):
    def __init__(self, asked):
        taken = settings(asked, kafka.KafkaProducer.DEFAULT_CONFIG)
        self.retries = int(taken.get("retries", 0))
        self.producer = kafka.KafkaProducer(**taken)

    def send(self, request):
        id, key = request["id"], request["key"]
        future = self.producer.send(request["topic"], value=request["value"].encode(), key=None if key is None else key.encode(), partition=request["partition"])
        future.add_callback(lambda sent: lines.tell(id=id, type=lines.OK, **({"offset": sent.offset} if sent.offset >= 0 else {})))
        future.add_errback(lambda error: lines.tell(id=id, type=outcome(type(error).__name__, self.retries), error=f"{type(error).__name__}: {error}"))

    def close(self, request):
        self.producer.close(timeout=30)
        return {}


class Consumer(Client):
    retries = 0

    def __init__(self, asked):
        taken = settings(asked, kafka.KafkaConsumer.DEFAULT_CONFIG)
        # It refuses a request time-out that is not above the session's.
        taken["request_timeout_ms"] = max(taken["request_timeout_ms"], taken.get("session_timeout_ms", 0) + 1000)
        self.consumer = kafka.KafkaConsumer(**taken)

    def partitions(self, request, field="partitions"):
        return [(kafka.TopicPartition(topic, partition), offset) for topic, partition, offset in lines.partitions(request, field)]

    def assign(self, request):
        given = [partition for partition, _ in self.partitions(request)]
        self.consumer.assign(given)
        self.consumer.seek_to_beginning(*given)
        return {}

    def seek(self, request):
        for partition, offset in self.partitions(request, "offsets"):
            self.consumer.seek(partition, offset)
        return {}

    def subscribe(self, request):
        consumer, own = self.consumer, self

        class Listener(kafka.ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked):
                lines.tell(f="revoked", partitions=[{"topic": one.topic, "partition": one.partition} for one in revoked])

            def on_partitions_assigned(self, assigned):
                generation = consumer._coordinator._generation
                told = [{"topic": one.topic, "partition": one.partition, "offset": own.committed(one)} for one in sorted(assigned)]
                lines.tell(f="assigned", member=generation.member_id, generation=generation.generation_id, partitions=told)

        self.consumer.subscribe(request["topics"], listener=Listener())
        return {}

    def committed(self, partition):
        offset = self.consumer.committed(partition)
        return -1 if offset is None else offset

    def poll(self, request):
        polled = self.consumer.poll(timeout_ms=request["timeoutMs"])
        return {"records": [
            {"topic": one.topic, "partition": one.partition, "offset": one.offset, "key": one.key and one.key.decode(), "value": one.value and one.value.decode()}
            for batch in polled.values() for one in batch]}

    def commit(self, request):
        self.consumer.commit({partition: kafka.OffsetAndMetadata(offset, "") for partition, offset in self.partitions(request, "offsets")})
        return {}

    def close(self, request):
        self.consumer.close()
        return {}


if __name__ == "__main__":
    lines.run({"producer": Producer, "consumer": Consumer}, outcome)
