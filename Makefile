# Two commands matter: `make run` and `make test`. `make help` lists the rest.

VENV ?= .venv
ARGS ?=
BIN = $(VENV)/bin
DISTRIBUTIONS = shared services/gateway services/compute services/storage services/registry services/allinone
PROJECTS = $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
COMPOSE ?= $(shell if docker compose version >/dev/null 2>&1; then echo docker compose; else echo docker-compose; fi)

.PHONY: help run test lint format bench up down lock docs clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run  ## everything in one process at http://127.0.0.1:3001/api; ARGS="-i ec2 -P eu-west-1 -p 4000"
	@exec $(BIN)/deltacloudd $(ARGS)

test: $(VENV)/.dev  ## every test; ARGS="tests/unit -k mock" picks some
	@$(BIN)/python -m pytest -n $(or $(WORKERS),auto) $(ARGS)

lint: $(VENV)/.dev  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@for package in shared/deltacloud services/gateway/deltacloud_gateway services/compute/deltacloud_compute \
	  services/storage/deltacloud_storage services/registry/deltacloud_registry services/allinone/deltacloudd; do \
	  echo "mypy $$package"; \
	  (cd $$(dirname $$package) && $(abspath $(BIN))/mypy --config-file $(abspath pyproject.toml) -p $$(basename $$package)) || exit 1; \
	done
	MYPYPATH=tests $(BIN)/mypy deploy/setup.py benchmarks tests/harness tests/simulators

format: $(VENV)/.dev  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## measure, and write docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.dev  ## write the derived documents anew
	$(BIN)/python -m deltacloud.testing.documents docs
	$(BIN)/python -m deltacloud.testing.contract docs

up:  ## the scaled-out stack: ARGS="--scale compute=3"
	$(COMPOSE) -f deploy/compose.yml up --build --detach $(ARGS)
	@echo 'Serving http://127.0.0.1:3001/api; stop it with: make down'

down:  ## stop the stack
	$(COMPOSE) -f deploy/compose.yml down

lock:  ## resolve the dependencies anew; ARGS=--upgrade takes newer ones
	deploy/lock $(ARGS)

clean:  ## forget what was installed
	rm -rf $(VENV)

$(VENV)/.run: constraints/allinone.txt constraints/build.txt $(PROJECTS)
	@echo 'Installing Deltacloud into $(VENV) (once) …'
	@deploy/install --editable $(VENV) constraints/allinone.txt $(DISTRIBUTIONS)
	@touch $@

$(VENV)/.dev: constraints/dev.txt constraints/build.txt $(PROJECTS)
	@echo 'Installing what tests and lint need into $(VENV) (once) …'
	@deploy/install --editable $(VENV) constraints/dev.txt $(DISTRIBUTIONS)
	@touch $@ $(VENV)/.run
