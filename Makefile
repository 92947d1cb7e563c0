# Every target sets up what it needs and does nothing twice. `make help` lists them.
#
# Settings, on the command line or in the environment:
#   CONTRA4_RELEASE=DIR  demo: folder with the released test.json and val.json
#   CONTRA4_SHARED=DIR   test: folder with the reference outputs; the tests that need it skip without
#   JOBS=N               compilers and tests side by side; default: one per core
# and those of tools/setup.sh (CONTRA4_TORCH_INDEX, ...).

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)

# The program and the two modules that it opens while it runs.
PROGRAM := contra4 contra4_torch contra4_parquet contra4_codecs

.PHONY: help setup build test demo no-torch asan tsan tsan-torch format format-check tidy fuzz bench mini \
        test-integration configure clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build  ## set up, build, evaluate models on the Contra4 test set, print the leaderboard
	@tools/demo.sh

test: configure  ## set up, build everything, run all fast tests
	@tools/build.sh build $(JOBS)
	@tools/run_tests.sh build $(JOBS)

build: configure  ## the program alone: build/contra4
	@tools/build.sh build $(JOBS) $(PROGRAM)

setup:  ## system packages and .venv; the other targets call it themselves
	@tools/setup.sh

configure: setup
	@tools/configure.sh release

no-torch: setup  ## build and test the half that knows nothing of torch
	@tools/configure.sh no-torch
	@tools/build.sh build-no-torch $(JOBS)
	@tools/run_tests.sh build-no-torch $(JOBS)

asan: setup  ## the same half under the address and undefined-behaviour sanitizers
	@tools/configure.sh asan
	@tools/build.sh build-asan $(JOBS)
	@tools/run_tests.sh build-asan $(JOBS)

tsan: setup  ## the same half under the thread sanitizer
	@tools/configure.sh tsan
	@tools/build.sh build-tsan $(JOBS)
	@tools/run_tests.sh build-tsan $(JOBS)

# libtorch itself is not instrumented: with one thread of its own it gives no false reports.
TSAN_TORCH_TESTS := models_native_answerer_test train_network_media_test
tsan-torch: setup  ## the threads that decode media for native models under it
	@tools/configure.sh tsan-torch
	@tools/build.sh build-tsan-torch $(JOBS) $(TSAN_TORCH_TESTS)
	@for test in $(TSAN_TORCH_TESTS); do OMP_NUM_THREADS=1 build-tsan-torch/$$test || exit 1; done

format:  ## lay out all sources with clang-format
	@tools/setup.sh packages FORMAT
	@git ls-files '*.h' '*.cpp' | xargs clang-format-16 -i

format-check:  ## say which sources clang-format would change
	@tools/setup.sh packages FORMAT
	@git ls-files '*.h' '*.cpp' | xargs clang-format-16 --dry-run --Werror && echo "format: all sources are laid out"

tidy: setup  ## clang-tidy over all sources; CHANGED=REF: over those that differ from a commit
	@tools/setup.sh packages TIDY
	@tools/configure.sh dev
	@tools/tidy.sh build-dev $(JOBS) $(if $(CHANGED),--changed $(CHANGED))

test-integration: build  ## against servers and clients of others (pip packages of its own)
	@tests/integration/run.sh

fuzz: setup  ## build the fuzz targets and run each; FUZZ_SECONDS=300
	@tools/setup.sh packages FUZZ
	@tools/configure.sh fuzz
	@tools/build.sh build-fuzz $(JOBS)
	@tools/fuzz.sh build-fuzz $(or $(FUZZ_SECONDS),300) $(JOBS)

bench: setup  ## build and run the benchmarks of docs/benchmarks.md
	@tools/configure.sh bench
	@tools/build.sh build-bench $(JOBS)
	@bench/run.sh build-bench

mini:  ## draw data/mini again
	@tools/make_mini.sh

clean:  ## remove what was built; .venv and results stay
	@rm -rf build build-no-torch build-dev build-asan build-tsan build-fuzz build-bench build-tidy
