#!/bin/sh
# Runs `elman run CONFIG` once a day at $ELMAN_DAILY_AT (HH:MM, default 03:15, in the time zone TZ),
# and once at the start. A run that fails is told and does not end the loop: the next day is
# another. SIGTERM ends a run (the next one goes on where it was) and the loop.
set -u

config=${1:?usage: elman-daily CONFIG}
at=${ELMAN_DAILY_AT:-03:15}
case $at in
  [01][0-9]:[0-5][0-9] | 2[0-3]:[0-5][0-9]) ;;
  *)
    echo "elman-daily: ELMAN_DAILY_AT is '$at', expected HH:MM such as 03:15" >&2
    exit 2
    ;;
esac

child=
stop() {
  # Again until it is gone: a child that has just been forked may miss the first one.
  while [ -n "$child" ] && kill -TERM "$child" 2>/dev/null; do
    sleep 0.5
  done
  exit 0
}
trap stop TERM INT

# In the background, so that a signal is heard at once and not when the command has ended.
await() {
  "$@" &
  child=$!
  wait "$child"
  code=$?
  child=
  return $code
}

while :; do
  echo "elman-daily: $(date '+%F %T %Z'): elman run $config"
  if await elman run "$config"; then
    echo "elman-daily: done"
  else
    echo "elman-daily: the run failed with code $code; its own words are above" >&2
  fi
  now=$(date +%s)
  next=$(date -d "$at" +%s)
  [ "$next" -gt "$now" ] || next=$(date -d "tomorrow $at" +%s)
  echo "elman-daily: the next run is at $(date -d "@$next" '+%F %T %Z')"
  await sleep $((next - now))
done
