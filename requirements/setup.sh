#!/usr/bin/env bash
# Makes .venv what the lock says, and does nothing when it is that already. Called by `make setup`.
#
# .venv/set-up is written last and taken away before anything is changed, so it tells how far an
# earlier set-up came:
#   it says what it would say now         nothing to do
#   only the pinned files have changed    brought up to date in place
#   it is missing, or names another       never finished, moved, or tampered with: made anew, which
#   interpreter or checkout               costs little, because uv keeps what it has downloaded
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
stamp=$venv/set-up
lock=$root/requirements/requirements.lock
bootstrap=$root/requirements/bootstrap.lock
needed_mb=4000

# Settings that would send packages, or Python, somewhere else than .venv.
unset PYTHONHOME PYTHONPATH UV_SYSTEM_PYTHON
export PIP_USER=0

# uv answers Ctrl-C with an exit status, which would otherwise look like a failure worth a second try.
trap 'exit 130' INT

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# "3.11.2 /usr": which interpreter stands behind a command; fails when it does not start. Without
# `site`, because a broken site-packages must not hide a sound interpreter, nor take its time.
describe() {
  "$1" -I -S -c 'import sys; print("%d.%d.%d" % sys.version_info[:3], sys.base_prefix)' 2>/dev/null
}

# The path of a Python 3.11 that can make virtual environments, outside any of them.
find_python() {
  local name found tried="" without_venv=""
  for name in ${PYTHON:+"$PYTHON"} python3.11 python3; do
    if ! found=$(describe "$name"); then
      tried+="${tried:+, }$name does not start"
    elif [[ $found != 3.11.* ]]; then
      tried+="${tried:+, }$name is ${found%% *}"
    elif ! "$name" -I -c 'import ensurepip, venv' 2>/dev/null; then
      without_venv=$name
    else
      # The command may live in the very .venv that is about to be cleared.
      "$name" -I -S -c 'import sys; print(sys._base_executable)'
      return
    fi
  done
  if [ -n "$without_venv" ]; then
    die "Python 3.11 is here ($without_venv) but cannot make virtual environments, because its module" \
      "venv or ensurepip is missing. Debian and Ubuntu keep these in a package of their own: run" \
      "'apt-get install python3.11-venv' as root, then the same make command again; or name another" \
      "Python 3.11 with PYTHON=/path/to/python3.11."
  fi
  die "no Python 3.11 was found ($tried), and TFX and the pinned packages need exactly that. Install it" \
    "(on Debian 12: 'apt-get install python3 python3-venv' as root), or name one that is not on PATH:" \
    "make setup PYTHON=/path/to/python3.11."
}

free_mb() { df -Pm "$venv" | awk 'NR == 2 { print $4 }'; }

disk_is_full() {
  die "not enough disk space for $venv: $(free_mb) MB are free and about $needed_mb MB are needed. Make" \
    "room, or make .venv a link to a folder on a larger disk, then run the same make command again."
}

make_anew() {
  local python platform
  platform=$(uname -sm)
  [ "$platform" = "Linux x86_64" ] ||
    die "this machine is $platform, and TFX has packages for Linux x86_64 only. Run Elman there, or in a" \
      "container or virtual machine of that kind."
  python=$(find_python)
  say "making .venv with $python: 1.3 GB to download, unless uv still has it; 3.2 GB on disk"
  [ -d "$venv" ] || rm -f "$venv"
  rm -f "$stamp"
  "$python" -I -m venv --clear "$venv" ||
    die "$python could not make the virtual environment $venv; its own words are above. The folder must be" \
      "writable and its disk not full. Mend that, then run the same make command again."
  [ "$(free_mb)" -ge "$needed_mb" ] || disk_is_full
}

