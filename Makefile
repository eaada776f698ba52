# Mouthpiece: `make run` serves the page from nothing; `make demo` renders the sample; `make test` proves that it works.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PACKAGES := build-essential ca-certificates pkg-config libclang-dev nasm python3 python3-pip \
            libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev \
            libswscale-dev libswresample-dev libopus-dev libsqlite3-dev libheif1
TEST_PACKAGES := ffmpeg openssl nginx-light caddy postgresql redis-server rabbitmq-server
INFRA_PACKAGES := prometheus prometheus-alertmanager python3-venv curl jq
RUST := 1.95
NODE := 20
# Where `make run` keeps its data, and its port.
DATA ?= out/data
PORT ?= 8000
BUILT = $${CARGO_TARGET_DIR:-target}
BROWSER_TESTS := tests/browser
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# $(call install,PACKAGES): what of them Debian or Ubuntu lacks is installed, or named.
install = tests/install.sh "$(SUDO)" $(1)

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: quick ## Build and serve the page and the API at http://127.0.0.1:8000 (PORT=9000, DATA=dir); Ctrl-C ends it
	@exec $(BUILT)/quick/mouthpiece up --port $(PORT) --data $(DATA)

.PHONY: demo
demo: quick ## Build and render the sample: out/demo.mp4
	@mkdir -p out
	$(BUILT)/quick/mouthpiece render --portrait samples/officer.jpg --speech samples/speech.wav -o out/demo.mp4
	@echo "watch it: out/demo.mp4"

# What a newcomer needs, built in half the time: without link-time optimisation, load tests and a second encoder.
.PHONY: quick
quick: deps onnxruntime
	@if [ ! -x $(BUILT)/quick/mouthpiece ]; then cores=$$(nproc); \
	  echo "building Mouthpiece, the first time: about $$(( (9 + cores) / cores )) minutes on $$cores cores; cargo counts the parts (about 390)"; fi
	cargo build --profile quick --no-default-features --features worker

.PHONY: release
release: deps onnxruntime ## Build everything for those who stay: target/release/mouthpiece
	cargo build --release

.PHONY: deps
deps: rust ## Install what Debian or Ubuntu lacks, or name it
	@$(call install,$(PACKAGES))

.PHONY: test-setup
test-setup: test-packages chromium $(BROWSER_TESTS)/node_modules/.package-lock.json ## Install what the tests need

.PHONY: node
node: deps
	@command -v node >/dev/null || $(call install,nodejs)
	@command -v npm >/dev/null || $(call install,npm)

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || $(call install,chromium fonts-liberation)

# Written by npm when it is done.
$(BROWSER_TESTS)/node_modules/.package-lock.json: $(BROWSER_TESTS)/package-lock.json | node
	cd $(BROWSER_TESTS) && npm ci --no-audit --no-fund
	@# Debian 12 has Node.js 18, the tests need 20: npm brings it for its own scripts.
	@if [ "$$(node --version | tr -d v | cut -d. -f1)" -lt $(NODE) ]; then \
	  cd $(BROWSER_TESTS) && npm install --no-save --no-audit --no-fund node@$(NODE) && touch node_modules/.package-lock.json; fi

.PHONY: rust
rust:
	@have=$$(cargo --version 2>/dev/null | cut -d' ' -f2); \
	if [ -z "$$have" ] || [ "$$(printf '%s\n' "$(RUST)" "$$have" | sort -V | head -n1)" != "$(RUST)" ]; then \
	  echo "Rust $(RUST) or newer is needed (found: $${have:-none}): install it with rustup, see https://rustup.rs"; exit 1; fi

# For docker/build.sh.
.PHONY: packages rust-version
packages:
	@echo $(PACKAGES)
rust-version:
	@echo $(RUST)

.PHONY: onnxruntime
onnxruntime: ## Bring the ONNX Runtime library (28 MB, pinned hash) into the user's cache
	@models/onnxruntime/fetch.sh

.PHONY: check
check: test-packages lint rust-tests-at-once unit ## The quick check before a commit: format, lints, all tests that need no browser

.PHONY: test
test: test-setup rust-tests unit ## Run all tests
	binary=$$(realpath $(BUILT)/debug/mouthpiece) && cd $(BROWSER_TESTS) && MOUTHPIECE_BIN=$$binary npm run --silent browser

.PHONY: test-packages
test-packages: deps onnxruntime
	@$(call install,$(TEST_PACKAGES))

