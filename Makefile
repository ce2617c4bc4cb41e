# Two commands are enough: `make run` and `make test`. Both set up what they need and say so.
.DEFAULT_GOAL := help
.PHONY: help run test check bench torture format lock clean
VENV := .venv/ready
PY := .venv/bin/python
ARGS ?=

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV): requirements-dev.txt tools/setup
	@tools/setup

run: $(VENV) ## everything on this machine: an image is generated, its signed URL printed and opened (ARGS=--once stops then)
	@$(PY) -m local $(ARGS)

test: $(VENV) ## all tests (ARGS="-k word" for some)
	@echo "==> all tests, two at a time"
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(VENV) ## lint, types, locks, Terraform
	@tools/check

bench: $(VENV) ## ours beside the plain function, in ratios; writes BENCHMARKS.md (ARGS=--short: a minute, writes nothing)
	@$(PY) -m tests.bench $(ARGS)

torture: $(VENV) ## the core under a million runs of the simulation (ARGS="--runs N --seed S")
	@$(PY) -m tests.simulation --runs 1000000 $(ARGS)

format: $(VENV) ## lay out the code
	@.venv/bin/ruff format -q . && .venv/bin/ruff check --fix -q .

lock: $(VENV) ## compile the hashed requirements anew, newest versions (ARGS=--upgrade)
	@tools/lock $(ARGS)

clean: ## forget what was installed and generated here
	@rm -rf .venv .venv-infra .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
