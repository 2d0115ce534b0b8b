#!/usr/bin/env bash
# Compares how long the deployed function takes from its start to its first request for an event with
# a function that does nothing, by the stub of a Runtime API in ../shared/bench/coldstart.
#
#   internal/tools/coldstart.sh [ROUNDS]     # default 5, of 30 starts each, alternating
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bench=../shared/bench/coldstart
[[ -d $bench ]] || { echo "coldstart: $bench is missing" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in bare runtime; do
  (cd "$bench" && CGO_ENABLED=0 go build -tags lambda.norpc -trimpath -ldflags '-s -w' \
    -o "$work/$program" "./$program")
done
go run ./internal/release -lambda "$(go env GOARCH)" -out "$work"
(cd "$work" && python3 -m zipfile -e confab-lambda.zip . && chmod +x bootstrap)

export AWS_REGION=us-east-1 AWS_LAMBDA_FUNCTION_NAME=chat AWS_ACCESS_KEY_ID=key \
  AWS_SECRET_ACCESS_KEY=secret AWS_SESSION_TOKEN=token CONFAB_TABLE=chat \
  CONFAB_ENDPOINT=https://abc.execute-api.us-east-1.amazonaws.com/production
# An event that is answered without any call.
event='{"action":"sendmessage","message":"hi","apigw_endpoint":"https://elsewhere.example"}'
for ((round = 0; round < ${1:-5}; round++)); do
  for program in bare bootstrap; do
    echo "$program $("$work/runtime" -runs 30 -event "$event" "$work/$program")"
  done
done | python3 -c '
import json, sys
times = {}
for line in sys.stdin:
    name, text = line.split(" ", 1)
    times.setdefault(name, []).append(json.loads(text)["exec_to_next_ms"]["p50"])
for name, values in times.items():
    print(f"{name}: {sorted(values)[len(values) // 2]:.2f} ms from exec to next, median of {len(values)} medians")
ratios = sorted(b / a for a, b in zip(times["bare"], times["bootstrap"]))
print(f"ratio: {ratios[len(ratios) // 2]:.2f} (bar 2.2)")'
