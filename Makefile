# Everything a person, a commit hook or the CI runs, runs through here: one place for each command.
BIN := .venv/bin
PACKAGES := pipeline components models serving
COMPILE := bash requirements/uv.sh pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --only-binary :all: --no-binary rouge-score $(LOCK_FLAGS)

# Files of tests side by side, a process for each core but no more than memory is sure to be there for.
PYTEST := $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types unit e2e nightly lock bench chaos airflow clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the lock; skipped when it is up to date (PYTHON=... names another Python 3.11)
	@PYTHON='$(PYTHON)' bash requirements/setup.sh

run: setup ## run the example pipeline: data, training, gate, push
	$(BIN)/python examples/co2_data.py
	$(BIN)/elman run examples/co2.yaml

test: lint types ## everything the CI asks for: lint, types, unit and end-to-end tests
	$(PYTEST)

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy $(PACKAGES)

unit: setup ## the tests that run no whole pipeline
	$(PYTEST) -m "not end_to_end and not nightly"

e2e: setup ## the tests that run whole pipelines
	$(PYTEST) -m "end_to_end and not nightly"

nightly: setup ## the tests that make test leaves out, for they take minutes
	$(PYTEST) -m nightly

lock: setup ## resolve the lock again (LOCK_FLAGS="--upgrade" or "--upgrade-package NAME" to move versions)
	$(COMPILE) --all-extras --override requirements/overrides.txt pyproject.toml -o requirements/requirements.lock
	$(COMPILE) --no-annotate -c requirements/requirements.lock requirements/bootstrap.in -o requirements/bootstrap.lock

bench: setup ## run every benchmark
	@for file in benchmarks/[a-z]*.py benchmarks/quarter benchmarks/cells benchmarks/etth1_wall; do name=$$(basename "$$file" .py); echo "== $$name"; $(BIN)/python -m "benchmarks.$$name" || exit 1; done

chaos: setup ## kill runs at random, 50 times, and look at what is left (an hour or more)
	$(BIN)/python -m benchmarks.chaos --kills 50 --seed 7

airflow: setup ## load the emitted DAG in Airflow 2 and 3 and run its task (minutes; environments of their own)
	bash tests/pipeline/schedule/emit/airflow.sh 2 3

clean: ## remove caches and build output; .venv and workspaces stay
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
