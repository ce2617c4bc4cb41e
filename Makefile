# Two commands are enough: `make run` and `make test`. Both set up what they need and say so.
.DEFAULT_GOAL := help
.PHONY: help run test check bench torture coverage mutants sbom audit format lock clean
VENV := .venv/ready
PY := .venv/bin/python
TOOL := .venv/bin/uv tool run --quiet
ARGS ?=

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV): requirements-dev.txt tools/setup
	@tools/setup

run: $(VENV) ## everything on this machine: an image is generated, its signed URL printed and opened (ARGS=--once stops then)
	@$(PY) -m local $(ARGS)

test: $(VENV) ## all tests (ARGS="-k word" for some)
	@echo "==> all tests, two at a time (seven or eight minutes; the skipped ones are named at the end)"
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(VENV) ## lint, types, locks, Terraform
	@tools/check

bench: $(VENV) ## ours beside the plain function, in ratios; writes BENCHMARKS.md (ARGS=--short: a minute, writes nothing; --peer: LiteLLM)
	@$(PY) -m tests.bench $(ARGS)

torture: $(VENV) ## every interleaving and every fault for an hour (ARGS="--minutes 10 --seed S" for the processes)
	@$(PY) -m tests.simulation --runs 1000000
	@$(PY) -m tests.torture $(ARGS)

coverage: $(VENV) ## branch coverage of the pipeline and of Segmind's adapter, by the tests that run in one process
	@mkdir -p .local && $(PY) -m coverage run -m pytest -q tests/unit tests/contract/test_segmind*.py
	@$(PY) -m coverage report --fail-under=100

mutants: $(VENV) ## every small mistake in the core makes a test fail (about 25 minutes; ARGS=claims: one file)
	@nice $(PY) -m tests.mutants $(ARGS)

sbom: $(VENV) ## a bill of materials of what is deployed (CycloneDX), into sbom.json
	@$(TOOL) --from cyclonedx-bom==7.5.0 cyclonedx-py requirements function/requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file sbom.json

audit: $(VENV) ## known weaknesses of what is deployed; fails where the index cannot tell of them
	@$(TOOL) pip-audit==2.10.1 --strict --disable-pip --require-hashes -r function/requirements.txt

format: $(VENV) ## lay out the code
	@.venv/bin/ruff format -q . && .venv/bin/ruff check --fix -q .

lock: $(VENV) ## compile the hashed requirements anew, newest versions (ARGS=--upgrade)
	@tools/lock $(ARGS)

clean: ## forget what was installed and generated here
	@rm -rf .venv .venv-infra .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
