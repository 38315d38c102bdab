#!/usr/bin/env bash
# Makes sure of a Chromium for the browser tests, from Debian's or Ubuntu's packages. Does nothing
# where there is one; where it cannot be had, says so and lets the tests say that they need it.
set -euo pipefail

say() { printf 'browser: %s\n' "$*" >&2; }

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then
    say "$name is here"
    exit
  fi
done

as_root=()
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    say "Chromium is missing and only root can install it: run 'bash requirements/browser.sh' as root"
    exit
  fi
  as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
  say "Chromium is missing and there is no apt-get: install it with this system's own package manager"
  exit
fi

# Another apt may be at work, and a mirror may be away for a moment.
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2
}

say "installing chromium from the system's packages (about 100 MB to download)"
if ! apt update || ! apt install --yes --no-install-recommends chromium; then
  say "chromium could not be installed; apt-get's own words are above"
fi
