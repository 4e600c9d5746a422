# Recipes. Each job of CI is one of these; `make help` lists them.

cache := $(or $(FKM_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flux-kontext-max)
# Outside the tree, so that a clean checkout does not build the world again.
export CARGO_TARGET_DIR ?= $(cache)/target
export CARGO_TERM_PROGRESS_WHEN ?= auto
tools = PATH="$$(tests/setup/venv.sh tools tests/setup/tools.txt)/bin:$$PATH"

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt clippy deny layers generate check-generated doc bench bench-formats matrix cluster conformance soak fuzz formats catalog

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Serve the quickstart at http://127.0.0.1:4000/v1 (MODEL=none: without a language model)
	@deploy/quickstart/run.sh

test: ## Install what is missing and run every test, with closing counts
	@tests/run.sh

lint: fmt clippy deny layers check-generated doc ## Everything that is checked without running the product

fmt: ## Formatting
	cargo fmt --all --check

clippy: ## Lints, as errors
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny: ## Bans, licences and sources of dependencies
	$(tools) cargo deny --locked check --hide-inclusion-graph bans licenses sources

layers: ## Pure crates see no runtime; every crate is covered
	tests/layers.sh

generate: ## Write the CRDs
	cargo run --locked -q -p fkm-crds --bin crdgen

check-generated: ## Fail when the CRDs are not what the types say, or the table of formats not what the cases show
	cargo run --locked -q -p fkm-crds --bin crdgen -- --check
	cargo run --locked -q -p fkm-matrix -- --check

catalog: ## Write the catalogue's models and prices anew, from its pinned sources
	python3 operator/catalog/generate.py --cache $(cache)/catalog

doc: ## Documentation builds, links hold
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items -q

bench: ## Measure the sidecar beside a plain proxy, against its budgets
	cargo build --locked --release -p fkm-bench -p fkm-sidecar
	$(CARGO_TARGET_DIR)/release/fkm-bench --sidecar $(CARGO_TARGET_DIR)/release/fkm-sidecar --install $(BENCH_ARGS)

bench-formats: ## Measure translation between the formats beside pass-through, and that it is linear
	cargo run --locked --release -q -p fkm-bench-formats -- $(BENCH_ARGS)

matrix: ## Write the table of what each client format gets of each provider format
	cargo run --locked -q -p fkm-matrix

fuzz: ## libFuzzer on every parser of the formats, FUZZ_SECONDS each (20); says aloud where it cannot be built
	@tests/fuzz/run.sh $(or $(FUZZ_SECONDS),20)

cluster: ## Start a real control plane with operator and sidecar, and say how to use kubectl on it
	cargo build --locked -p fkm-operator -p fkm-sidecar
	cargo run --locked -q -p fkm-tests --bin fkm-cluster

soak: ## A hundred clients of every surface in front of providers that fail at random, SOAK_SECONDS long (60)
	SOAK_SECONDS=$(or $(SOAK_SECONDS),60) cargo test --locked -q -p fkm-sidecar --test soak -- --nocapture

conformance: ## Only the SDK conformance suite
	@tests/conformance/run.sh $(PYTEST_ARGS)

formats: ## Only the suite of the wire formats
	@tests/formats/run.sh $(PYTEST_ARGS)
