# Which clients are here: sets $clients, and for each its python, its command or its home. What is missing is installed with --install, or skipped with a reason.

declare -A pythons commands tools versions
skipped=""
skip() { echo "skipped: $1: $2"; skipped="$skipped$1: $2"$'\n'; }
wanted() { [ -z "$only_clients" ] || [[ " $only_clients " == *" $1 "* ]]; }
python_of() { echo "${pythons[$1]:-python3}"; }

apt_install() { # once, and quietly: what then is still missing is skipped
  [ $install = yes ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
  { apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"; } >>"$work/install.log" 2>&1
}

python_with() { # python_with MODULE: the first Python that has it; Debian's packages are for Debian's own
  local candidate
  for candidate in python3 /usr/bin/python3; do
    "$candidate" -c "import $1" 2>/dev/null && { echo "$candidate"; return 0; }
  done
  return 1
}

kafkajs_folder() {
  local folder=$root/.mqverify/conformance/kafkajs
  command -v node >/dev/null || { [ $install = yes ] && apt_install nodejs npm; } || return 1
  if [ ! -d "$folder/node_modules/kafkajs" ]; then
    [ $install = yes ] && command -v npm >/dev/null || return 1
    mkdir -p "$folder" && cp "$here/clients/kafkajs/package.json" "$folder" && (cd "$folder" && npm install --no-audit --no-fund >>"$work/install.log" 2>&1) || return 1
  fi
  echo "$folder/node_modules"
}

find_clients() {
  local modules home version found=""
  if wanted kcat; then
    command -v kcat >/dev/null || apt_install kcat
    if command -v kcat >/dev/null; then found="$found kcat"; else skip kcat "not here (Debian: apt install kcat)"; fi
  fi
  if wanted confluent-kafka-python; then
    python_with confluent_kafka >/dev/null || apt_install python3-confluent-kafka
    if pythons[confluent-kafka-python]=$(python_with confluent_kafka); then found="$found confluent-kafka-python"; else skip confluent-kafka-python "not here (Debian: apt install python3-confluent-kafka)"; fi
  fi
  if wanted confluent-kafka-dotnet; then
    ldconfig -p | grep 'librdkafka\.so\.1 ' >/dev/null || apt_install librdkafka1
    if ! ldconfig -p | grep 'librdkafka\.so\.1 ' >/dev/null; then skip confluent-kafka-dotnet "there is no librdkafka (Debian: apt install librdkafka1)"
    elif ! MSBUILDDISABLENODEREUSE=1 dotnet build "$here/clients/dotnet" -c Release --nologo -v q -o "$root/.mqverify/conformance/dotnet" >"$work/dotnet.log" 2>&1; then skip confluent-kafka-dotnet "it does not build here: $(tail -n 4 "$work/dotnet.log" | head -n 1)"
    else commands[confluent-kafka-dotnet]="dotnet $root/.mqverify/conformance/dotnet/Conformance.Client.dll"; found="$found confluent-kafka-dotnet"; fi
  fi
  if wanted kafka-python; then
    python_with kafka,snappy,lz4,zstandard >/dev/null || apt_install python3-kafka python3-snappy python3-lz4 python3-zstandard
    if pythons[kafka-python]=$(python_with kafka,snappy,lz4,zstandard || python_with kafka); then found="$found kafka-python"; else skip kafka-python "not here (Debian: apt install python3-kafka python3-snappy python3-lz4 python3-zstandard)"; fi
  fi
  if wanted kafkajs; then
    if modules=$(kafkajs_folder); then export NODE_PATH=$modules; commands[kafkajs]="node $here/clients/kafkajs/client.js"; found="$found kafkajs"
    else skip kafkajs "not here (Node and npm, then --install)"; fi
  fi
  [ ${#homes[@]} -gt 0 ] || skip kafka-tools "no unpacked Apache Kafka (--kafka-home DIR)"
  for home in "${homes[@]}"; do
    version=$(ls "$home/libs" | sed -n 's/^kafka-clients-\(.*\)\.jar/\1/p')
    wanted "kafka-tools-$version" && [[ " $found " != *" kafka-tools-$version "* ]] || continue
    if command -v java >/dev/null; then tools[kafka-tools-$version]=$home; found="$found kafka-tools-$version"; else skip "kafka-tools-$version" "there is no Java run time (Debian: apt install openjdk-17-jre-headless)"; fi
  done
  clients=${found# }
  for client in $only_clients; do [[ " $clients " == *" $client "* || $skipped == *"$client:"* ]] || bad "no client '$client' here; known: kcat confluent-kafka-python confluent-kafka-dotnet kafka-python kafkajs kafka-tools-VERSION"; done
  [ -n "$clients" ] || { echo "run: none of the clients is here"; exit 2; }
}

client_environment() { # client_environment CLIENT: what its program needs to know
  export CLIENT_COMMAND=${commands[$1]:-} TOOLS_HOME=${tools[$1]:-}
}
