# The table: a row for each feature, a column for each client, and below it every reason and every known difference.

difference() { # difference CLIENT FEATURE: why this differs from what the client expects, if that is known; differences.txt says it once for all
  awk -v s="$system" -v c="$1" -v f="$2" '!/^#/ && NF >= 4 && ($1 == s || $1 == "*") && (index(c, $2) == 1 || $2 == "*") && $3 == f { $1 = $2 = $3 = ""; sub(/^ +/, ""); print; exit }' "$here/differences.txt"
}

title() {
  case $1 in
    metadata) echo "metadata: leaders, replicas, ISR" ;; topic) echo "create and delete a topic" ;; grow) echo "add partitions" ;; acks-0) echo "produce, acks=0" ;; acks-1) echo "produce, acks=1" ;;
    acks-all) echo "produce, acks=all" ;; idempotent) echo "idempotent produce" ;; gzip | snappy | lz4 | zstd) echo "$1, stored as it came" ;;
    headers) echo "keys, headers, null values, timestamps" ;; from-offset) echo "read from an offset" ;; by-time) echo "find an offset by time" ;; ends) echo "end offsets" ;;
    group) echo "group: join, commit, resume" ;; share) echo "two members share, one leaves" ;; two-groups) echo "two groups on one topic" ;; static) echo "static membership" ;;
    groups) echo "list, describe, delete groups" ;; reset) echo "reset offsets" ;; delete-records) echo "delete records" ;; configs) echo "describe and alter settings" ;;
    transactions) echo "transactions" ;; new-groups) echo "group by the newer protocol (KIP-848)" ;;
    perf-test) echo "producer and consumer perf-test" ;; dump-log) echo "dump-log on our segments" ;; chaos) echo "nodes killed: log and group" ;; *) echo "$1" ;;
  esac
}

note_of() { # note_of TEXT: sets $number; the same text has one number
  for number in "${!notes[@]}"; do [ "${notes[$number]}" != "$1" ] || { number=$((number + 1)); return; }; done
  notes+=("$1"); number=${#notes[@]}
}

table() {
  local client feature state reason notes=() number row
  {
    echo "Three nodes of $what, $(date -u +%Y-%m-%d): \`${command#"$root"/}\`"
    echo
    row="| |"; for client in $clients; do row="$row $client |"; done; echo "$row"
    row="|---|"; for client in $clients; do row="$row---|"; done; echo "$row"
    for feature in $features $([ $chaos = yes ] && echo chaos); do
      row="| $(title "$feature") |"
      for client in $clients; do
        IFS=$'\t' read -r state reason < <(awk -F'\t' -v c="$client" -v f="$feature" '$1 == c && $2 == f { print $3 "\t" $5 }' "$work/cells")
        case $state in
          ok) row="$row ok |" ;;
          "not offered") row="$row – |" ;;
          differs) note_of "$(title "$feature"): $reason"; row="$row differs [$number] |" ;;
          *) note_of "$client, $(title "$feature"): $reason"; row="$row **${state:-not run}** [$number] |" ;;
        esac
      done
      echo "$row"
    done
    echo
    echo "ok: works · –: this client does not offer it · differs: on purpose, explained below · failed: neither"
    for number in "${!notes[@]}"; do echo; echo "[$((number + 1))] ${notes[$number]}"; done
    for client in $clients; do
      reason=$(difference "$client" note)
      [ -z "$reason" ] || { echo; echo "$client: $reason"; }
    done
    if [ -n "$skipped" ]; then echo; echo "Not run, as it is not to be had here: $(echo -n "$skipped" | paste -sd ';')"; fi
    echo
    for client in $clients; do echo "- $client: $(version_of "$client")"; done
  } >"$work/table.md"
  if [ -n "$out" ]; then cp "$work/table.md" "$out"; else cat "$work/table.md"; fi
}

version_of() { client_environment "$1"; (cd "$here" && timeout 20 "$(python_of "$1")" -c "import client, sys, os; print(client.connect('$1').version(), flush=True); os._exit(0)" 2>/dev/null) || echo "version unknown"; }
