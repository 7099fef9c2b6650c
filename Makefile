# What a person or CI runs here. Everything is installed into .venv in this folder and nothing elsewhere.

BIN := .venv/bin
ARGS ?=
# How many worlds the simulation looks at; see docs/proof.md.
export WORLDS ?= 10000

# Airflow starts a dozen Python processes: without byte-code each takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo airflow test e2e corners lint format bench build constraints clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Install everything into .venv (done by the others when needed)
	@scripts/setup

demo: setup ## Report the example extracts to a local sandbox and show what happened
	@$(BIN)/payrecords demo $(ARGS)

airflow: setup ## Open Airflow with the example DAGs, wired to the sandbox
	@$(BIN)/payrecords demo --serve $(ARGS)

test: lint ## Run everything CI runs: format, lint, types, layers, tests, coverage of core
	$(BIN)/python -m pytest tests/core --cov
	$(BIN)/python -m pytest tests --ignore=tests/core --ignore=tests/e2e $(ARGS)

e2e: setup ## Run the tests on whole Airflows: Celery, Redis, PostgreSQL, a browser (installs what Debian has of it)
	@scripts/e2e $(ARGS)

corners: setup ## Run the tests with the oldest and the newest Python and Airflow (CORNERS=oldest: with one)
	@scripts/corners $(ARGS)

lint: setup ## Check format, lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Rewrite the code in our format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure us and the alternatives on one local server (ARGS=--quick: in a minute)
	@$(BIN)/python -m bench $(ARGS)

build: setup ## Build the wheel and the source archive into dist
	$(BIN)/hatchling build

constraints: setup ## Choose the newest versions that fit, and pin them
	@scripts/constraints

clean: ## Remove .venv, caches and builds (a ledger in .payrecords stays)
	rm -rf .venv .venv-uv .venv-oldest .venv-newest .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage dist
