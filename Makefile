# make run: a bot that trades, on a local exchange. make test: the whole suite. make quick: its fast tests, for each
# commit. make soak: third-party clients in a storm of faults, SOAK_S seconds. make sanitize: the Cython modules under
# ASan and UBSan. make bench: the table of numbers.
PYTHON ?= python3
ARGS ?=
SOAK_S ?= 1800
BIN := .venv/bin
SOURCES := $(shell find protocol actors market connectors clockd -name '*.pyx' -o -name '*.pxd')
TYPED := $(wildcard $(patsubst %.pxd,%.py,$(filter %.pxd,$(SOURCES))))

CLIENTS := $(patsubst tests/clients/%.txt,.venv-clients/%/.installed,$(wildcard tests/clients/*.txt))

.PHONY: venv clients run test quick soak sanitize bench lint clean

venv: .venv/.installed

.venv/.installed: pyproject.toml setup.py $(SOURCES) $(TYPED)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	touch $@

.venv/.tested: .venv/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test,bench]'
	touch $@

# Third-party clients live apart, each by itself: their pins are not ours, nor each other's.
clients:
	@$(MAKE) -s -j $(words $(CLIENTS)) $(CLIENTS)

.venv-clients/%/.installed: tests/clients/%.txt
	@echo "$* into $(@D)"
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check -r $<
	touch $@

run: venv
	@exec $(BIN)/tickbus run $(ARGS)

test: .venv/.tested clients lint
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# Tests that start no process and take no second.
quick: .venv/.tested
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not process" $(ARGS)

soak: .venv/.tested clients
	TICKBUS_SOAK_S=$(SOAK_S) $(BIN)/python -m pytest -q tests/venue/clients/test_soak.py $(ARGS)

sanitize: .venv/.tested
	.ci/sanitize $(ARGS)

lint: .venv/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.tested .venv-clients/ccxt/.installed
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf build *.egg-info .venv .venv-clients
