# The same words by hand and in CI. Each does the set-up that it needs.
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo test test-all check bench clean

setup:
	@scripts/make-venv $(VENV)

demo: setup
	@scripts/install-peers demo
	@$(BIN)/ninsho demo

test: setup
	@scripts/install-peers all
	@scripts/add-gssapi $(VENV)
	$(BIN)/pytest -n auto --dist worksteal

# The whole suite on each newer Python that is installed.
test-all: test
	@for python in $$(scripts/newer-pythons); do \
	    echo "== $$python"; \
	    venv=.venv-$$(basename $$python); \
	    scripts/make-venv $$venv $$python && scripts/add-gssapi $$venv && \
	        $$venv/bin/pytest -n auto --dist worksteal || exit 1; \
	done

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	@scripts/install-peers bench
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .venv-* .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis
