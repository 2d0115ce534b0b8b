#!/usr/bin/env bash
# Runs `go generate` and fails when that changes a file: what is generated must be committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# sums prints a checksum of every file that git knows or would add.
sums() { git ls-files -co --exclude-standard -z | sort -zu | xargs -0 sha256sum 2>/dev/null || true; }

before=$(sums)
go generate ./...
if ! changed=$(diff <(echo "$before") <(sums)); then
  echo "generated files were out of date; commit what \`make generate\` has written:" >&2
  awk '/^>/ { print "  " $3 }' <<<"$changed" >&2
  exit 1
fi