# fetch COMMAND...: runs what needs the package index, and when it fails says what was wrong.
fetch() {
  local words
  # On a terminal first as it is, for its progress bars; the words of the second try are read.
  if [ -t 2 ] && "$@"; then return; fi
  words=$(mktemp)
  if { "$@" 2>&1 >&3 3>&- | tee "$words" >&2; } 3>&1; then
    rm -f "$words"
    return
  fi
  local text
  text=$(<"$words")
  rm -f "$words"
  if grep -qiE 'no space left|quota exceeded' <<<"$text"; then disk_is_full; fi
  if grep -qiE 'hash mismatch|do not match the hashes' <<<"$text"; then
    die "the package index served a file other than the one that was locked (above: which). Nothing of it" \
      "was installed. Try once more; if it happens again, find out who changed the file before going on."
  fi
  if grep -qiE 'connect|dns|resolution|timed out|certificate|sending request|failed to fetch|40[137] ' <<<"$text"; then
    die "the package index could not be reached (above: the installer's own words). Set-up needs it once," \
      "to download about 1.3 GB. Check the network, and if this machine needs a mirror, a proxy or a" \
      "certificate of its own, set pip's index-url, proxy and cert (pip.conf or PIP_*) or uv's UV_DEFAULT_INDEX," \
      "HTTPS_PROXY and SSL_CERT_FILE. Then run the same make command again: nothing is downloaded twice."
  fi
  die "the pinned packages could not be installed (above: the installer's own words). They are expected to" \
    "install as they are on Linux x86_64 with glibc 2.36 or newer and Python 3.11. Run the same make command" \
    "again; if it fails the same way, report it with the lines above."
}

install_pinned() {
  local python=$venv/bin/python quiet=()
  [ -t 2 ] || quiet=(--quiet)
  rm -f "$stamp"
  fetch "$python" -I -m pip install --quiet --disable-pip-version-check --no-input --retries 2 \
    --require-hashes --only-binary :all: -r "$bootstrap"
  say "installing the pinned packages"
  # Wheels only, so that no compiler is needed. The one package without is plain Python; it is built
  # with the pinned setuptools, because an isolated build would fetch an unpinned one.
  fetch "$root/requirements/uv.sh" pip sync "${quiet[@]}" --python "$python" --require-hashes --no-build-isolation \
    --only-binary :all: --no-binary rouge-score "$lock" "$bootstrap"
  "$venv/bin/uv" pip install --quiet --python "$python" --offline --no-deps --no-build-isolation --editable "$root" ||
    die "Elman itself could not be installed into .venv; setuptools' own words are above. The packages are" \
      "there, so the fault is in this checkout: look at what changed in pyproject.toml."
  [ -x "$venv/bin/elman" ] ||
    die "Elman is installed but its command $venv/bin/elman is missing: pyproject.toml must have it under" \
      "[project.scripts]."
}

# The lock is held by installers that outlive a killed set-up too, for they inherit it: two never
# write into .venv at once.
exec 9>>"$root/.venv.lock"
if ! flock -n 9; then
  say "another set-up of this checkout is at work; waiting for it"
  flock 9
fi

digest=$(cat "$lock" "$bootstrap" "$root/pyproject.toml" "${BASH_SOURCE[0]}" | sha256sum | cut -d ' ' -f 1)
had=()
[ -f "$stamp" ] && mapfile -t had <"$stamp"

is_sound() {
  local now wished
  now=$(describe "$venv/bin/python") || return 1
  [ -x "$venv/bin/uv" ] && [ -x "$venv/bin/elman" ] && [ "${had[0]:-}" = "$now $root" ] || return 1
  [ -n "${PYTHON:-}" ] && wished=$(describe "$PYTHON") && [[ $wished == 3.11.* ]] || return 0
  [ "$wished" = "$now" ]
}

if ! is_sound; then
  make_anew
elif [ "${had[1]:-}" = "$digest" ]; then
  say ".venv is up to date"
  exit
fi
install_pinned
printf '%s\n' "$(describe "$venv/bin/python") $root" "$digest" >"$stamp.part"
mv "$stamp.part" "$stamp"
say ".venv is ready"
