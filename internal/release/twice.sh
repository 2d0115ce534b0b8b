#!/usr/bin/env bash
# Builds the release twice and compares: all targets again in a copy of the tree elsewhere, one of
# them with an empty build cache besides.
#
#   internal/release/twice.sh [FOLDER]     # the archives stay in FOLDER, default dist
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-dist}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

go run ./internal/release -out "$out"
git clone -q --no-hardlinks . "$work/copy"
(
	cd "$work/copy"
	go run ./internal/release -out "$work/again"
	GOCACHE=$work/cache go run ./internal/release -out "$work/cold" -only linux/amd64
)
diff "$out/SHA256SUMS" "$work/again/SHA256SUMS"
grep linux_amd64 "$out/SHA256SUMS" | diff - "$work/cold/SHA256SUMS"
echo "release: the same bytes, built in two places and with an empty cache"
