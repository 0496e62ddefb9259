# Two commands on a fresh Debian or Ubuntu machine: `make demo` and `make test`. Each sets up what it needs, once.
# The newest supported Python that runs and can make a virtual environment; another one: make PYTHON=/usr/bin/python3.12
SUPPORTED := 3.14 3.13 3.12 3.11
ifndef PYTHON
PYTHON := $(shell for version in $(SUPPORTED); do \
  python$$version -c "import ensurepip" 2>/dev/null && { command -v python$$version; break; }; done)
endif
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000
MODALITY ?=
SERVE  ?= 1
PART   ?= reading
BENCHMARKS := $(filter-out __init__,$(notdir $(basename $(wildcard tests/bench/parts/*.py))))
# Written last by collectstatic, below the data folder: after var is deleted it is made again.
STATIC := $(or $(VAR_DIR),var)/static_files.json
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check
# make test PYTEST_ARGS="tests/api -x"
# Three workers for two processors: tests wait half of the time, for browsers, servers and processes.
WORKERS := $(shell echo $$(($$(nproc) * 3 / 2)))
PYTEST  = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)
TORCH  := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
# Of every package of the web side that has some; models_ml and attacks need torch.
empty :=
comma := ,
TASKS_WITHOUT_TORCH := tests.sample_tasks$(subst $(empty) ,,$(patsubst readerstudy/%/tasks.py,$(comma)readerstudy.%.tasks,$(wildcard readerstudy/*/tasks.py)))
SERVERS := redis-server nginx curl openssl docker-compose
UV     := uv==0.13.8

.PHONY: demo run serve test check check-code check-templates check-js test-web web-tests bench architecture reference lock pin release wheel offline sbom setup setup-test clean

# MODALITY is the code of one in readerstudy/modalities, in any case; an unknown one is answered with a list.
demo: $(VENV)/.ml $(VENV)/.pango $(STATIC) ## everything set up, the study running in a browser (SERVE=0: build and exit)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --port $(PORT) $(if $(MODALITY),--modality '$(MODALITY)')
ifneq ($(SERVE),0)
	@$(MAKE) --no-print-directory serve
endif

run: $(VENV)/.web $(VENV)/.pango $(STATIC) ## the application alone, on port $(PORT)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(MAKE) --no-print-directory serve

serve:
	@echo "Serving on http://localhost:$(PORT)/ - stop with Ctrl-C."
	@$(BIN)/gunicorn readerstudy.wsgi --bind 127.0.0.1:$(PORT) --worker-class gthread --workers 2 --threads 4 --no-control-socket --log-level warning

# --- checks and tests: the fast ones first ------------------------------------------------------------------
test: check-code ## all checks, then every test, those of the documents and in a browser included
	@$(PYTEST)

check: check-code ## all checks: of the code, then of the documents
	$(BIN)/python -m pytest -q tests/docs

check-code: setup-test ## format, lint, types, import contracts, templates, JavaScript, spelling, migrations
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	@$(MAKE) --no-print-directory check-templates check-js
	$(BIN)/typos
	$(BIN)/python manage.py makemigrations --check --dry-run

check-templates: $(VENV)/.dev ## formatted by djade, no line above 120 characters
	$(BIN)/djade --check --target-version 5.2 $$(find templates -name "*.html")
	@! grep --with-filename --line-number -E "^.{121}" -r templates --include=*.html

check-js: node_modules/.package-lock.json ## types of the JavaScript, as its JSDoc comments declare them
	node_modules/.bin/tsc --project tsconfig.json

test-web: ## the web side's tests without torch, on another Python: make test-web PYTHON=python3.13
	@$(MAKE) --no-print-directory VENV=.venv-$(notdir $(PYTHON)) web-tests

web-tests: $(VENV)/.dev-without-torch $(VENV)/.pango $(VENV)/.directory $(VENV)/.servers
	@WITHOUT_TORCH=1 CELERY_IMPORTS=$(TASKS_WITHOUT_TORCH) $(PYTEST)

bench: setup-test ## make bench PART=reading (tests/bench/parts has the others)
	@test -f tests/bench/parts/$(PART).py || { echo "There is no benchmark $(PART); there are: $(BENCHMARKS)."; exit 1; }
ifeq ($(PART),reading)
	@$(MAKE) --no-print-directory $(VENV)/.node
endif
ifeq ($(PART),fuzz)
	@$(PIP) --require-hashes -r requirements/fuzz.txt
endif
	@$(BIN)/python -m tests.bench.parts.$(PART)

reference: $(VENV)/.dev ## write the generated parts of docs/reference, and the types of the client
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/client_models.py

architecture: $(VENV)/.dev ## packages, modules in each, imports among them, import cycles
	@$(BIN)/python tools/architecture.py

lock: $(VENV)/.venv ## requirements/*.txt from pyproject.toml; newer transitive packages: make lock LOCK_ARGS=--upgrade
	@$(PIP) $(UV)
	@$(BIN)/python tools/lock.py $(LOCK_ARGS)

release: $(VENV)/.dev-without-torch ## source, wheel, offline archive, list of components and their SHA-256, in var/release
	@$(BIN)/python -m tools.release

wheel: $(VENV)/.dev-without-torch ## the package for pip, in var/release
	@$(BIN)/python -m tools.wheel

offline: $(VENV)/.web ## one archive from which the pages are installed without internet, in var/release
	@$(BIN)/python -m tools.offline

sbom: $(VENV)/.dev-without-torch ## the list of all components (CycloneDX), in var/release
	@$(BIN)/python -m tools.sbom

pin: $(VENV)/.venv ## the digests of today for the bases of the Dockerfile; needs Docker and the registry
	@$(BIN)/python tools/pin_images.py

# --- setting up: packages and hashes as locked in requirements/ ---------------------------------------------
# $(call apt,PACKAGES) installs packages of Debian or Ubuntu.
apt = { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
  apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends $(1) >/dev/null; }

$(VENV)/.venv:
	@test -n "$(PYTHON)" || { echo "Python $(lastword $(SUPPORTED)) to $(firstword $(SUPPORTED)) with its module venv is missing: apt-get install python3 python3-venv"; exit 1; }
	@echo "Making the virtual environment $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "The module venv is missing: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.web: $(VENV)/.venv requirements/web.txt
	@echo "Installing the application's packages ..."
	@$(PIP) --require-hashes -r requirements/web.txt
	@touch $@

# torch apart, without hashes: pip takes the CPU build if it is pointed at one, otherwise the build for graphics cards.
$(VENV)/.ml: $(VENV)/.web requirements/ml.txt
	@echo "Installing what training needs ($(TORCH)) ..."
	@$(PIP) --require-hashes -r requirements/ml.txt
	@$(PIP) $(TORCH)
	@touch $@

# Lays out the PDF of a report. If it cannot be installed, everything else works, and the report's page says so.
$(VENV)/.pango: $(VENV)/.web
	@$(BIN)/python -c "import weasyprint" >/dev/null 2>&1 || { echo "Installing Debian's Pango for PDF reports ..."; \
	  $(call apt,libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core); } \
	  || echo "Pango is missing and could not be installed; reports come without PDF (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 as root)."
	@touch $@

# The directory (LDAP) of the tests. Its Python package has no wheels. The tests start a server of their own.
DIRECTORY := slapd libldap-dev libsasl2-dev gcc libc6-dev python3-dev
$(VENV)/.directory: $(VENV)/.web requirements/single_sign_on.txt
	@echo "Installing OpenLDAP for the tests of single sign-on ..."
	@{ { command -v slapd || test -x /usr/sbin/slapd; } && test -e /usr/include/ldap.h && test -e /usr/include/sasl/sasl.h; } >/dev/null || $(call apt,$(DIRECTORY)) \
	  || { echo "OpenLDAP is missing and could not be installed: run apt-get install $(DIRECTORY) as root."; exit 1; }
	@$(PIP) --require-hashes -r requirements/single_sign_on.txt
	@touch $@

$(VENV)/.dev-without-torch: $(VENV)/.web requirements/dev.txt
	@echo "Installing what the tests need ..."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.ml $(VENV)/.dev-without-torch $(VENV)/.pango requirements/oracle.txt
	@$(PIP) --require-hashes --no-deps -r requirements/oracle.txt
	@touch $@

$(VENV)/.chromium: $(VENV)/.dev
	@command -v chromium >/dev/null || { echo "Installing Debian's Chromium for the browser tests ..."; $(call apt,chromium); } \
	  || { echo "Chromium is missing and could not be installed: run apt-get install chromium as root."; exit 1; }
	@touch $@

# What the test of the whole service starts, and the program that checks docker-compose.yml.
$(VENV)/.servers: $(VENV)/.venv
	@for program in $(SERVERS); do PATH=$$PATH:/usr/sbin command -v $$program >/dev/null || missing=1; done; \
	  test -d /usr/lib/postgresql || missing=1; test -z "$$missing" || { echo "Installing Debian's PostgreSQL, Redis and nginx for the tests ..."; \
	  $(call apt,postgresql redis-server nginx-light curl openssl docker-compose); } \
	  || { echo "They could not be installed: run apt-get install postgresql redis-server nginx-light curl openssl docker-compose as root."; exit 1; }
	@touch $@

$(VENV)/.node: $(VENV)/.venv
	@command -v npm >/dev/null || { echo "Installing Debian's Node.js ..."; $(call apt,nodejs npm); } \
	  || { echo "Node.js is missing and could not be installed: run apt-get install nodejs npm as root."; exit 1; }
	@touch $@

node_modules/.package-lock.json: $(VENV)/.node package-lock.json
	@echo "Installing what checks the JavaScript ..."
	@npm ci --silent --no-audit --no-fund --cache var/npm

$(STATIC): $(VENV)/.web $(shell find static -type f 2>/dev/null)
	@echo "Collecting the pages' static files ..."
	@$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0

setup: $(VENV)/.ml $(STATIC)
setup-test: $(VENV)/.chromium $(VENV)/.directory $(VENV)/.servers

clean: ## forget the environment and everything that was made (data, studies, runs!)
	rm -rf .venv .venv-* node_modules var
