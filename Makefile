# Virtual environments are kept in .venv (any Python from 3.11 on) and .venv-3.x (test-all).
# A stamp in each says what is installed there; it is redone when a list of packages has changed.

VENV ?= .venv
# Empty: the first suitable interpreter. Otherwise a version such as 3.12.
PYTHON_VERSION ?=
PYTEST_ARGS ?=
WORKERS ?= 5
MUTATION_ARGS ?=
CYCLES ?= 2000000
COMPARE_ARGS ?=
BENCH_ARGS ?=
ONLY ?=
HOST ?= 127.0.0.1
PORT ?= 8000

PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
NATIVE := setup.py $(wildcard src/poolware/_core/native/*)
# Every distribution is a folder with a pyproject.toml: the core here, and these.
DISTRIBUTIONS := $(patsubst %/pyproject.toml,%,$(wildcard integrations/*/pyproject.toml loadtests/pyproject.toml))
PROJECTS := pyproject.toml $(NATIVE) $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
PACKAGES := poolware starlette_poolware flask_poolware django_poolware poolware_compare

.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: test-3.11 test-3.12 test-3.13 $(shell awk -F : '/^[a-z0-9.-]+:.*\#\# / { print $$1 }' Makefile)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.installed-test ## Make .venv with everything for working on poolware

demo: $(VENV)/.installed-demo ## Measure pooled against fresh here: build/demo/report.html
	$(PYTHON) -m poolware_compare --scenario demo --rounds 48 --out build/demo

serve: $(VENV)/.installed-demo ## Run the Starlette example (PORT=8000)
	$(PYTHON) -m uvicorn examples.starlette_app:app --host $(HOST) --port $(PORT)

table: $(VENV)/.installed-test ## Measure everything on four frameworks, three quarters of an hour: build/table (COMPARE_ARGS="--app flask")
	$(PYTHON) -m poolware_compare --app starlette,fastapi,flask,django --rounds 48 --out build/table $(COMPARE_ARGS)

gain-map: $(VENV)/.installed-test ## Measure what pooling gains for objects from 100 ns to 3 ms: build/gain-map
	$(PYTHON) -m poolware_compare --scenario objects --arms plain,by-hand,on --out build/gain-map $(COMPARE_ARGS)

power: $(VENV)/.installed-test ## Count how often equal servers come out different, and a slow one is found: build/power.json
	$(PYTHON) -m poolware_compare.power $(COMPARE_ARGS)

soak-compare: $(VENV)/.installed-test ## Load with every ending for ten minutes, and see whether anything grows: build/soak
	$(PYTHON) -m poolware_compare --shape soak --out build/soak $(COMPARE_ARGS)

# Most tests wait for servers: more of them at a time than the machine has cores.
test: $(VENV)/.installed-test ## Run the tests (PYTEST_ARGS="-k name")
	$(PYTHON) -m pytest --numprocesses $(WORKERS) --dist worksteal $(PYTEST_ARGS)

soak: $(VENV)/.installed-test ## Send 100,000 requests to each framework, and look for anything foreign
	$(PYTHON) -m pytest -m slow tests/servers/test_isolation.py $(PYTEST_ARGS)

broadcast: $(VENV)/.installed-test ## Send one buffer to 500 websockets, measure it against 500 copies; try rings on all servers
	$(PYTHON) -m pytest -m slow -s tests/servers/test_broadcast.py tests/servers/test_proxy.py $(PYTEST_ARGS)

matrix: $(VENV)/.installed-test ## Run every ending on every server: build/matrix.json
	@mkdir -p build
	POOLWARE_MATRIX=build/matrix.json $(PYTHON) -m pytest tests/servers $(PYTEST_ARGS)
	$(PYTHON) -m tests.servers.matrix build/matrix.json

frameworks: $(VENV)/.installed-test ## Run Litestar, Quart, Falcon, REST framework and Channels on every server
	$(PYTHON) -m pytest -m "slow or not slow" tests/servers/test_frameworks.py $(PYTEST_ARGS)

