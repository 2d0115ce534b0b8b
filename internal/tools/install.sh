#!/usr/bin/env bash
# Installs what tests and checks need beside Go into .tools in the project's root.
#
#   install.sh test   system programs, DynamoDB Local, Node.js and Python packages, an ACME issuer,
#                     cfn-lint, Lambda's runtime client, what the page is built and tested with
#   install.sh lint   golangci-lint, gofumpt and govulncheck, built by Go (about 100 s, once)
#
# What is there already is left alone, so a second run takes no time. Versions are pinned in the
# folders beside this file and below. Each step says in one line what it does.
set -euo pipefail

readonly golangci_lint=v2.15.0
readonly gofumpt=v0.12.0
readonly pebble=v2.10.1
readonly govulncheck=v1.2.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$(cd "$here/../.." && pwd)/.tools
mkdir -p "$tools"
tools=$(cd "$tools" && pwd -P) # npm minds symbolic links
log=$tools/install.log

say() { echo "tools: $*"; }

# quietly runs a command and shows its output only when it fails.
quietly() {
  "$@" >"$log" 2>&1 || { cat "$log" >&2; say "failed: $*" >&2; exit 1; }
}

# current NAME FILE...: whether .tools/NAME was installed from these very files.
current() {
  local name=$1
  shift
  [[ -f $tools/$name/stamp ]] && [[ $(<"$tools/$name/stamp") == "$(cat "$@" | sha256sum)" ]]
}

# place NAME FILE...: moves .tools/NAME.new to its place with a stamp of the files.
place() {
  local name=$1
  shift
  cat "$@" | sha256sum >"$tools/$name.new/stamp"
  rm -rf "${tools:?}/$name"
  mv "$tools/$name.new" "$tools/$name"
}