.PHONY: rust-tests
rust-tests:
	cargo test --workspace --all-targets

# The same programs, several at a time: the end-to-end ones mostly wait.
.PHONY: rust-tests-at-once
rust-tests-at-once:
	@tests/all.py

.PHONY: unit
unit: $(BROWSER_TESTS)/node_modules/.package-lock.json
	cd $(BROWSER_TESTS) && npm run --silent unit

.PHONY: lint
lint: deps infra $(BROWSER_TESTS)/node_modules/.package-lock.json ## Check format, lints, the page's types, what deploys it, and (where cargo-deny is installed) licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --workspace --all-targets --no-default-features --features worker -- -D warnings
	cargo clippy --package mouthpiece --no-default-features --features cloud -- -D warnings
	cd $(BROWSER_TESTS) && npm run --silent types
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else echo "cargo-deny is not installed: licences were not checked (cargo install cargo-deny)"; fi

.PHONY: licences
licences: ## Write the table of docs/LICENCES.md from the dependency graph
	@infra/checks/python.sh licences --write

# What of this machine's tools is missing is named; a cloud or a cluster is not needed.
.PHONY: infra
infra: $(BROWSER_TESTS)/node_modules/.package-lock.json ## Check alerts, dashboards, images, Terraform, Kubernetes: docs/operations/checks.md says what that tells
	@$(call install,$(INFRA_PACKAGES))
	@infra/checks/python.sh settings
	@infra/checks/python.sh licences
	@infra/checks/python.sh dashboards_and_rules
	@infra/checks/python.sh images
	@infra/checks/python.sh kubernetes
	@infra/checks/python.sh steward
	@infra/checks/python.sh user_data
	@infra/checks/terraform.sh
	@python3 terraform/cost.py --check

.PHONY: watched
watched: test-packages ## Run a farm under a real Prometheus: every dashboard's panel has data, alerts come and go
	@$(call install,$(INFRA_PACKAGES))
	cargo build
	@infra/checks/python.sh watched $(BUILT)/debug/mouthpiece

.PHONY: provenance
provenance: deps ## Test that films are signed (C2PA): some minutes of compiling that `make test` spares
	@$(call install,ffmpeg openssl)
	cargo test --manifest-path shared/provenance/Cargo.toml --target-dir $(BUILT)/provenance
	cargo test --features provenance --test cli signed

# The packages are those that `mouthpiece models export` installs; a Python of your own that has them does, too.
PYTHON ?= $(firstword $(wildcard $(HOME)/.cache/mouthpiece/models/export-python-*/bin/python) python3)
.PHONY: export-test
export-test: test-packages ## Test the export of graphs with PyTorch, and gpu_check: PYTHON=... has the packages of models/export/requirements.txt
	$(PYTHON) -m unittest discover -s models/export
	MOUTHPIECE_EXPORT_PYTHON=$(PYTHON) cargo test --workspace --test cli -- --ignored graphs_are_made

.PHONY: stack
stack: ## Build the images and run their stack for real, without pulling anything (Docker, root, Debian 12)
	@$(call install,mmdebstrap ffmpeg)
	cargo build
	cargo build --target-dir $(BUILT)/coordinator --profile quick --no-default-features --features cloud
	docker/check/run.py $(BUILT)/debug/mouthpiece $(BUILT)/coordinator/quick/mouthpiece

.PHONY: bare
bare: ## Follow the README on a fresh Debian in a folder (root; SUITE=bookworm or trixie; IF_CHANGED=1 only if it must)
	@$(call install,mmdebstrap)
	@tests/bare/bare.sh $(if $(IF_CHANGED),--if-changed)

.PHONY: fuzz-http
fuzz-http: release ## Try to break the HTTP API with made-up requests (schemathesis); any 5xx is a failure
	tests/fuzz/http.sh $(BUILT)/release/mouthpiece

.PHONY: loadtest
loadtest: release ## Measure the coordinator: events and assignments a second, latencies at 200 a second
	$(BUILT)/release/mouthpiece loadtest control
	$(BUILT)/release/mouthpiece loadtest assign
	$(BUILT)/release/mouthpiece loadtest assign --rate 200

.PHONY: bench
bench: release ## Measure frames a second, milliseconds a stage, memory
	$(BUILT)/release/mouthpiece bench

.PHONY: clean
clean: ## Remove what was built
	cargo clean
	rm -rf out
