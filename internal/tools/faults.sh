#!/usr/bin/env bash
# Runs the fault tests: TestF0, TestF1, … of the packages that have files fault_*_test.go. They are
# built without the race detector, which would distort their clocks. Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

packages=$(find . -name 'fault_*_test.go' -not -path './.tools/*' -exec dirname {} + | sort -u)
[[ -z $packages ]] && { echo "no fault tests"; exit 0; }
# shellcheck disable=SC2086 # one word a package
go test -count=1 -p 1 -run '^TestF[0-9]+' "$@" $packages
