# make run: a bot that trades, on a local exchange. make test: the whole suite. make bench: the table of numbers.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
SOURCES := $(shell find protocol actors market connectors clockd -name '*.pyx' -o -name '*.pxd')
TYPED := $(wildcard $(patsubst %.pxd,%.py,$(filter %.pxd,$(SOURCES))))

.PHONY: venv run test bench lint clean

venv: .venv/.installed

.venv/.installed: pyproject.toml setup.py $(SOURCES) $(TYPED)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	touch $@

.venv/.tested: .venv/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test,bench]'
	touch $@

# Third-party clients live apart: their pins are not ours.
.venv-clients/.installed: tests/clients.txt
	test -x .venv-clients/bin/python || $(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip install -q --disable-pip-version-check -r tests/clients.txt
	touch $@

run: venv
	@exec $(BIN)/tickbus run $(ARGS)

test: .venv/.tested .venv-clients/.installed lint
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: .venv/.tested
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.tested .venv-clients/.installed
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf build *.egg-info .venv .venv-clients
