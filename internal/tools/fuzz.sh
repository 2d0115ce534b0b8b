#!/usr/bin/env bash
# Fuzzes every target of the module for a while each: fuzz.sh TIME, as in `fuzz.sh 5s`.
# The seeds and the findings in testdata/fuzz run as ordinary tests too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
time=${1:?usage: fuzz.sh TIME}

packages=$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u)
for package in $packages; do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz'); do
    echo "fuzz $package $target $time"
    # Progress lines are for people who wait; a finding is printed whole.
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 2s "$package" |
      { grep -v '^fuzz: elapsed' || true; }
  done
done
