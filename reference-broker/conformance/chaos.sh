# The same clients while nodes die, one after another: a producer and two members of a group each, for all clients at once. chaos.py says what each prints and judges it.

chaos_role() { # chaos_role CLIENT ROLE FILE [ARGUMENT...]: in the background, in a process group of its own
  local client=$1 role=$2 file=$3
  shift 3
  client_environment "$client"
  timeout -k 5 900 "$(python_of "$client")" "$here/chaos.py" "$client" "$role" "$client-chaos" "$@" >"$work/chaos/$client-chaos.$file" 2>"$work/chaos/$client-chaos.$file.errors" &
  echo $! >"$work/pids/$client-$file"
  [ "$role" = produce ] || disown $! # it is killed in the end, which is no news
}

echo "killing nodes under $(echo "$clients" | wc -w) clients"
for client in $clients; do
  python3 "$here/wire.py" create "$client-chaos" 3
  for which in 1 2; do chaos_role "$client" member "member$which"; done
  chaos_role "$client" produce produce "$work/chaos/stop"
done
sleep 10
for node in 1 2 3 1 2 3; do
  if ! kill_node $node; then cell "" chaos failed 0 "node $node could not be killed"; fi
  echo "node $node killed"
  sleep 5
  start_node $node
  if ! python3 "$here/wire.py" in-sync 120; then cell "all" chaos failed 120 "node $node came back, but not all replicas"; fi
  echo "node $node is back in sync"
  sleep 2
done
: >"$work/chaos/stop"
for client in $clients; do
  wait "$(cat "$work/pids/$client-produce")"
  started=$SECONDS
  client_environment "$client"
  limited "$client" 240 "$(python_of "$client")" "$here/chaos.py" "$client" judge "$client-chaos" "$work/chaos" >"$work/$client.said" 2>"$work/$client.errors"; code=$?
  settle "$client" chaos $code $((SECONDS - started)) "$(tail -n 1 "$work/$client.said")"
  for file in produce member1 member2; do kill -KILL -- "-$(cat "$work/pids/$client-$file")" 2>/dev/null; rm -f "$work/pids/$client-$file"; done
done