# system installs the programs that only the system's package manager has.
system() {
  local packages=()
  command -v gcc >/dev/null || packages+=(gcc libc6-dev)
  command -v strace >/dev/null || packages+=(strace)
  command -v ip >/dev/null || [[ -x /usr/sbin/ip ]] || packages+=(iproute2)
  command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] || packages+=(nginx-light)
  command -v systemd-analyze >/dev/null || packages+=(systemd)
  command -v java >/dev/null || packages+=(default-jre-headless)
  command -v mvn >/dev/null || packages+=(maven)
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
  [[ ${#packages[@]} -eq 0 ]] && return
  if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    say "missing on this system: ${packages[*]} (Debian: sudo apt-get install ${packages[*]})"
    return
  fi
  say "installing Debian packages: ${packages[*]}"
  quietly apt-get update -qq
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -y -qq --no-install-recommends "${packages[@]}"
}

# browser installs Chromium, about 100 MB, for the tests of what a page sees.
browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && return
  done
  if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    say "missing on this system: chromium (Debian: sudo apt-get install chromium)"
    return
  fi
  say "installing the Debian package chromium (about 100 MB)"
  quietly apt-get update -qq
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -y -qq --no-install-recommends chromium
}

# dynamodb installs Amazon's DynamoDB Local, every file checked against lib.sha256.
dynamodb() {
  local pins=("$here/../localdb/pom.xml" "$here/../localdb/lib.sha256")
  current dynamodb "${pins[@]}" && return
  command -v mvn >/dev/null || { say "no Maven: the DynamoDB tests have no engine"; return; }
  say "installing DynamoDB Local by Maven (48 MB)"
  rm -rf "$tools/dynamodb.new"
  mkdir -p "$tools/dynamodb.new/lib"
  quietly mvn -B -ntp -q -f "$here/../localdb/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$tools/dynamodb.new/lib"
  (cd "$tools/dynamodb.new/lib" && quietly sha256sum --check --strict --quiet "$here/../localdb/lib.sha256")
  place dynamodb "${pins[@]}"
}

# node_packages installs wscat, WebSocket clients and Amazon's JavaScript client.
node_packages() {
  local pins=("$here/node/package.json" "$here/node/package-lock.json" "$here/node/.npmrc")
  current node "${pins[@]}" && return
  command -v npm >/dev/null || { say "no npm: the tests with JavaScript clients cannot run"; return; }
  say "installing Node.js packages by npm"
  rm -rf "$tools/node.new"
  mkdir -p "$tools/node.new"
  cp "${pins[@]}" "$tools/node.new"
  # From within: npm takes a --prefix behind a symbolic link for a package of that name.
  (cd "$tools/node.new" && quietly npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  place node "${pins[@]}"
}

# page_packages installs what the page is built and tested with. Tools look for it beside the page.
page_packages() {
  local page pins
  page=$(cd "$here/../../web" && pwd)
  pins=("$page/package.json" "$page/package-lock.json" "$page/.npmrc")
  command -v npm >/dev/null || { say "no npm: the page cannot be built and tested"; return; }
  if ! current web "${pins[@]}"; then
    say "installing what the page is built and tested with by npm (180 MB)"
    rm -rf "$tools/web.new"
    mkdir -p "$tools/web.new"
    cp "${pins[@]}" "$tools/web.new"
    (cd "$tools/web.new" && quietly npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    place web "${pins[@]}"
  fi
  ln -sfn ../.tools/web/node_modules "$page/node_modules"
}

# python_packages NAME WHAT: installs what NAME/requirements.txt lists, and nothing else, into a virtual
# environment of that name. It cannot be moved, so that it is made in its place and gets its stamp last.
python_packages() {
  local name=$1 what=$2 pins=("$here/$1/requirements.txt")
  current "$name" "${pins[@]}" && return
  python3 -c 'import ensurepip, venv' 2>/dev/null ||
    { say "no Python with venv: the tests with $what cannot run"; return; }
  say "installing $what by pip"
  rm -rf "${tools:?}/$name"
  trap "rm -rf '$tools/$name'" EXIT # nothing half done stays
  quietly python3 -m venv "$tools/$name"
  quietly "$tools/$name/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    --only-binary :all: --no-deps --require-hashes -r "${pins[0]}"
  cat "${pins[@]}" | sha256sum >"$tools/$name/stamp"
  trap - EXIT
}

python_client() { python_packages python "Amazon's Python client"; }
cfn_lint() { python_packages cfnlint cfn-lint; }
lambda_runtime() { python_packages lambdaric "Amazon's Python runtime client for Lambda"; }
sam() { python_packages sam "aws-sam-cli (340 MB)"; } # alone: pip finds no versions for both

# go_program MODULE PACKAGE VERSION: builds a Go program into .tools/bin.
go_program() {
  local module=$1 package=$2 version=$3 file
  file=$tools/bin/${package##*/}
  [[ -x $file ]] && go version -m "$file" | grep -qF "$module"$'\t'"$version"$'\t' && return
  say "building ${package##*/} $version"
  GOFLAGS='' GOBIN=$tools/bin quietly go install "$package@$version"
}

# acme_issuer builds pebble, a small ACME issuer, and the DNS server for its tests.
acme_issuer() {
  local module=github.com/letsencrypt/pebble/v2
  go_program $module $module/cmd/pebble "$pebble"
  go_program $module $module/cmd/pebble-challtestsrv "$pebble"
}

# alone waits until no other run is under way: two would step on each other's feet.
alone() {
  command -v flock >/dev/null || return 0
  exec 9>"$tools/lock"
  flock 9
}

# part runs one function of this file in a process of its own. Where it fails, its tests are skipped;
# with CI=true everything fails.
part() {
  "$here/install.sh" "$1" && return
  [[ ${CI-} == true ]] && exit 1
  say "goes on without: $1"
}

case ${1-} in
test)
  alone
  part system
  part browser
  part dynamodb
  part node_packages
  part page_packages
  part python_client
  part cfn_lint
  part lambda_runtime
  part sam
  part acme_issuer
  ;;
lint)
  alone
  go_program github.com/golangci/golangci-lint/v2 \
    github.com/golangci/golangci-lint/v2/cmd/golangci-lint "$golangci_lint"
  go_program mvdan.cc/gofumpt mvdan.cc/gofumpt "$gofumpt"
  go_program golang.org/x/vuln golang.org/x/vuln/cmd/govulncheck "$govulncheck"
  ;;
system | browser | dynamodb | node_packages | page_packages) "$1" ;;
python_client | cfn_lint | lambda_runtime | sam | acme_issuer) "$1" ;;
*)
  echo "usage: install.sh test|lint" >&2
  exit 2
  ;;
esac
