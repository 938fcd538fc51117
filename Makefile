# Every verb works on a fresh machine: it makes what it needs first, and only what it needs.
# `make` alone lists the verbs.

SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# The first Python on the path that is new enough; `make PYTHON=/opt/python3.13/bin/python3` overrides.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# uv installs in seconds where it is at hand; pip does the same work everywhere else.
define install
	@if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python $(1); \
	else $(BIN)/python -m pip install -qq --disable-pip-version-check $(1); fi
endef

# A caller's bundle of anchors or proxy must not decide what the tests see.
CLEAN_ENV := env -u PYTHONDONTWRITEBYTECODE -u REQUESTS_CA_BUNDLE -u CURL_CA_BUNDLE -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
	-u http_proxy -u https_proxy -u all_proxy

.DEFAULT_GOAL := help
.PHONY: help demo serve test tools lint format docs guide bench clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.runtime ## two member states on this machine, exchanging consignments; consoles stay up
	@$(BIN)/eco demo $(ARGS)

serve: $(VENV)/.runtime ## run one gateway from its settings file (ARGS="--help" for the options)
	@$(BIN)/eco serve $(ARGS)

test: tools lint ## lint, types and every test (PYTEST="-k word" narrows it)
	@$(CLEAN_ENV) $(BIN)/python -m pytest -n $(CORES) --dist loadgroup $(PYTEST)

tools: ## foreign signers, SOAP clients, a browser … that tests need, where apt may install them
	@bash .ci/tools

lint: $(VENV)/.dev ## ruff (rules and form) and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev ## let ruff mend rules and form
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

docs: $(VENV)/.dev ## write the generated pages of docs/ anew
	@$(BIN)/python -m docs.build

guide: $(VENV)/.dev ## write the message implementation guide (HTML and PDF) into dist/
	@mkdir -p dist
	@$(BIN)/eco guide dist/message-guide.html dist/message-guide.pdf

bench: $(VENV)/.dev ## measure this machine and the gateway on it (ARGS="--quick" for a glance)
	@$(CLEAN_ENV) $(BIN)/python -m bench $(ARGS)

clean: ## remove what the other verbs made
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .tools demo-run dist build

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || uv venv --quiet --seed --python $(PYTHON) $(VENV) 2>/dev/null || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments: install python3-venv (Debian) or uv."; exit 1; }

# The stamps are newer than pyproject.toml once its dependencies are in; the second includes the first.
$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "Installing the gateway and what it needs into $(VENV) ..."
	$(call install,-e .)
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing the gateway and its development tools into $(VENV) ..."
	$(call install,-e '.[dev]')
	@touch $(VENV)/.runtime $@
