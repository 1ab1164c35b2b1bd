#!/usr/bin/env bash
# broker-throughput.sh KAFKA_HOME [RECORDS [RECORD_BYTES]]
# Kafka's own producer-perf-test, acks=all, against the reference broker and against Kafka, one after the other within a few minutes: one node each, then three.
# Read the figures as ratios: they are taken on one machine together with the load. Needs Java; everything is on 127.0.0.1 and in a temporary folder.
set -eu
cd "$(dirname "$0")/.."
kafka=${1:?"usage: $0 KAFKA_HOME [RECORDS [RECORD_BYTES]]"} records=${2:-1000000} bytes=${3:-100}
program=reports/Verify.Cli/bin/Release/net10.0/mqverify.dll
[ -f "$program" ] || dotnet build reports/Verify.Cli -c Release -v q --nologo
work=$(mktemp -d) pids=""
stop() { for pid in $pids; do kill "$pid" 2>/dev/null || true; done; for pid in $pids; do wait "$pid" 2>/dev/null || true; done; pids=""; }
trap 'stop; rm -rf "$work"' EXIT

produce() { # produce LABEL BOOTSTRAP REPLICAS: creates the topic, one run to warm up, then two that count
  local run
  KAFKA_HEAP_OPTS=-Xmx256M "$kafka/bin/kafka-topics.sh" --bootstrap-server "$2" --create --topic load --partitions 1 --replication-factor "$3" --config "min.insync.replicas=$(($3 > 1 ? 2 : 1))" >/dev/null 2>&1
  for run in warm-up 1 2; do
    printf '%-22s %-8s' "$1" "$run"
    KAFKA_HEAP_OPTS=-Xmx256M "$kafka/bin/kafka-producer-perf-test.sh" --topic load --num-records "$records" --record-size "$bytes" --throughput -1 --producer-props "bootstrap.servers=$2" acks=all 2>/dev/null | tail -n 1
  done
}
memory() { for pid in $pids; do awk -v l="$1" '/VmRSS/ {printf "%-22s resident %d MB\n", l, $2 / 1024}' "/proc/$pid/status"; done; }
await() { until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.2; done; }

reference() { # reference NODES
  dotnet "$program" broker --nodes "$1" --port 29092 --data "$work/reference-$1" --quiet & pids=$!
  await $((29091 + $1)); sleep 1
  produce "reference, $1 node(s)" 127.0.0.1:29092 "$1"
  memory "reference, $1 node(s)"; stop
}
apache() { # apache NODES
  local node voters=""
  for node in $(seq "$1"); do voters="$voters,$node@127.0.0.1:$((39192 + node))"; done
  for node in $(seq "$1"); do
    cat >"$work/kafka-$1-$node.properties" <<P
process.roles=broker,controller
node.id=$node
controller.quorum.voters=${voters#,}
listeners=PLAINTEXT://127.0.0.1:$((39091 + node)),CONTROLLER://127.0.0.1:$((39192 + node))
advertised.listeners=PLAINTEXT://127.0.0.1:$((39091 + node))
controller.listener.names=CONTROLLER
log.dirs=$work/kafka-$1-$node
offsets.topic.replication.factor=1
P
    LOG_DIR=$work/logs "$kafka/bin/kafka-storage.sh" format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$work/kafka-$1-$node.properties" >/dev/null 2>&1
    LOG_DIR=$work/logs KAFKA_HEAP_OPTS="-Xms512M -Xmx512M" "$kafka/bin/kafka-server-start.sh" "$work/kafka-$1-$node.properties" >/dev/null 2>&1 & pids="$pids $!"
  done
  await $((39091 + $1)); sleep 5
  produce "Kafka, $1 node(s)" 127.0.0.1:39092 "$1"
  memory "Kafka, $1 node(s)"; stop
}
for nodes in 1 3; do reference "$nodes"; apache "$nodes"; done
