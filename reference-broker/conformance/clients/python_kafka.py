"""kafka-python: a client written in Python from the protocol up."""
import threading
import time

import kafka
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.structs import OffsetAndMetadata, TopicPartition

from client import BOOTSTRAP, PATIENCE, Client, Member, NotOffered


def record(message):
    return dict(value=message.value and message.value.decode(), key=message.key and message.key.decode(), headers=[(name, value.decode()) for name, value in message.headers],
                partition=message.partition, timestamp=message.timestamp, offset=message.offset)


class PythonMember(Member, kafka.ConsumerRebalanceListener):
    """Polls in a thread of its own: a poll that joins a group lasts until the other members, of the same program here, have joined too."""

    def __init__(self, group, topic):
        self.consumer = kafka.KafkaConsumer(bootstrap_servers=BOOTSTRAP.split(","), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest", session_timeout_ms=10000, heartbeat_interval_ms=500)
        self.rebalances, self.read, self.failed, self.ended, self.lock = 0, [], None, False, threading.Lock()
        self.consumer.subscribe([topic], listener=self)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        while not self.ended:
            with self.lock:
                try:
                    self.read += [record(message) for messages in self.consumer.poll(100).values() for message in messages]
                except Exception as error:
                    self.failed = error
            time.sleep(0.01)

    def on_partitions_assigned(self, assigned):
        self.rebalances += 1

    def on_partitions_revoked(self, revoked):
        pass

    def poll(self, seconds):
        time.sleep(seconds)
        with self.lock:
            (read, self.read), (failed, self.failed) = (self.read, []), (self.failed, None)
        if failed and not read:
            raise failed
        return read

    def assignment(self):
        with self.lock:
            return [partition.partition for partition in self.consumer.assignment()]

    def commit(self):
        with self.lock:
            self.consumer.commit()

    def leave(self):
        self.ended = True
        self.thread.join()
        self.consumer.close(autocommit=False)


class PythonKafka(Client):
    idempotent = False

    def __init__(self):
        self.settings = {"bootstrap_servers": BOOTSTRAP.split(",")}
        self.producers = {}

    @staticmethod
    def version():
        return kafka.__version__

    def admin(self):
        return kafka.KafkaAdminClient(**self.settings)

    def refused(self, answer):
        for topic, code, *message in getattr(answer, "topic_errors", None) or getattr(answer, "topic_error_codes", None) or []:
            if code:
                raise kafka.errors.for_code(code)(f"{topic} {message}")

    def create(self, topic, partitions, configs=None):
        self.refused(self.admin().create_topics([NewTopic(topic, partitions, 3, topic_configs=configs or {})]))

    def describe(self, topic):
        found = [one for one in self.admin().describe_topics([topic]) if one["error_code"] == 0]
        return {part["partition"]: (part["leader"], part["replicas"], part["isr"]) for part in found[0]["partitions"]} if found else None

    def delete(self, topic):
        self.refused(self.admin().delete_topics([topic]))

    def grow(self, topic, partitions):
        self.refused(self.admin().create_partitions({topic: NewPartitions(partitions)}))

    def produce(self, topic, records, acks="all", idempotent=False, compression="none"):
        if idempotent:
            raise NotOffered("no idempotent producer")
        how = (acks, compression)
        if how not in self.producers:
            self.producers[how] = kafka.KafkaProducer(**self.settings, acks={"0": 0, "1": 1, "all": "all"}[acks], compression_type=None if compression == "none" else compression,
                                                      linger_ms=5, retries=1000, max_in_flight_requests_per_connection=1)
        def encoded(one):
            return one if one is None else one.encode()
        futures = [self.producers[how].send(topic, encoded(one["value"]), encoded(one["key"]), [(name, value.encode()) for name, value in one["headers"]], one["partition"], one["timestamp"]) for one in records]
        self.producers[how].flush(PATIENCE)
        return [future.get(PATIENCE).offset for future in futures]

    def read(self, topic, partition, start, count):
        consumer, at, read, end = kafka.KafkaConsumer(**self.settings, group_id=None, auto_offset_reset="none"), TopicPartition(topic, partition), [], time.monotonic() + PATIENCE
        consumer.assign([at])
        consumer.seek(at, start)
        while len(read) < count and time.monotonic() < end:
            for messages in consumer.poll(500, max_records=count - len(read)).values():
                read += [record(message) for message in messages]
        consumer.close()
        return read

    def offset_at(self, topic, partition, ms):
        at = TopicPartition(topic, partition)
        found = kafka.KafkaConsumer(**self.settings).offsets_for_times({at: ms})[at]
        return found and found.offset

    def ends(self, topic, partition):
        at, consumer = TopicPartition(topic, partition), kafka.KafkaConsumer(**self.settings)
        return consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]

    def join(self, group, topic, instance=None):
        if instance:
            raise NotOffered("no static membership")
        return PythonMember(group, topic)

    def groups(self):
        return [name for name, _ in self.admin().list_consumer_groups()]

    def group(self, group):
        found = self.admin().describe_consumer_groups([group])[0]
        return found.state, len(found.members)

    def delete_group(self, group):
        for _, error in self.admin().delete_consumer_groups([group]):
            if error is not kafka.errors.NoError:
                raise error()

    def reset(self, group, topic, partition, offset):
        consumer = kafka.KafkaConsumer(**self.settings, group_id=group, enable_auto_commit=False)
        at = TopicPartition(topic, partition)
        consumer.assign([at])
        consumer.commit({at: OffsetAndMetadata(offset, "")})
        consumer.close(autocommit=False)

    def configs(self, topic):
        answer = self.admin().describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])[0]
        code, message, _, _, entries = answer.resources[0]
        if code:
            raise kafka.errors.for_code(code)(message)
        return {entry[0]: entry[1] for entry in entries}

    def alter(self, topic, name, value):
        for code, message, *_ in self.admin().alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})]).resources:
            if code:
                raise kafka.errors.for_code(code)(message)
