#!/bin/sh
# Apache Kafka's own client as a client under test, from the jars of an unpacked Kafka: KAFKA_HOME, which --kafka-home sets. Arguments: settings, name=value.
# A signal must meet the client itself, so the shell becomes the JVM. Source launch compiles Probe.java at each start: no build, about a second.
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$KAFKA_HOME/libs" ] || { echo "no Kafka in KAFKA_HOME '$KAFKA_HOME': give --kafka-home DIR" >&2; exit 1; }
exec java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp "$KAFKA_HOME/libs/*" "$here/Probe.java" "$@"
