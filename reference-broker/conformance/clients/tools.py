"""Kafka's own command line tools, and by them the Java client: console producer and consumer, verifiable consumer, admin tools."""
import json
import os
import re
import subprocess
import tempfile
import threading
import time

from client import BOOTSTRAP, PATIENCE, Client, Member

ENVIRONMENT = dict(os.environ, KAFKA_HEAP_OPTS="-Xms64M -Xmx256M", KAFKA_JVM_PERFORMANCE_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto", LOG_DIR=os.environ.get("WORK", "/tmp"))
AT = ("--bootstrap-server", BOOTSTRAP)


class VerifiableMember(Member):
    """The verifiable consumer: it tells in JSON what it is assigned and reads, and commits what it has read after each poll."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT)
        self.read, self.held, self.rebalances, self.lock = [], set(), 0, threading.Lock()
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            told = json.loads(line)
            with self.lock:
                if told["name"] == "record_data":
                    self.read.append(dict(value=told["value"], key=told["key"], partition=told["partition"], offset=told["offset"]))
                elif told["name"] == "partitions_assigned":
                    self.rebalances += 1
                    self.held |= {part["partition"] for part in told["partitions"]}
                elif told["name"] == "partitions_revoked":
                    self.held -= {part["partition"] for part in told["partitions"]}

    def poll(self, seconds):
        time.sleep(seconds)
        if self.process.poll() is not None:
            raise RuntimeError(f"the verifiable consumer ended with {self.process.returncode}")
        with self.lock:
            read, self.read = self.read, []
        return read

    def assignment(self):
        return list(self.held)

    def commit(self):
        time.sleep(1)

    def leave(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Tools(Client):
    tells_offsets, timestamps, chooses_partitions = False, False, False

    def __init__(self, home):
        self.home = home

    def version(self):
        return next(re.search(r"kafka-clients-(.+)\.jar", name).group(1) for name in os.listdir(f"{self.home}/libs") if name.startswith("kafka-clients-"))

    def run(self, tool, *arguments, text=None):
        done = subprocess.run([f"{self.home}/bin/{tool}.sh", *arguments], input=text, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
        told = (done.stdout + done.stderr).strip()
        failed = [line for line in told.splitlines() if re.search(r"Exception|^Error|ERROR ", line)]
        if done.returncode or failed:
            raise RuntimeError(f"{tool} ended with {done.returncode}: {(failed or told.splitlines()[-1:] or ['nothing said'])[0]}")
        return done.stdout.splitlines()

    def run_class(self, name, *arguments):
        return self.run("kafka-run-class", name, *AT, *arguments)

    def create(self, topic, partitions, configs=None):
        self.run("kafka-topics", *AT, "--create", "--topic", topic, "--partitions", str(partitions), *[part for name, value in (configs or {}).items() for part in ("--config", f"{name}={value}")])

    def describe(self, topic):
        if topic not in self.run("kafka-topics", *AT, "--list"):
            return None
        rows = [dict(re.findall(r"(\w+): (\S*)", line)) for line in self.run("kafka-topics", *AT, "--describe", "--topic", topic) if "\tPartition: " in line]
        return {int(row["Partition"]): (int(row["Leader"]), [int(node) for node in row["Replicas"].split(",")], [int(node) for node in row["Isr"].split(",") if node]) for row in rows}

    def delete(self, topic):
        self.run("kafka-topics", *AT, "--delete", "--topic", topic)

    def grow(self, topic, partitions):
        self.run("kafka-topics", *AT, "--alter", "--topic", topic, "--partitions", str(partitions))

    def produce(self, topic, records, acks="all", idempotent=False, compression="none"):
        parsed = any(one["key"] or one["headers"] for one in records)
        properties = [part for name in ("parse.key=true", "parse.headers=true", "null.marker=NULL") for part in ("--property", name)] if parsed else []
        def line(one):
            fields = [",".join(f"{name}:{value}" for name, value in one["headers"]) or "NULL", one["key"] or "NULL", "NULL" if one["value"] is None else one["value"]]
            return "\t".join(fields) if parsed else one["value"]
        self.run("kafka-console-producer", *AT, "--topic", topic, "--producer-property", f"acks={acks}", "--producer-property", f"enable.idempotence={str(idempotent).lower()}",
                 "--compression-codec", compression, *properties, text="".join(line(one) + "\n" for one in records))

    def produce_until(self, topic, stopped, say):
        """The verifiable producer, which says in JSON what was acknowledged; by itself it would not retry."""
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("enable.idempotence=true\nretries=2147483647\n")
            file.flush()
            process = subprocess.Popen([f"{self.home}/bin/kafka-verifiable-producer.sh", *AT, "--topic", topic, "--throughput", "200", "--producer.config", file.name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT)

            def end():
                while not stopped():
                    time.sleep(0.2)
                process.terminate()

            threading.Thread(target=end, daemon=True).start()
            for line in process.stdout:
                told = json.loads(line) if line.startswith("{") else {"name": ""}
                if told["name"] in ("producer_send_success", "producer_send_error"):
                    say("acked" if told["name"] == "producer_send_success" else "unsure", told["value"])

    def read(self, topic, partition, start, count):
        printed = [part for what in ("partition", "offset", "timestamp", "headers", "key") for part in ("--property", f"print.{what}=true")]
        lines = self.run("kafka-console-consumer", *AT, "--topic", topic, "--partition", str(partition), "--offset", str(start), "--max-messages", str(count), "--timeout-ms", "20000", *printed, "--property", "null.literal=NULL")
        rows = [line.split("\t") for line in lines if line.startswith("CreateTime:")]
        def field(value):
            return None if value == "NULL" else value
        return [dict(timestamp=int(at.split(":")[1]), partition=int(part.split(":")[1]), offset=int(offset.split(":")[1]), key=field(key), value=field(value),
                     headers=[] if headers == "NO_HEADERS" else [tuple(header.split(":")) for header in headers.split(",")]) for at, part, offset, headers, key, value in rows]

    def offset_at(self, topic, partition, ms):
        for line in self.run_class("org.apache.kafka.tools.GetOffsetShell", "--topic-partitions", f"{topic}:{partition}", "--time", str(ms)):
            if line.startswith(f"{topic}:{partition}:") and line.split(":")[2]:
                return int(line.split(":")[2])
        return None

    def ends(self, topic, partition):
        return self.offset_at(topic, partition, "earliest"), self.offset_at(topic, partition, "latest")

    def join(self, group, topic, instance=None):
        more = ["--group-instance-id", instance] if instance else []
        return VerifiableMember([f"{self.home}/bin/kafka-verifiable-consumer.sh", *AT, "--topic", topic, "--group-id", group, "--verbose", "--reset-policy", "earliest", "--session-timeout", "10000", *more])

    def join_new(self, group, topic):
        return VerifiableMember([f"{self.home}/bin/kafka-verifiable-consumer.sh", *AT, "--topic", topic, "--group-id", group, "--verbose", "--reset-policy", "earliest", "--group-protocol", "consumer"])

    def groups(self):
        return self.run("kafka-consumer-groups", *AT, "--list")

    def group(self, group):
        rows = [line.split() for line in self.run("kafka-consumer-groups", *AT, "--describe", "--state", "--group", group)]
        row = next(row for row in rows if row and row[0] == group)
        return row[-2], int(row[-1])

    def delete_group(self, group):
        self.run("kafka-consumer-groups", *AT, "--delete", "--group", group)

    def reset(self, group, topic, partition, offset):
        self.run("kafka-consumer-groups", *AT, "--reset-offsets", "--to-offset", str(offset), "--topic", f"{topic}:{partition}", "--group", group, "--execute")

    def delete_records(self, topic, partition, before):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "partitions": [{"topic": topic, "partition": partition, "offset": before}]}, file)
            file.flush()
            self.run_class("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", file.name)

    def configs(self, topic):
        return dict(match.groups() for match in (re.match(r" *([\w.]+)=(\S*) sensitive=", line) for line in self.run("kafka-configs", *AT, "--describe", "--topic", topic, "--all")) if match)

    def alter(self, topic, name, value):
        self.run("kafka-configs", *AT, "--alter", "--topic", topic, "--add-config", f"{name}={value}")

    def load(self, topic):
        """producer-perf-test and consumer-perf-test: records sent and read."""
        sent = self.run("kafka-producer-perf-test", "--topic", topic, "--num-records", "20000", "--record-size", "100", "--throughput", "-1", "--producer-props", f"bootstrap.servers={BOOTSTRAP}", "acks=all")
        read = self.run("kafka-consumer-perf-test", *AT, "--topic", topic, "--messages", "20000", "--timeout", "20000", "--hide-header")
        return int(sent[-1].split()[0]), int(read[-1].split(", ")[4])

    def dump(self, file):
        return self.run("kafka-dump-log", "--deep-iteration", "--print-data-log", "--files", file)
