#!/usr/bin/env bash
# Runs the uv of .venv with what pip knows of this machine's package index.
#
# uv reads neither pip.conf nor PIP_*, yet what was set there holds for the machine, not for pip
# alone. Extra indexes are left out: every pinned package is on the main one, and uv, unlike pip,
# stops at an extra one that does not answer.
set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)/.venv/bin
settings=$("$bin/python" -I -m pip config list)

# hand_over VARIABLE SETTING: pip's setting, by pip's precedence, unless the variable is set.
hand_over() {
  local scope value
  [ -z "${!1:-}" ] || return 0
  for scope in :env: install global; do
    value=$(sed -n "s/^$scope\.$2='\(.*\)'\$/\1/p" <<<"$settings")
    if [ -n "$value" ]; then
      export "$1=$value"
      return
    fi
  done
}

if [ -z "${UV_INDEX_URL:-}${UV_CONFIG_FILE:-}" ] && ! [ -e /etc/uv/uv.toml ] &&
  ! [ -e "${XDG_CONFIG_HOME:-${HOME:-}/.config}/uv/uv.toml" ]; then
  hand_over UV_DEFAULT_INDEX index-url
fi
hand_over SSL_CERT_FILE cert
hand_over UV_INSECURE_HOST trusted-host
[ -n "${https_proxy:-}${ALL_PROXY:-}${all_proxy:-}" ] || hand_over HTTPS_PROXY proxy
# Debian's pip trusts the system's certificates, a company's own among them; uv does when told.
[ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}

# uv's own limit suits small wheels; TensorFlow's comes slowly over a slow line.
export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}
exec "$bin/uv" "$@"
