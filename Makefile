# Mouthpiece: `make run` makes out/demo.mp4 from nothing; `make test` proves that it works.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PACKAGES := build-essential pkg-config clang libclang-dev nasm python3 python3-pip \
            libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libavdevice-dev \
            libswscale-dev libswresample-dev
TEST_PACKAGES := ffmpeg
RUST := 1.95
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help
help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: run
run: deps onnxruntime ## Build and render the sample: out/demo.mp4
	cargo build --release
	@mkdir -p out
	$${CARGO_TARGET_DIR:-target}/release/mouthpiece render --portrait samples/portrait.png --speech samples/speech.wav -o out/demo.mp4
	@echo "watch it: out/demo.mp4"

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

.PHONY: rust
rust:
	@have=$$(cargo --version 2>/dev/null | cut -d' ' -f2); \
	if [ -z "$$have" ] || [ "$$(printf '%s\n' "$(RUST)" "$$have" | sort -V | head -n1)" != "$(RUST)" ]; then \
	  echo "Rust $(RUST) or newer is needed (found: $${have:-none}): install it with rustup, see https://rustup.rs"; exit 1; fi

.PHONY: onnxruntime
onnxruntime: ## Bring the ONNX Runtime library (28 MB, pinned hash) into the user's cache
	@models/onnxruntime/fetch.sh

.PHONY: test
test: test-deps onnxruntime ## Run all tests
	cargo test --workspace --all-targets

.PHONY: lint
lint: deps ## Check format, lints and (where cargo-deny is installed) licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else echo "cargo-deny is not installed: licences were not checked (cargo install cargo-deny)"; fi

.PHONY: bench
bench: deps onnxruntime ## Measure frames a second, milliseconds a stage, memory
	cargo build --release
	$${CARGO_TARGET_DIR:-target}/release/mouthpiece bench

.PHONY: clean
clean: ## Remove what was built
	cargo clean
	rm -rf out
