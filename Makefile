# `make` lists what there is. Everything runs in .venv, which infra/bootstrap.py makes and keeps up to date.

PYTHON ?= python3
# The environment's own Python starts faster than python3 may (pyenv's is a shell script).
bootstrap := $(if $(wildcard .venv/bin/python),.venv/bin/python -I -S,$(PYTHON)) infra/bootstrap.py
# Half of a small machine's time goes to the back ends; more workers than cores only wait.
WORKERS ?= auto
compile := .venv/uv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# Bytecode is kept also where the environment says otherwise, as container images do: without it, everything that is
# started compiles some thousand modules anew, and a warm start takes twice as long.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run install dev test servers test-servers test-browser test-clients test-bench fuzz search-quality check lint types imports format schema lock bench bench-peers torture clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install  ## start the marketplace; PORT=8001 and DATA_DIR=... choose where
# launch.py: whatever ends make, kill -9 included, ends everything that it started
	@exec .venv/bin/python -I -S infra/embedded/launch.py $$PPID 15 itself .venv/bin/torii up

install:
	@$(bootstrap)

dev:
	@$(bootstrap) --dev

test: dev  ## the whole suite, on its own throwaway back ends
	@.venv/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not servers and not browser and not bench and not clients"

servers: install  ## build the servers that need Java or Go, once; SERVERS_DIR chooses where
	@.venv/bin/python -m infra.servers

test-servers: dev  ## contract tests on servers that need Java or Go
	@.venv/bin/python -m infra.servers --if-possible
	@.ci/marked servers

test-browser: dev  ## tests in Chromium
	@.ci/marked browser

test-clients: dev  ## GraphQL clients of other projects, and the audits of GraphQL over HTTP; needs Node.js
	@.ci/marked clients

test-bench: dev  ## that the benchmarks run
	@.ci/marked bench

search-quality: dev  ## how well search ranks: NDCG@10 of each adapter over a judged list
	@.venv/bin/python -m tests.search.quality

check: lint types imports  ## lint, types and the import rule

lint: dev
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

types: dev
	@.venv/bin/mypy

imports: dev
	@.venv/bin/lint-imports

format: dev  ## put the code in shape
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

schema: dev  ## write schema.graphql and docs/access.md anew
	@.venv/bin/torii schema > schema.graphql.new && mv schema.graphql.new schema.graphql
	@.venv/bin/torii access --format page > docs/access.md.new && mv docs/access.md.new docs/access.md

lock: dev  ## pin what requirements*.in ask for
	$(compile) requirements.in -o requirements.txt
	$(compile) requirements-dev.in -o requirements-dev.txt
	$(compile) requirements-uv.in -o requirements-uv.txt

fuzz: dev  ## the compiled engine against graphql-core, 200,000 operations; may take an hour
	@FUZZ_CASES=200000 .venv/bin/pytest -n $(WORKERS) tests/differential

bench: dev  ## measure the queries of bench/
	@.venv/bin/python -m bench

bench-peers: dev  ## measure beside Apollo, Yoga, Mercurius and Strawberry; needs Node.js, installs npm packages once
	@.venv/bin/python -m bench.peers

torture: dev  ## back ends that fail in every way, checkouts whose processes are killed, any course of orders, and an hour of feeds on one gateway
	@OUTAGES=all .venv/bin/pytest -n0 -v tests/faults
	@KILLED_CHECKOUTS=200 .venv/bin/pytest -n0 -q tests/api/test_killed_checkouts.py
	@STREET_COURSES=200 .venv/bin/pytest -n0 -q tests/orders/test_street.py
	@.venv/bin/python -m bench.sustained --seconds 3600

clean:  ## remove .venv and caches; .data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
