#!/usr/bin/env bash
# broker-throughput.sh KAFKA_HOME [PAIRS]
# Kafka's own producer-perf-test (acks=all) and consumer-perf-test against the reference broker and against Kafka, which stand side by side and are loaded in turn: one node each, then three
# (one process a node, three replicas, min.insync.replicas=2). Prints each run, then medians and their ratio. Read the figures as ratios: they are taken on one machine together with the load.
# Needs Java; everything is on 127.0.0.1 and in a temporary folder.
set -eu
cd "$(dirname "$0")/.."
kafka=${1:?"usage: $0 KAFKA_HOME [PAIRS]"} pairs=${2:-3}
program=reports/Verify.Cli/bin/Release/net10.0/mqverify.dll
./mqverify --version
work=$(mktemp -d) pids=""
stop() { for pid in $pids; do kill -KILL "$pid" 2>/dev/null || true; done; for pid in $pids; do wait "$pid" 2>/dev/null || true; done; pids=""; }
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
await() { until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do sleep 0.2; done; }

start() { # start SYSTEM NODES PORT: node N listens on PORT + N, its controller 100 above
  local node voters="" file
  for node in $(seq "$2"); do voters="$voters,$node@127.0.0.1:$(($3 + 100 + node))"; done
  for node in $(seq "$2"); do
    file=$work/$1-$2-$node.properties
    cat >"$file" <<P
process.roles=broker,controller
node.id=$node
controller.quorum.voters=${voters#,}
listeners=PLAINTEXT://127.0.0.1:$(($3 + node)),CONTROLLER://127.0.0.1:$(($3 + 100 + node))
advertised.listeners=PLAINTEXT://127.0.0.1:$(($3 + node))
controller.listener.names=CONTROLLER
log.dirs=$work/$1-$2-$node
offsets.topic.replication.factor=$2
group.initial.rebalance.delay.ms=0
P
    if [ "$1" = reference ]; then
      dotnet "$program" broker --config "$file" --quiet & pids="$pids $!"
    else
      LOG_DIR=$work/logs "$kafka/bin/kafka-storage.sh" format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$file" >/dev/null 2>&1
      LOG_DIR=$work/logs KAFKA_HEAP_OPTS="-Xms512M -Xmx512M" "$kafka/bin/kafka-server-start.sh" "$file" >/dev/null 2>&1 & pids="$pids $!"
    fi
    eval "processes_$1=\"\${processes_$1:-} $!\""
  done
  for node in $(seq "$2"); do await $(($3 + node)); done
}

tool() { KAFKA_HEAP_OPTS=-Xmx256M "$kafka/bin/$1.sh" "${@:2}" 2>/dev/null; }
port() { [ "$1" = reference ] && echo 29092 || echo 39092; }
topic() { until tool kafka-topics --bootstrap-server "127.0.0.1:$(($(port "$1") + 1))" --create --topic "load-$3" --partitions 1 --replication-factor "$2" --config "min.insync.replicas=$(($2 > 1 ? 2 : 1))" >/dev/null; do sleep 1; done; }
produce() { # produce SYSTEM BYTES RECORDS: records/s
  tool kafka-producer-perf-test --topic "load-$2" --num-records "$3" --record-size "$2" --throughput -1 --producer-props "bootstrap.servers=127.0.0.1:$(($(port "$1") + 1))" acks=all | tail -n 1 | sed -E 's/.* ([0-9]+)(\.[0-9]+)? records\/sec.*/\1/'
}
consume() { # consume SYSTEM BYTES RECORDS: records/s while fetching, joining the group not counted
  tool kafka-consumer-perf-test --bootstrap-server "127.0.0.1:$(($(port "$1") + 1))" --topic "load-$2" --messages "$3" --hide-header | tail -n 1 | awk -F', ' '{ printf "%d\n", $10 }'
}
median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

for nodes in 1 3; do
  processes_reference="" processes_kafka=""
  start reference $nodes 29092; start kafka $nodes 39092
  for load in "100 300000" "1024 100000"; do
    read -r bytes records <<<"$load"
    for system in reference kafka; do topic $system $nodes "$bytes"; produce $system "$bytes" "$records" >/dev/null; done
    for what in produce consume; do
      for system in reference kafka; do : >"$work/$system"; done
      for pair in $(seq "$pairs"); do for system in reference kafka; do $what $system "$bytes" "$records" >>"$work/$system"; done; done
      reference=$(median <"$work/reference") apache=$(median <"$work/kafka")
      printf '%s node(s), %s %4s bytes: reference %8s/s (%s), Kafka %8s/s (%s), ratio %s\n' $nodes $what "$bytes" "$reference" "$(paste -sd' ' "$work/reference")" "$apache" "$(paste -sd' ' "$work/kafka")" \
        "$(awk -v a="$reference" -v b="$apache" 'BEGIN { printf "%.2f", a / b }')"
    done
  done
  for system in reference kafka; do for pid in $(eval "echo \$processes_$system"); do awk -v l="$system, $nodes node(s)" '/VmRSS/ { printf "%s: resident %d MB\n", l, $2 / 1024 }' "/proc/$pid/status"; done; done
  stop
done
