#!/usr/bin/env python3
"""features.py CLIENT FEATURE: asks one client for one feature and judges what came of it.

Exit 0 it works, 3 the client does not offer it, 1 it failed; the last line printed is the reason. Environment: BOOTSTRAP, DATA (the nodes' log.dirs, to look at what was stored)."""
import glob
import os
import re
import struct
import sys
import time

from client import Client, NotOffered, connect
from wire import await_topic, create_topic

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


class Unexpected(Exception):
    pass


def expect(what, wanted, seen):
    if wanted != seen:
        raise Unexpected(f"{what}: expected {shorten(wanted)}, got {shorten(seen)}")


def shorten(value):
    text = str(value)
    return text if len(text) < 120 else text[:100] + f"… ({len(text)} characters)"


def until(what, wanted, ask, seconds=20):
    """Metadata reaches brokers one after another, so what was changed is asked for until it shows."""
    end = time.monotonic() + seconds
    while True:
        seen = ask()
        if seen == wanted:
            return
        if time.monotonic() > end:
            expect(f"{what}, after {seconds} s", wanted, seen)
        time.sleep(0.2)


def values(records):
    return [record["value"] for record in records]


def numbered(count, prefix="r", **more):
    return [dict({"value": f"{prefix}{i}", "key": None, "headers": [], "partition": 0, "timestamp": None}, **more) for i in range(count)]


def made(client, topic, partitions=1, configs=None):
    """A topic that every broker knows. A client that has no admin calls gets it from the script's own topic maker."""
    try:
        client.create(topic, partitions, configs)
    except NotOffered:
        create_topic(topic, partitions, configs or {})
    await_topic(topic, partitions)


def segments(topic, partition=0):
    """The files of a partition on every node: log.dirs/TOPIC-0 in Kafka, log.dirs/data/TOPIC-0.ID in the reference broker."""
    data = os.environ["DATA"]
    found = glob.glob(f"{data}/*/{topic}-{partition}/*.log") + glob.glob(f"{data}/*/data/{topic}-{partition}.*/*.log")
    if not found:
        raise Unexpected(f"no segment of {topic}-{partition} under {data}")
    return found


def batches(topic, partition=0):
    """The stored batches of a partition on every node: (codec, producer id) each."""
    found = []
    for name in segments(topic, partition):
        with open(name, "rb") as file:
            content = file.read()
        at = 0
        while at + 61 <= len(content):
            length = struct.unpack_from(">i", content, at + 8)[0]
            if length <= 0:
                break
            found.append((struct.unpack_from(">h", content, at + 21)[0] & 7, struct.unpack_from(">q", content, at + 43)[0]))
            at += 12 + length
    return found


def metadata(client, name):
    made(client, name, 3)
    until("leaders, replicas and in-sync replicas", {p: (True, [1, 2, 3], [1, 2, 3]) for p in range(3)},
          lambda: {p: (leader in replicas, sorted(replicas), sorted(isr)) for p, (leader, replicas, isr) in (client.describe(name) or {}).items()})
    expect("a topic that nobody made", None, client.describe(f"{name}-unknown"))


def topic(client, name):
    client.create(name, 3)
    await_topic(name, 3)
    try:
        client.create(name, 3)
    except NotOffered:
        raise
    except Exception as error:
        if "exist" not in str(error).lower():
            raise
    else:
        raise Unexpected("a topic was created twice")
    client.delete(name)
    until("the deleted topic", None, lambda: client.describe(name))


def grow(client, name):
    made(client, name, 2)
    client.grow(name, 5)
    await_topic(name, 5)
    if not client.chooses_partitions:
        return
    client.produce(name, numbered(3, partition=4))
    expect("records of the new partition", ["r0", "r1", "r2"], values(client.read(name, 4, 0, 3)))


def produce(client, name, **how):
    made(client, name)
    sent = numbered(100)
    offsets = client.produce(name, sent, **how)
    if client.tells_offsets and how.get("acks") != "0":
        expect("acknowledged offsets", list(range(100)), offsets)
    expect("records", values(sent), values(client.read(name, 0, 0, 100)))
    return name


def idempotent(client, name):
    produce(client, name, idempotent=True)
    expect("stored batches, and those without a producer id", (True, []), (batches(name) != [], [batch for batch in batches(name) if batch[1] < 0]))


def codec(compression):
    def feature(client, name):
        made(client, name)
        sent = numbered(200, prefix="x" * 500)
        client.produce(name, sent, compression=compression)
        expect("records", values(sent), values(client.read(name, 0, 0, 200)))
        expect("codecs of the stored batches", {CODECS[compression]}, {stored for stored, _ in batches(name)})
    return feature


