#!/usr/bin/env bash
# Runs the tests that stand in files with the build constraint !race: the fault tests TestF1_…,
# TestF2_…, whose clocks the race detector would distort, and those that count allocations, which it
# adds to. Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

files=$(grep -rl --include='*_test.go' '^//go:build !race' . | grep -v '^\./\.tools/' | sort)
packages=$(xargs -n1 dirname <<<"$files" | sort -u)
# shellcheck disable=SC2086 # one word a file
tests=$(sed -nE 's/^func (Test[A-Za-z0-9_]+)\(t \*testing\.T\).*/\1/p' $files | sort -u | paste -sd'|')
# shellcheck disable=SC2086 # one word a package
go test -count=1 -p 1 -run "^($tests)\$" "$@" $packages