debian-servers: $(VENV)/.installed-test ## Run every ending on uWSGI and mod_wsgi, where Debian has them for this Python
	@mkdir -p build
	POOLWARE_MATRIX=build/debian-servers.json $(PYTHON) -m pytest -m slow -k "flask-uwsgi or flask-mod_wsgi or test_debian" \
		tests/servers $(PYTEST_ARGS)
	$(PYTHON) -m tests.servers.matrix build/debian-servers.json

peers: $(VENV)/.installed-bench ## Run other pools, and what people write today, through the same: build/peers.json
	@mkdir -p build
	$(PYTHON) -m pytest -m slow tests/pools/test_resource_pool_peers.py $(PYTEST_ARGS)
	POOLWARE_PEERS=build/peers.json $(PYTHON) -m pytest -m slow tests/servers/test_peers.py $(PYTEST_ARGS)
	$(PYTHON) -m tests.servers.matrix build/peers.json

tutorials: $(VENV)/.installed-test ## Type the tutorials as they are written, each in a new virtual environment
	$(PYTHON) -m pytest -m slow tests/docs/test_tutorials.py $(PYTEST_ARGS)

verdicts: $(VENV)/.installed-test ## Measure the planted objects ten times each: no verdict may flip
	$(PYTHON) -m pytest -m slow tests/sizing $(PYTEST_ARGS)

database: $(VENV)/.installed-test ## Kill PostgreSQL under load again and again; measure ways to it: build/database/
	$(PYTHON) -m pytest -m slow tests/pools/test_resource_pool_database.py $(PYTEST_ARGS)
	$(PYTHON) -m poolware_compare --scenario postgres --arms by-hand,plain,adapter,on --out build/database $(COMPARE_ARGS)

chaos: $(VENV)/.installed-test ## Break everything at once for twenty minutes: build/chaos.json (POOLWARE_CHAOS_SEED=n)
	$(PYTHON) -m pytest -m slow tests/chaos tests/pools/test_resource_pool_machine.py $(PYTEST_ARGS)

mutation: $(VENV)/.installed-test ## Which faults would no test notice? build/mutation.json (MUTATION_ARGS="--only web/")
	@mkdir -p build
	POOLWARE_CORE=python $(PYTHON) -m tests.mutation $(MUTATION_ARGS)

crash-hunt: $(VENV)/.installed-test ## Two million cycles on the compiled core under AddressSanitizer (CYCLES=n)
	PYTHONPATH=tests $(PYTHON) -m core.crash_hunt $(CYCLES)

test-all: test-3.11 test-3.12 test-3.13 ## Run the tests on CPython 3.11, 3.12 and 3.13

test-3.11 test-3.12 test-3.13: test-%:
	$(MAKE) test VENV=.venv-$* PYTHON_VERSION=$*

WASM := build/wasm
WASM_TESTS := tests/core tests/context tests/pools
# These need what has no build for WebAssembly, or threads.
WASM_LEFT_OUT := $(addprefix --ignore=tests/pools/,test_buffer_as_file.py test_buffer_like_bytesio.py test_buffer_views.py \
	test_interrupts.py test_object_pool_late_writes.py test_refcounted.py test_ring.py test_ring_interrupts.py \
	test_ring_sides.py) --ignore=tests/core/test_core_wakeups.py \
	--deselect tests/pools/test_object_pool_bounds.py::test_prewarm_holds_no_lock_while_it_resets

test-3.14: $(VENV)/.installed-build ## Run the plain twin's tests on CPython 3.14 (needs node and npm)
	npm install --silent --no-save --prefix $(WASM) pyodide@314
	$(PYTHON) -m pip install --quiet --no-deps --upgrade --target $(WASM)/site --requirement requirements/wasm.txt
	node --stack-size=4000 tests/wasm/run.mjs $(CURDIR)/$(WASM)/node_modules/pyodide/pyodide.mjs $(CURDIR) \
		$(CURDIR)/$(WASM)/site -q -W ignore --assert=plain $(WASM_LEFT_OUT) $(WASM_TESTS)

