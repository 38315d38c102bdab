#!/usr/bin/env bash
# Airflow itself loads our DAG and runs its task, in a virtual environment of its own.
#
#   bash tests/pipeline/schedule/emit/airflow.sh 2 3
#
# Each argument is a major version. Needs .venv (make setup), the package index, and minutes; so it
# is no part of the default tests.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
uv=$PWD/.venv/bin/uv
python=$PWD/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for version in "${@:-3}"; do
  here=$work/$version
  "$uv" venv --quiet --python "$python" "$here/venv"
  # python-nvd3, which Airflow 2 asks for, comes as source only.
  "$uv" pip install --quiet --python "$here/venv/bin/python" --only-binary :all: \
    --no-binary python-nvd3 "apache-airflow==$version.*"
  mkdir -p "$here/dags"
  PYTHONPATH=$PWD "$python" - "$here" <<'PYTHON'
import sys
from pathlib import Path

from pipeline.schedule.emit.airflow import dag
from tests.pipeline.schedule.emit.plans import odd_plan

here = Path(sys.argv[1])
files, _ = dag(odd_plan(here, timezone="Europe/Berlin"), start=(2026, 1, 2))
for name, text in files.items():
    (here / "dags" / name).write_text(text)
PYTHON
  export AIRFLOW_HOME=$here AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__DAGS_FOLDER=$here/dags
  airflow=$here/venv/bin/airflow
  "$airflow" db migrate >"$here/log" 2>&1 || { cat "$here/log"; exit 1; }
  errors=$("$airflow" dags list-import-errors --output json 2>>"$here/log" | tail -n 1)
  case $errors in
    "[]" | "No data found") ;;
    *) echo "Airflow $version cannot load the DAG: $errors"; exit 1 ;;
  esac
  "$airflow" tasks test elman_small run 2026-02-01 >>"$here/log" 2>&1 || { tail -n 40 "$here/log"; exit 1; }
  grep -q -- '"--if-new"' "$here/record" || { echo "Airflow $version did not call elman"; tail -n 40 "$here/log"; exit 1; }
  echo "Airflow $("$airflow" version 2>>"$here/log" | tail -n 1) loads the DAG and runs its task: $(cat "$here/record")"
done
