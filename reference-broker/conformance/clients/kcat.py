"""kcat: librdkafka at the command line. It tells no offsets of what it sent unless asked to, and has no admin calls but metadata."""
import json
import subprocess
import threading
import time

from client import BOOTSTRAP, PATIENCE, Client, Member, NotOffered


def kcat(*arguments, text=None):
    done = subprocess.run(["kcat", "-b", BOOTSTRAP, *arguments], input=text, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError(f"kcat {' '.join(arguments[:3])} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def record(line):
    told = json.loads(line)
    headers = told.get("headers") or []
    return dict(value=told["payload"], key=told["key"], headers=list(zip(headers[::2], headers[1::2])), partition=told["partition"], timestamp=told["ts"], offset=told["offset"])


class KcatMember(Member):
    """kcat commits by itself every so often and when it is told to end."""

    def __init__(self, group, topic, instance):
        more = ["-X", f"group.instance.id={instance}"] if instance else []
        self.process = subprocess.Popen(["kcat", "-b", BOOTSTRAP, "-G", group, "-u", "-J", "-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=10000",
                                         "-X", "auto.commit.interval.ms=200", *more, topic], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.read, self.held, self.rebalances, self.failed, self.lock = [], [], 0, None, threading.Lock()
        for follow in (self.follow_records, self.follow_assignments):
            threading.Thread(target=follow, daemon=True).start()

    def follow_records(self):
        for line in self.process.stdout:
            with self.lock:
                self.read.append(record(line))

    def follow_assignments(self):  # "% Group g rebalanced (memberid m): assigned: t [0], t [1]"
        for line in self.process.stderr:
            if ": assigned:" in line:
                self.rebalances += 1
                self.held = [int(part.split("]")[0]) for part in line.split(": assigned:")[1].split("[")[1:]]
            elif ": revoked:" in line:
                self.held = []
            elif "ERROR" in line:
                self.failed = line

    def poll(self, seconds):
        time.sleep(seconds)
        if self.failed:
            failed, self.failed = self.failed, None
            raise RuntimeError(failed)
        with self.lock:
            read, self.read = self.read, []
        return read

    def assignment(self):
        return self.held

    def commit(self):
        time.sleep(0.6)

    def leave(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Kcat(Client):
    tells_offsets, timestamps, null_values = False, False, True

    @staticmethod
    def version():
        return subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout.split("Version ")[1].split(" (")[0] + " with librdkafka " + subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout.split("librdkafka ")[1].split()[0]

    def describe(self, topic):
        told = json.loads(kcat("-L", "-J", "-m", "10"))
        found = [one for one in told["topics"] if one["topic"] == topic and "error" not in one]
        return {part["partition"]: (part["leader"], [one["id"] for one in part["replicas"]], [one["id"] for one in part["isrs"]]) for part in found[0]["partitions"]} if found else None

    def create(self, topic, partitions, configs=None):
        raise NotOffered("no admin calls but metadata")

    def produce(self, topic, records, acks="all", idempotent=False, compression="none"):
        for partition in sorted({one["partition"] for one in records}):
            lines = [one for one in records if one["partition"] == partition]
            batches = [[one] for one in lines] if any(one["headers"] or one["key"] for one in lines) else [lines]
            for batch in batches:
                headers = [part for name, value in batch[0]["headers"] for part in ("-H", f"{name}={value}")]
                text = "".join((f"{one['key']}\t" if one["key"] else "") + (one["value"] or "") + "\n" for one in batch)
                keys = ["-K", "\t"] if batch[0]["key"] else []
                kcat("-P", "-t", topic, "-p", str(partition), "-Z", "-X", f"acks={acks}", "-X", f"enable.idempotence={str(idempotent).lower()}", "-X", "linger.ms=20", "-z", compression, *headers, *keys, text=text)

    def transact(self, topic, records, commit):
        raise NotOffered("commits a transaction, but cannot abort one")

    def produce_until(self, topic, stopped, say):
        """One kcat for as long as it takes; it ends with 0 once everything is acknowledged."""
        process, number = subprocess.Popen(["kcat", "-b", BOOTSTRAP, "-P", "-t", topic, "-X", "enable.idempotence=true", "-X", "linger.ms=5"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True), 0
        complaints = []
        threading.Thread(target=lambda: complaints.extend(process.stderr), daemon=True).start()
        while not stopped():
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            number += 1
            time.sleep(0.005)
        process.stdin.close()
        code = process.wait(PATIENCE)
        undelivered = code or any("elivery failed" in line for line in complaints)
        for value in range(number):
            say("unsure" if undelivered else "acked", value)

    def read(self, topic, partition, start, count):
        return [record(line) for line in kcat("-C", "-t", topic, "-p", str(partition), "-o", str(start), "-c", str(count), "-J", "-u").splitlines()]

    def offset_at(self, topic, partition, ms):
        offset = int(kcat("-Q", "-t", f"{topic}:{partition}:{ms}").split("offset ")[1])
        return None if offset < 0 else offset

    def ends(self, topic, partition):
        return tuple(int(kcat("-Q", "-t", f"{topic}:{partition}:{time}").split("offset ")[1]) for time in (-2, -1))

    def join(self, group, topic, instance=None):
        return KcatMember(group, topic, instance)