# pyright --verifytypes looks at the packages of the first python on the PATH and nowhere else.
lint: $(VENV)/.installed-test ## Check style, types, completeness of types, and the direction of imports
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy tests/typing
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH"; pyright --project tests/typing && printf '%s\n' $(PACKAGES) | \
		xargs -n 1 -P 2 pyright --ignoreexternal --verifytypes
	$(VENV)/bin/lint-imports
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: $(VENV)/.installed-test ## Let ruff format the code and fix what it can
	$(PYTHON) -m ruff format
	$(PYTHON) -m ruff check --fix

# Reads the sources; poolware itself need not be installed. (--quiet would keep --strict from seeing warnings.)
docs: $(VENV)/.installed-docs ## Build the documentation: build/site/index.html. A warning is an error
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

bench: $(VENV)/.installed-bench ## Run the micro-benchmarks: build/bench/results.json (BENCH_ARGS="--fast")
	$(PYTHON) -m benchmarks $(BENCH_ARGS)

break-even: $(VENV)/.installed-bench ## Measure from what cost on a pool pays: docs/breakeven.json, docs/breakeven.svg
	$(PYTHON) -m benchmarks.breakeven

growth: $(VENV)/.installed-bench ## Put changing loads on live pools, with each strategy: the table of docs/growth.md
	$(PYTHON) -m benchmarks.growth

# Wheels of the core: one in plain Python for everywhere, and, in a folder of its own as no two of one name can be
# installed by `dist/*.whl`, the compiled one for this interpreter. Both are built from the source distribution.
dist: $(VENV)/.installed-build ## Build what is published: dist/*.whl, dist/*.tar.gz, dist/compiled/
	rm -rf dist
	for folder in . $(DISTRIBUTIONS); do \
		POOLWARE_BUILD=python $(PYTHON) -m build --no-isolation --outdir dist $$folder || exit; done
	! command -v $${CC:-cc} >/dev/null || POOLWARE_BUILD=compiled $(PYTHON) -m pip wheel --disable-pip-version-check \
		--no-cache-dir --no-deps --no-build-isolation --wheel-dir dist/compiled dist/poolware-[0-9]*.tar.gz

install-check: dist $(VENV)/.installed-release ## Install dist/ as users do, without a compiler; send each framework a request
	$(VENV)/bin/twine check --strict $(addprefix dist/,*.whl *.tar.gz)
	$(PYTHON) -m pytest -m slow tests/packaging/test_installed.py $(PYTEST_ARGS)

changelog: $(VENV)/.installed-release ## Show what changelog.d/ adds up to
	$(VENV)/bin/towncrier build --draft --version next

compatibility: dist $(VENV)/.installed-test ## Try the oldest and newest of all frameworks: docs/platforms.md (ONLY="flask django")
	$(PYTHON) -m tests.compatibility $(ONLY)

clean: ## Remove what make built and installed
	rm -rf build dist .venv .venv-3.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed-build: requirements/build.txt constraints.txt
	test -x $(PYTHON) || { python=$$(.ci/find-python $(PYTHON_VERSION)) && "$$python" -m venv $(VENV); }
	$(INSTALL) --upgrade --requirement requirements/build.txt
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-build requirements/docs.txt
	$(INSTALL) --requirement requirements/docs.txt
	touch $@

$(VENV)/.installed-demo: $(VENV)/.installed-build requirements/demo.txt $(PROJECTS)
	$(INSTALL) --no-build-isolation --requirement requirements/demo.txt
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed-build requirements/demo.txt requirements/test.txt $(PROJECTS)
	$(INSTALL) --no-build-isolation --requirement requirements/test.txt
	touch $(VENV)/.installed-demo $@

$(VENV)/.installed-release: $(VENV)/.installed-test requirements/release.txt
	$(INSTALL) --requirement requirements/release.txt
	touch $@

# One at a time: a peer that has no wheel here and does not build takes no other with it.
$(VENV)/.installed-bench: $(VENV)/.installed-test requirements/bench.txt
	-grep -v -e '^#' -e '^$$' requirements/bench.txt | xargs -n 1 $(INSTALL)
	touch $@
