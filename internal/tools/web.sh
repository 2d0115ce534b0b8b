#!/usr/bin/env bash
# Checks the types of the page and builds it into web/dist, which is committed. Needs Node.js and what
# install.sh puts into web/node_modules; without them it says so, and with CI=true it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../web"

if [[ ! -x node_modules/.bin/vite ]]; then
  echo "web: the page is not built: run \`make tools\`" >&2
  [[ ${CI-} != true ]]
  exit
fi
node_modules/.bin/tsc
node_modules/.bin/vite build --logLevel warn
