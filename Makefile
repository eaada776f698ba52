# Mouthpiece: `make run` serves the page from nothing; `make demo` renders the sample; `make test` proves that it works.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PACKAGES := build-essential pkg-config clang libclang-dev nasm python3 python3-pip \
            libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev \
            libswscale-dev libswresample-dev
TEST_PACKAGES := ffmpeg libheif1
RUST := 1.95
NODE := 20
# Where `make run` keeps its data, and its port.
DATA ?= out/data
PORT ?= 8000
BUILT = $${CARGO_TARGET_DIR:-target}
BROWSER_TESTS := tests/browser
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: release ## Build and serve the page and the API at http://127.0.0.1:8000 (PORT=9000, DATA=dir); Ctrl-C ends it
	@mkdir -p $(DATA)
	@exec $(BUILT)/release/mouthpiece up --port $(PORT) --data $(DATA)

.PHONY: demo
demo: release ## Build and render the sample: out/demo.mp4
	@mkdir -p out
	$(BUILT)/release/mouthpiece render --portrait samples/portrait.png --speech samples/speech.wav -o out/demo.mp4
	@echo "watch it: out/demo.mp4"

.PHONY: release
release: deps onnxruntime
	cargo build --release

.PHONY: deps
deps: rust ## Install what Debian or Ubuntu lacks, or name it
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
	  echo "this machine has no apt-get: install the equivalents of:$$missing"; exit 1; fi; \
	if [ -n "$(SUDO)" ] && ! command -v sudo >/dev/null; then \
	  echo "as root, run: apt-get install$$missing"; exit 1; fi; \
	echo "installing:$$missing"; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null

.PHONY: test-deps
test-deps: deps
	@missing=""; for p in $(TEST_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	echo "installing:$$missing"; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null

.PHONY: node
node: deps
	@missing=""; command -v node >/dev/null || missing="$$missing nodejs"; command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null || exit 1; fi

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { echo "installing: chromium"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

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

.PHONY: onnxruntime
onnxruntime: ## Bring the ONNX Runtime library (28 MB, pinned hash) into the user's cache
	@models/onnxruntime/fetch.sh

.PHONY: test
test: test-deps onnxruntime chromium $(BROWSER_TESTS)/node_modules/.package-lock.json ## Run all tests
	cargo test --workspace --all-targets
	cd $(BROWSER_TESTS) && npm run --silent unit
	binary=$$(realpath $(BUILT)/debug/mouthpiece) && cd $(BROWSER_TESTS) && MOUTHPIECE_BIN=$$binary npm run --silent browser

.PHONY: lint
lint: deps $(BROWSER_TESTS)/node_modules/.package-lock.json ## Check format, lints, the page's types and (where cargo-deny is installed) licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd $(BROWSER_TESTS) && npm run --silent types
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else echo "cargo-deny is not installed: licences were not checked (cargo install cargo-deny)"; fi

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
