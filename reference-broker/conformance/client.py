"""What every client is asked to do, in the same words; a client that does not offer something says so with NotOffered."""
import os

BOOTSTRAP = os.environ.get("BOOTSTRAP", "127.0.0.1:9092")
PATIENCE = 40  # seconds for one call of a client: longer than any rebalance, shorter than a cell's limit


class NotOffered(Exception):
    """The client cannot do this, whatever the broker. Never used for what a broker refuses."""


class Member:
    """A member of a consumer group. poll gives records of all its partitions; the rest is plain."""

    def poll(self, seconds): raise NotImplementedError
    def assignment(self): raise NotImplementedError
    def commit(self): raise NotImplementedError
    def leave(self): raise NotImplementedError


class Client:
    """Records are dictionaries: value, key, headers (list of pairs), partition, timestamp (ms), offset; texts or None. Errors are exceptions."""

    tells_offsets = True   # produce returns the offset of each record
    idempotent = True      # its idempotent producer keeps its word while nodes die
    null_values = True
    timestamps = True      # can set a record's timestamp
    chooses_partitions = True

    def create(self, topic, partitions, configs=None): raise NotOffered("no admin calls")
    def describe(self, topic): raise NotOffered("no metadata call")   # {partition: (leader, replicas, isr)}, None: there is no such topic
    def delete(self, topic): raise NotOffered("cannot delete topics")
    def grow(self, topic, partitions): raise NotOffered("cannot add partitions")
    def produce(self, topic, records, acks="all", idempotent=False, compression="none"): raise NotOffered("cannot produce")
    def transact(self, topic, records, commit): raise NotOffered("no transactions")
    def read(self, topic, partition, start, count): raise NotOffered("cannot read from an offset")
    def offset_at(self, topic, partition, ms): raise NotOffered("cannot find offsets by time")   # None: no record that late
    def ends(self, topic, partition): raise NotOffered("cannot ask for end offsets")
    def join(self, group, topic, instance=None): raise NotOffered("no consumer groups")
    def join_new(self, group, topic): raise NotOffered("classic groups only")   # by the newer protocol, KIP-848
    def groups(self): raise NotOffered("cannot list groups")
    def group(self, group): raise NotOffered("cannot describe groups")   # (state, number of members)
    def delete_group(self, group): raise NotOffered("cannot delete groups")
    def reset(self, group, topic, partition, offset): raise NotOffered("cannot set a group's offsets")
    def delete_records(self, topic, partition, before): raise NotOffered("cannot delete records")
    def configs(self, topic): raise NotOffered("cannot describe configurations")   # {name: value}
    def alter(self, topic, name, value): raise NotOffered("cannot alter configurations")
    def load(self, topic): raise NotOffered("a tool of Kafka's")   # (records sent, records read)
    def dump(self, file): raise NotOffered("a tool of Kafka's")    # the lines it prints about a segment


def connect(name):
    """The client of that name; ImportError where its library is missing."""
    if name == "confluent-kafka-python":
        from clients.confluent_python import ConfluentPython
        return ConfluentPython()
    if name == "kafka-python":
        from clients.python_kafka import PythonKafka
        return PythonKafka()
    if name == "kcat":
        from clients.kcat import Kcat
        return Kcat()
    if name.startswith("kafka-tools"):
        from clients.tools import Tools
        return Tools(os.environ["TOOLS_HOME"])
    from clients.remote import Remote
    remote = Remote(os.environ["CLIENT_COMMAND"].split())
    remote.idempotent = name != "kafkajs"
    return remote
