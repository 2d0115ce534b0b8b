#!/usr/bin/env bash
# Runs scenarios of the load generator in ../shared/bench against `confab serve` and the reference
# server `raw`, interleaved, each on processor 0 with the load from processor 1:
#
#   internal/tools/loadbench.sh 5 A A1 B C D E F          # durable, as people run it
#   internal/tools/loadbench.sh 5 C --memory              # flags of serve come last
#   PEERS='raw-send nats nchan bun' internal/tools/loadbench.sh 5 A B    # beside further servers
#
# The first argument is the number of repetitions. PEERS are servers that peers.sh of the load generator
# has built (`peers.sh build` builds all that there are). PORT is ours, 9300 without one.
set -euo pipefail
cd "$(dirname "$0")/../.."
bench=$PWD/../shared/bench
root=${PEERS_ROOT:-${TMPDIR:-/tmp}/confab-peers}
port=${PORT:-9300}
read -ra peers <<<"raw ${PEERS:-}"
[[ -d $bench ]] || { echo "loadbench: ../shared/bench is not here" >&2; exit 1; }
[[ -x $root/bin/limits && -x $root/bin/chatbench ]] || "$bench/peers.sh" build limits
make -s build

repetitions=$1
shift
scenarios=()
while [[ $# -gt 0 && $1 != --* ]]; do scenarios+=("$1"); shift; done

work=$(mktemp -d)
server=
stop() { [[ -z $server ]] || { kill -9 "$server" 2>/dev/null; wait "$server" 2>/dev/null; } || true; server=; }
trap 'stop; rm -rf "$work"' EXIT

for scenario in "${scenarios[@]}"; do
	options=${BENCH:-}
	case $scenario in A1) name=A options="-window 1 $options" ;; *) name=$scenario ;; esac
	taskset -c 0 ./confab serve --addr "127.0.0.1:$port" --admin-addr off --rate 1000000 --drain 0s \
		--data "$work/$scenario" "$@" >"$work/log" 2>&1 &
	server=$!
	for _ in $(seq 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.1
	done
	echo "== $scenario"
	BENCH=$options "$bench/run.sh" "$name" "$repetitions" "$work/$scenario.jsonl" "${peers[@]}" "confab=confab,$port,$server"
	stop
done