def headers(client, name):
    made(client, name)
    at = int(time.time() * 1000) - 3_600_000
    sent = [dict(value="v", key="k", headers=[("h", "1"), ("h", "2")], partition=0, timestamp=at if client.timestamps else None),
            dict(value=None if client.null_values else "w", key="ключ", headers=[], partition=0, timestamp=at + 1 if client.timestamps else None)]
    client.produce(name, sent)
    read = client.read(name, 0, 0, 2)
    for field in ["key", "value", "headers"] + (["timestamp"] if client.timestamps else []):
        expect(field, [record[field] for record in sent], [[tuple(pair) for pair in record[field]] if field == "headers" else record[field] for record in read])


def from_offset(client, name):
    made(client, name)
    client.produce(name, numbered(30))
    read = client.read(name, 0, 17, 5)
    expect("records", [(i, f"r{i}") for i in range(17, 22)], [(record["offset"], record["value"]) for record in read])


def by_time(client, name):
    made(client, name)
    if client.timestamps:
        start = int(time.time() * 1000) - 3_600_000
        client.produce(name, [dict(record, timestamp=start + 1000 * i) for i, record in enumerate(numbered(10))])
        expect("offset of the first record at or after a time", 7, client.offset_at(name, 0, start + 6500))
        expect("offset at the time of a record", 3, client.offset_at(name, 0, start + 3000))
    else:
        client.produce(name, numbered(7))
        time.sleep(2)
        between = int(time.time() * 1000)
        time.sleep(2)
        client.produce(name, numbered(3))
        expect("offset of the first record at or after a time", 7, client.offset_at(name, 0, between))
    expect("offset after the last record's time", None, client.offset_at(name, 0, int(time.time() * 1000) + 60_000))


def ends(client, name):
    made(client, name, 2)
    client.produce(name, numbered(10))
    found = [tuple(client.ends(name, partition)) for partition in (0, 1)]
    expect("ends of a partition with 10 records and of an empty one", [(0, 10), (0, 0)], found if client.chooses_partitions else sorted(found, reverse=True))


def spread(count, prefix="r"):
    return [dict(record, partition=i % 4) for i, record in enumerate(numbered(count, prefix))]


def drain(members, wanted, seconds=45):
    """Reads until so many records have come, and a moment longer, in which none may come."""
    read, end = [], time.monotonic() + seconds
    while len(read) < wanted and time.monotonic() < end:
        for member in members:
            read += values(member.poll(0.5))
    for member in members:
        read += values(member.poll(0.5))
    return read


def group(client, name):
    made(client, name, 4)
    client.produce(name, spread(40))
    first = client.join(name, name)
    read = drain([first], 40)
    expect("records that the first member read", sorted(values(spread(40))), sorted(read))
    first.commit()
    first.leave()
    client.produce(name, spread(20, "s"))
    second = client.join(name, name)
    read = drain([second], 20)
    second.leave()
    expect("records that the second member read", sorted(values(spread(20, "s"))), sorted(read))


def share(client, name):
    made(client, name, 4)
    first, second = client.join(name, name), client.join(name, name)

    def shares():
        for member in (first, second):
            member.poll(0.3)
        return sorted(len(member.assignment()) for member in (first, second))

    until("partitions of each member", [2, 2], shares, 45)
    expect("all partitions", [0, 1, 2, 3], sorted(first.assignment() + second.assignment()))
    client.produce(name, spread(40))
    expect("records that both read", sorted(values(spread(40))), sorted(drain([first, second], 40)))
    for member in (first, second):
        member.commit()
    second.leave()

    def alone():
        first.poll(0.3)
        return sorted(first.assignment())

    until("partitions after the other left", [0, 1, 2, 3], alone, 45)
    client.produce(name, spread(40, "s"))
    read = drain([first], 40)
    first.leave()
    expect("records read after the other left", sorted(values(spread(40, "s"))), sorted(read))


def two_groups(client, name):
    made(client, name, 4)
    client.produce(name, spread(20))
    for which in ("one", "two"):
        member = client.join(f"{name}-{which}", name)
        read = drain([member], 20)
        member.commit()
        member.leave()
        expect(f"records of group {which}", sorted(values(spread(20))), sorted(read))


