#!/usr/bin/env bash
# Runs Autobahn's fuzzing client against an echo server on the gateway's connections. The suite is
# written in Python 2.7 and is installed under .tools, pinned in autobahn/requirements.txt, when there
# is one: `python2.7` on the PATH, of pyenv, or named by PYTHON27. Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
suite=.tools/autobahn
pins=internal/tools/autobahn/requirements.txt

give_up() { echo "autobahn: $*" >&2; exit 1; }

# works PROGRAM: whether it is a Python 2.7 with pip.
works() { "$1" -c 'import sys, pip; sys.exit(sys.version_info[:2] != (2, 7))' >/dev/null 2>&1; }

# find_python gives the first Python 2.7 that works.
find_python() {
  local python
  for python in "${PYTHON27:-python2.7}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7; do
    works "$python" && { command -v "$python"; return; }
  done
  return 1
}

# install puts the suite under .tools, with a program that starts it.
install() {
  local python log
  python=$(find_python) || give_up "no Python 2.7 with pip is here: get one by" \
    "\`pyenv install 2.7.18\`, or name one, as in \`PYTHON27=/opt/python2.7/bin/python make autobahn\`"
  echo "autobahn: installing the suite by pip for $("$python" --version 2>&1)"
  rm -rf "$suite"
  mkdir -p "$suite"
  log=$suite/install.log
  "$python" -m pip install --disable-pip-version-check --require-hashes -r "$pins" \
    --target "$suite/lib" >"$log" 2>&1 || { cat "$log" >&2; give_up "pip could not install the suite"; }
  cat >"$suite/wstest" <<END
#!/bin/sh
exec "$python" -c 'import site, sys
site.addsitedir(sys.argv.pop(1))
from autobahntestsuite.wstest import run
run()' "\$(dirname "\$0")/lib" "\$@"
END
  chmod +x "$suite/wstest"
  cp "$pins" "$suite/stamp"
}

cmp -s "$pins" "$suite/stamp" || install
go test -count=1 -tags autobahn -run '^TestAutobahn$' -v -timeout 10m "$@" ./gateway
