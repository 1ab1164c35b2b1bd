# Three nodes on free ports of 127.0.0.1, each a process with its data in $work/data/N. Sets BOOTSTRAP, DATA and $what.

start_cluster() {
  local node ports
  ports=($(python3 -c 'import socket
held = [socket.socket() for _ in range(6)]
for one in held: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))'))
  export BOOTSTRAP="127.0.0.1:${ports[0]},127.0.0.1:${ports[1]},127.0.0.1:${ports[2]}" DATA=$work/data WORK=$work
  listeners=("" "${ports[@]:0:3}") controllers=("" "${ports[@]:3:3}")
  voters="1@127.0.0.1:${ports[3]},2@127.0.0.1:${ports[4]},3@127.0.0.1:${ports[5]}"
  for node in 1 2 3; do properties $node >"$work/node-$node.properties"; done
  if [ $system = kafka ]; then
    what="Apache Kafka $(ls "${homes[0]}/libs" | sed -n 's/^kafka-clients-\(.*\)\.jar/\1/p')"
    for node in 1 2 3; do
      LOG_DIR=$work "${homes[0]}/bin/kafka-storage.sh" format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$work/node-$node.properties" >"$work/node-$node.log" 2>&1 || return 1
    done
  else
    what="the reference broker, $("$root/mqverify" --version)" || return 1
  fi
  for node in 1 2 3; do start_node $node; done
  python3 "$here/wire.py" ready 3 90
}

properties() { # properties NODE: the same words for both systems; internal topics small, group tests without the first wait
  cat <<P
process.roles=broker,controller
node.id=$1
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:${listeners[$1]},CONTROLLER://127.0.0.1:${controllers[$1]}
advertised.listeners=PLAINTEXT://127.0.0.1:${listeners[$1]}
controller.listener.names=CONTROLLER
log.dirs=$work/data/$1
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
P
  [ $system = reference ] || cat <<P
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=1
log.cleaner.dedupe.buffer.size=2097152
P
}

start_node() { # start_node NODE: again after a kill, with the data it had; the reference broker as start_cluster has built it, whatever happens to its sources meanwhile
  if [ $system = kafka ]; then
    LOG_DIR=$work KAFKA_HEAP_OPTS="-Xms256M -Xmx384M" KAFKA_JVM_PERFORMANCE_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto" \
      "${homes[0]}/bin/kafka-server-start.sh" "$work/node-$1.properties" >>"$work/node-$1.log" 2>&1 &
  else
    dotnet "$root/reports/Verify.Cli/bin/Release/net10.0/mqverify.dll" broker --config "$work/node-$1.properties" >>"$work/node-$1.log" 2>&1 &
  fi
  echo $! >"$work/pids/node-$1"
}

kill_node() { # kill_node NODE: with kill -9, and only when it really is gone
  local pid; pid=$(cat "$work/pids/node-$1")
  kill -KILL "$pid" && { wait "$pid"; } 2>/dev/null
  ! kill -0 "$pid" 2>/dev/null
}
