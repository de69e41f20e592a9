# Shared by deploy/quickstart, deploy/test and deploy/bench: what the machine needs, and how to say so. Sourced, not run.

SWIFT_NEEDED=6.3
AGENT_PACKAGE=claude-agent-sdk==0.2.186
AGENT_VERSION=2.1.329
AGENT_SHA256=30e2724e2aecb1bf5dc9f3130901afb71c5fa229051c190a6d7ad9aff6378d6d

# What Errand is built with and runs on.
BUILD_PACKAGES=(libpq-dev libssl-dev libhiredis-dev libargon2-dev libseccomp-dev libzstd-dev libmaxminddb-dev libcurl4-openssl-dev pkg-config)
RUN_PACKAGES=(postgresql-15 libcurl4 libmaxminddb0 redis-server openssl ca-certificates python3-pip unzip tar util-linux git)
# What only the tests need besides: the pages are opened in a browser.
TEST_PACKAGES=(chromium chromium-driver)

step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { printf 'errand: %s\n' "$*" >&2; exit 1; }

need_debian() {
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    fail "this script installs Debian packages; on another system install the equivalents of: ${BUILD_PACKAGES[*]} ${RUN_PACKAGES[*]}"
}

need_swift() {
  local hint="install Swift $SWIFT_NEEDED or newer for Debian 12 from https://www.swift.org/install/linux/ and put its usr/bin on PATH"
  command -v swift >/dev/null || fail "the Swift toolchain is missing: $hint"
  local found
  found=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
  [ -n "$found" ] || fail "the Swift toolchain does not start (try: swift --version); $hint"
  [ "$(printf '%s\n%s\n' "$SWIFT_NEEDED" "$found" | sort -V | head -n 1)" = "$SWIFT_NEEDED" ] ||
    fail "Swift $found is too old: $hint"
}

# Installs the Debian packages that are missing, and starts none of their services.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run this once as root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  step "Installing Debian packages: ${missing[*]}"
  # Errand runs PostgreSQL and Redis of its own; the packages' default services stay off.
  "${root[@]}" install -d /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.d/errand.conf >/dev/null
  local policy=/usr/sbin/policy-rc.d is_ours=no
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
    "${root[@]}" chmod 755 $policy
    is_ours=yes
    trap "${root[*]} rm -f $policy" EXIT
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
  # One that the machine had before stays.
  if [ $is_ours = yes ]; then "${root[@]}" rm -f $policy; fi
}

# Puts the agent's CLI, unmodified, into a directory unless a `claude` is on PATH; prints its path.
need_agent() {
  local directory=$1
  if command -v claude >/dev/null; then
    command -v claude
    return
  fi
  local agent=$directory/claude
  if [ ! -x "$agent" ] || [ "$(sha256sum "$agent" | cut -d ' ' -f 1)" != $AGENT_SHA256 ]; then
    step "Getting the agent ($AGENT_PACKAGE, CLI $AGENT_VERSION) from PyPI"
    local work
    work=$(mktemp -d)
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$AGENT_PACKAGE" >&2 ||
      fail "PyPI did not give $AGENT_PACKAGE; put a 'claude' on PATH instead"
    mkdir -p "$directory"
    (cd "$work" && unzip -q -o ./*.whl claude_agent_sdk/_bundled/claude)
    chmod 755 "$work/claude_agent_sdk/_bundled/claude"
    [ "$(sha256sum "$work/claude_agent_sdk/_bundled/claude" | cut -d ' ' -f 1)" = $AGENT_SHA256 ] ||
      fail "the agent's CLI is not the one that was tested (SHA-256 differs)"
    mv "$work/claude_agent_sdk/_bundled/claude" "$agent"
    rm -rf "$work"
  fi
  echo "$agent"
}
