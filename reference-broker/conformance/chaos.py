#!/usr/bin/env python3
"""Clients while nodes die. Each role prints a line for each record, which `judge` reads.

chaos.py CLIENT produce TOPIC STOP    sends, until the file STOP is there: "acked VALUE", or "unsure VALUE" for what was not acknowledged
chaos.py CLIENT member TOPIC          a member of the group TOPIC: "read PARTITION OFFSET VALUE", committed after it is printed
chaos.py CLIENT judge TOPIC FOLDER    waits for the group to have read everything, reads the log by the same client, judges; exit 0 kept, 1 broken, 3 not offered
"""
import os
import sys
import time

from client import NotOffered, connect


def say(*words):
    print(*words, flush=True)


def produce(client, topic, stop):
    if hasattr(client, "produce_until"):
        return client.produce_until(topic, lambda: os.path.exists(stop), say)
    idempotent, number = client.idempotent, 0
    while not os.path.exists(stop):
        batch = [dict(value=str(number + i), key=None, headers=[], partition=i % 3, timestamp=None) for i in range(12)]
        number += len(batch)
        try:
            client.produce(topic, batch, idempotent=idempotent)
            word = "acked"
        except NotOffered:
            raise
        except Exception as error:
            print(f"{time.time():.1f} {error}", file=sys.stderr, flush=True)
            word = "unsure"
        for one in batch:
            say(word, one["value"])
        time.sleep(0.05)


def member(client, topic):
    one = client.join(topic, topic)
    while True:
        try:
            read = one.poll(0.3)
            for record in read:
                say("read", record["partition"], record["offset"], record["value"])
            if read:
                one.commit()
        except NotOffered:
            raise
        except Exception as error:  # a rebalance, or a broker that is gone: what was not committed comes again
            print(f"{time.time():.1f} {type(error).__name__} {error}", file=sys.stderr, flush=True)
            time.sleep(0.2)


def lines(name, word):
    try:
        with open(name, encoding="utf-8") as file:
            return [line.split()[1:] for line in file if line.startswith(word + " ") and line.endswith("\n")]
    except FileNotFoundError:
        return []


def judge(client, topic, folder):
    acked = {value for value, in lines(f"{folder}/{topic}.produce", "acked")}
    unsure = {value for value, in lines(f"{folder}/{topic}.produce", "unsure")}
    if not acked:
        return "nothing was acknowledged"
    if len(unsure) > len(acked):
        return f"only {len(acked)} records acknowledged, {len(unsure)} not: hardly anything was exercised"
    log = {}
    for partition in range(3):
        end = client.ends(topic, partition)[1]
        for record in client.read(topic, partition, 0, end):
            log[partition, record["offset"]] = record["value"]
        if (partition, end - 1) not in log and end > 0:
            return f"partition {partition} ends at {end}, but its last record was not read"
    broken = judge_log(acked, unsure, log, client.idempotent)
    return broken or judge_group(acked, log, lambda: [row for which in "12" for row in lines(f"{folder}/{topic}.member{which}", "read")])


def judge_log(acked, unsure, log, idempotent):
    """What is wrong with the log, or None: every acknowledged record is there, in order; once, if the producer is idempotent."""
    seen = {}
    for at in sorted(log):
        value = log[at]
        if value not in acked and value not in unsure:
            return f"{value} at {at} was never sent"
        if value in seen:
            if idempotent:
                return f"{value} is there twice, at {seen[value]} and {at}"
            continue
        seen[value] = at
    lost = acked - seen.keys()
    if lost:
        return f"{len(lost)} of {len(acked)} acknowledged records are lost, such as {sorted(lost, key=int)[:5]}"
    for before, after in zip(sorted(seen.values()), sorted(seen.values())[1:]):
        if before[0] == after[0] and int(log[before]) > int(log[after]):
            return f"{log[after]} at {after} stands after {log[before]} at {before}"
    return None


def judge_group(acked, log, ask, seconds=60):
    """What is wrong with the group's reading, or None: every acknowledged record was read at least once, and at its offset."""
    end = time.monotonic() + seconds
    while True:
        rows = ask()
        missing = acked - {value for _, _, value in rows}
        if not missing or time.monotonic() > end:
            break
        time.sleep(0.5)
    for partition, offset, value in rows:
        if log.get((int(partition), int(offset))) != value:
            return f"the group read {value} at {partition}:{offset}, where the log has {log.get((int(partition), int(offset)))}"
    if missing:
        return f"the group never read {len(missing)} of {len(acked)} acknowledged records, such as {sorted(missing, key=int)[:5]}"
    return None


def main():
    name, role, topic, *more = sys.argv[1:]
    try:
        client = connect(name)
        if role == "produce":
            produce(client, topic, *more)
        elif role == "member":
            member(client, topic)
        else:
            broken = judge(client, topic, *more)
            acked, unsure = (len(lines(f"{more[0]}/{topic}.produce", word)) for word in ("acked", "unsure"))
            say(broken or f"ok: {acked} acknowledged and read{'' if client.idempotent else ' at least once'}{f', {unsure} unsure' if unsure else ''}")
            return 1 if broken else 0
    except NotOffered as reason:
        say(reason)
        return 3
    except Exception as error:
        say(f"{type(error).__name__}: {error}".replace("\n", " ")[:300])
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