def static(client, name):
    made(client, name, 4)
    first, second = client.join(name, name, instance="first"), client.join(name, name, instance="second")

    def shares():
        for member in (first, second):
            member.poll(0.3)
        return sorted(len(member.assignment()) for member in (first, second))

    until("partitions of each member", [2, 2], shares, 45)
    held, kept, changes = sorted(second.assignment()), sorted(first.assignment()), first.rebalances
    second.leave()
    again = client.join(name, name, instance="second")

    def back():
        first.poll(0.3)
        again.poll(0.3)
        return sorted(again.assignment())

    until("partitions of the member that came back", held, back, 20)
    expect("partitions of the other, and its rebalances", (kept, changes), (sorted(first.assignment()), first.rebalances))
    for member in (first, again):
        member.leave()


def groups(client, name):
    made(client, name)
    client.produce(name, numbered(5))
    member = client.join(name, name)
    drain([member], 5)
    expect("the group is listed", True, name in client.groups())
    expect("state and members", ("Stable", 1), tuple(client.group(name)))
    member.commit()
    member.leave()
    until("state and members when it has left", ("Empty", 0), lambda: tuple(client.group(name)))
    client.delete_group(name)
    until("the deleted group is listed", False, lambda: name in client.groups())


def reset(client, name):
    made(client, name)
    client.produce(name, numbered(30))
    member = client.join(name, name)
    expect("records before", 30, len(drain([member], 30)))
    member.commit()
    member.leave()
    client.reset(name, name, 0, 10)
    member = client.join(name, name)
    read = drain([member], 20)
    member.leave()
    expect("records after", values(numbered(30))[10:], read)


def delete_records(client, name):
    made(client, name)
    client.produce(name, numbered(30))
    client.delete_records(name, 0, 12)
    until("ends", (12, 30), lambda: tuple(client.ends(name, 0)))
    expect("records left", values(numbered(30))[12:], values(client.read(name, 0, 12, 18)))


def configs(client, name):
    made(client, name, 1, {"segment.bytes": "104857600"})
    seen = client.configs(name)
    expect("settings", ("104857600", "2"), (seen.get("segment.bytes"), seen.get("min.insync.replicas")))
    client.alter(name, "retention.ms", "3600000")
    until("the altered setting", "3600000", lambda: client.configs(name).get("retention.ms"))


def load(client, name):
    made(client, name, 2)
    expect("records sent and read", (20000, 20000), client.load(name))


def dump(client, name):
    if client.dump.__func__ is Client.dump:
        client.dump(None)
    made(client, name)
    client.produce(name, numbered(50), compression="lz4")
    found = [re.search(r"offset: (\d+) .*payload: (\w+)", line) for line in client.dump(segments(name)[0])]
    expect("records in the segment", [(str(i), f"r{i}") for i in range(50)], [one.groups() for one in found if one])


def transactions(client, name):
    made(client, name)
    for prefix, commit in (("a", True), ("b", False), ("c", True)):
        client.transact(name, numbered(10, prefix), commit)
    expect("committed records", values(numbered(10, "a") + numbered(10, "c")), values(client.read(name, 0, 0, 20)))


def new_groups(client, name):
    made(client, name, 4)
    client.produce(name, spread(40))
    member = client.join_new(name, name)
    read = drain([member], 40, 25)
    member.leave()
    expect("records that a member by KIP-848 read", sorted(values(spread(40))), sorted(read))


FEATURES = {
    "metadata": metadata, "topic": topic, "grow": grow,
    "acks-0": lambda c, n: produce(c, n, acks="0"), "acks-1": lambda c, n: produce(c, n, acks="1"), "acks-all": lambda c, n: produce(c, n, acks="all"),
    "idempotent": idempotent, "gzip": codec("gzip"), "snappy": codec("snappy"), "lz4": codec("lz4"), "zstd": codec("zstd"), "headers": headers,
    "from-offset": from_offset, "by-time": by_time, "ends": ends, "group": group, "share": share, "two-groups": two_groups, "static": static,
    "groups": groups, "reset": reset, "delete-records": delete_records, "configs": configs, "transactions": transactions, "new-groups": new_groups,
    "perf-test": load, "dump-log": dump,
}


def main():
    name, feature = sys.argv[1:3]
    try:
        FEATURES[feature](connect(name), f"{name}-{feature}")
    except NotOffered as reason:
        print(reason)
        return 3
    except Exception as error:
        kind = "" if isinstance(error, Unexpected) else f"{type(error).__name__}: "
        print((kind + str(error)).replace("\n", " ")[:300])
        return 1
    print("ok")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a client's threads may not want to end
