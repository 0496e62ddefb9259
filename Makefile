# Two commands on a fresh Debian machine: `make demo` and `make test`. Each sets up what it needs, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000
SERVE  ?= 1
PART   ?= reading
# Written last by collectstatic, below the data folder: whoever deletes var gets it made again.
STATIC := $(or $(VAR_DIR),var)/static/staticfiles.json

.PHONY: demo run test check bench architecture setup setup-test clean

demo: $(VENV)/.ml $(VENV)/.pango $(STATIC) ## everything set up, the study running in a browser (SERVE=0: build and exit)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --port $(PORT)
ifneq ($(SERVE),0)
	@$(MAKE) --no-print-directory serve
endif

run: $(VENV)/.web $(VENV)/.pango $(STATIC) ## the application alone, on port $(PORT)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(MAKE) --no-print-directory serve

.PHONY: serve
serve:
	@echo "Serving on http://localhost:$(PORT)/ - stop with Ctrl-C."
	@$(BIN)/gunicorn readerstudy.wsgi --bind 127.0.0.1:$(PORT) --worker-class gthread --workers 2 --threads 4 --no-control-socket --log-level warning

test: setup-test ## every test, browser tests included
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

check: setup-test ## format, lint, types, import contracts, missing migrations, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

bench: setup-test ## make bench PART=reading
	@test -f tests/bench/$(PART).py || { echo "There is no benchmark $(PART); there are: $$(ls tests/bench | grep .py$$ | grep -v -e __init__ -e table -e films -e room -e reported -e lab_part | sed s/.py// | tr "\n" " ")"; exit 1; }
ifeq ($(PART),reading)
	@command -v npm >/dev/null || { echo "Installing Debian's Node.js for the yardstick ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends nodejs npm >/dev/null; } \
	  || { echo "Node.js is missing and could not be installed: run apt-get install nodejs npm as root."; exit 1; }
endif
	@$(BIN)/python -m tests.bench.$(PART)

architecture: $(VENV)/.dev ## packages, modules in each, imports among them, import cycles
	@$(BIN)/python tools/architecture.py

# --- setting up ---------------------------------------------------------------------------------------------
$(VENV)/.venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is missing: apt-get install python3 python3-venv"; exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "The module venv is missing: apt-get install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.web: $(VENV)/.venv pyproject.toml
	@echo "Installing the application ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.ml: $(VENV)/.web
	@echo "Installing what training needs (torch) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[ml]'
	@touch $@

# What lays out the PDF of a report. Where it cannot be installed, everything else works, and the page says so.
$(VENV)/.pango: $(VENV)/.web
	@$(BIN)/python -c "import weasyprint" >/dev/null 2>&1 || { echo "Installing Debian's Pango for PDF reports ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core >/dev/null; } \
	  || echo "Pango is missing and could not be installed; reports come without PDF (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 as root)."
	@touch $@

$(VENV)/.dev: $(VENV)/.ml $(VENV)/.pango
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[ml,dev]'
	@# The attacks' oracle, without what it asks for: torchvision would bring another torch, and it does without.
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps torchattacks==3.5.1
	@touch $@

$(VENV)/.chromium: $(VENV)/.dev
	@command -v chromium >/dev/null || { echo "Installing Debian's Chromium for the browser tests ..."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || { echo "Chromium is missing and could not be installed: run apt-get install chromium as root."; exit 1; }
	@touch $@

$(STATIC): $(VENV)/.web $(shell find static -type f 2>/dev/null)
	@echo "Collecting the pages' static files ..."
	@$(BIN)/python manage.py collectstatic --noinput --clear --verbosity 0

setup: $(VENV)/.ml $(STATIC)
setup-test: $(VENV)/.chromium

clean: ## forget the environment and everything that was made (data, studies, runs!)
	rm -rf $(VENV) var
