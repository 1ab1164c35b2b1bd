"""confluent-kafka-python: librdkafka behind Python. Debian's 1.7 has few admin calls."""
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition, libversion, version
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from client import BOOTSTRAP, PATIENCE, Client, Member, NotOffered


def text(content):
    return None if content is None else content.decode()


def record(message):
    return dict(value=text(message.value()), key=text(message.key()), headers=[(name, text(value)) for name, value in message.headers() or []],
                partition=message.partition(), timestamp=message.timestamp()[1], offset=message.offset())


class ConfluentMember(Member):
    def __init__(self, group, topic, instance):
        settings = {"bootstrap.servers": BOOTSTRAP, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 10000}
        if instance:
            settings["group.instance.id"] = instance
        self.consumer, self.rebalances, self.next = Consumer(settings), 0, {}
        self.consumer.subscribe([topic], on_assign=self.assigned)

    def assigned(self, consumer, partitions):
        self.rebalances += 1

    def poll(self, seconds):
        read, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self.consumer.consume(500, min(0.1, seconds)):
                if message.error():
                    raise KafkaException(message.error())
                read.append(record(message))
        return read

    def assignment(self):
        return [partition.partition for partition in self.consumer.assignment()]

    def commit(self):
        self.consumer.commit(asynchronous=False)

    def leave(self):
        self.consumer.close()


class ConfluentPython(Client):
    def __init__(self):
        self.settings = {"bootstrap.servers": BOOTSTRAP}
        self.producers, self.asked = {}, None

    @staticmethod
    def version():
        return f"{version()[0]} with librdkafka {libversion()[0]}"

    def admin(self):
        self.asked = self.asked or AdminClient(self.settings)
        return self.asked

    def done(self, futures):
        for future in futures.values():
            return future.result(PATIENCE)

    def create(self, topic, partitions, configs=None):
        self.done(self.admin().create_topics([NewTopic(topic, partitions, 3, config=configs or {})]))

    def describe(self, topic):
        found = self.admin().list_topics(timeout=10).topics.get(topic)
        return found and {number: (part.leader, part.replicas, part.isrs) for number, part in found.partitions.items()}

    def delete(self, topic):
        self.done(self.admin().delete_topics([topic]))

    def grow(self, topic, partitions):
        self.done(self.admin().create_partitions([NewPartitions(topic, partitions)]))

    def produce(self, topic, records, acks="all", idempotent=False, compression="none"):
        how = (acks, idempotent, compression)
        if how not in self.producers:
            self.producers[how] = Producer({**self.settings, "acks": acks, "enable.idempotence": idempotent, "compression.type": compression, "linger.ms": 5})
        producer, offsets, errors = self.producers[how], [None] * len(records), []
        for index, one in enumerate(records):
            def delivered(error, message, index=index):
                errors.append(error) if error else offsets.__setitem__(index, message.offset())
            more = {"timestamp": one["timestamp"]} if one["timestamp"] else {}
            producer.produce(topic, one["value"], one["key"], one["partition"], headers=one["headers"] or None, on_delivery=delivered, **more)
        left = producer.flush(PATIENCE)
        if errors or left:
            raise RuntimeError(f"{left} records undelivered, {len(errors)} errors: {errors[:1]}")
        return offsets

    def transact(self, topic, records, commit):
        if "transactional" not in self.producers:
            self.producers["transactional"] = Producer({**self.settings, "transactional.id": topic, "transaction.timeout.ms": 20000})
            self.producers["transactional"].init_transactions(20)
        producer = self.producers["transactional"]
        producer.begin_transaction()
        for one in records:
            producer.produce(topic, one["value"], one["key"], one["partition"])
        producer.flush(20)
        (producer.commit_transaction if commit else producer.abort_transaction)(20)

    def consumer(self):
        return Consumer({**self.settings, "group.id": "unused by assign", "enable.auto.commit": False, "auto.offset.reset": "error"})

    def read(self, topic, partition, start, count):
        consumer, read, end = self.consumer(), [], time.monotonic() + PATIENCE
        consumer.assign([TopicPartition(topic, partition, start)])
        while len(read) < count and time.monotonic() < end:
            for message in consumer.consume(count - len(read), 0.5):
                if message.error():
                    raise KafkaException(message.error())
                read.append(record(message))
        consumer.close()
        return read

    def offset_at(self, topic, partition, ms):
        found = self.consumer().offsets_for_times([TopicPartition(topic, partition, ms)], PATIENCE)[0]
        if found.error:
            raise KafkaException(found.error)
        return None if found.offset < 0 else found.offset

    def ends(self, topic, partition):
        return self.consumer().get_watermark_offsets(TopicPartition(topic, partition), PATIENCE)

    def join(self, group, topic, instance=None):
        return ConfluentMember(group, topic, instance)

    def groups(self):
        return [group.id for group in self.admin().list_groups(timeout=PATIENCE)]

    def group(self, group):
        found = self.admin().list_groups(group, PATIENCE)
        return found[0].state, len(found[0].members)

    def delete_group(self, group):
        raise NotOffered("lists and describes groups; deleting them came with version 2.0")

    def reset(self, group, topic, partition, offset):
        consumer = Consumer({**self.settings, "group.id": group, "enable.auto.commit": False})
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
        consumer.close()

    def delete_records(self, topic, partition, before):
        raise NotOffered("deleting records came with version 2.4")

    def configs(self, topic):
        return {name: entry.value for name, entry in self.done(self.admin().describe_configs([ConfigResource("topic", topic)])).items()}

    def alter(self, topic, name, value):
        self.done(self.admin().alter_configs([ConfigResource("topic", topic, set_config={name: value})]))
