# Makefile - the commands of everyday work. `make run` and `make test` are all one needs on a fresh Debian machine with
# Swift 6.3; both install the Debian packages they miss, and say so.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

SWIFT ?= swift
BUILD ?= .build
PORT ?= 6379
PYTHON = .venv/bin/python
FUZZ_SECONDS ?= 20
SERVER = $(BUILD)/release/fog-server

.PHONY: run build test unit tsan asan fuzz smoke conformance bench format packages test-packages clean

run: build ## build and start a server on 6379
	exec $(SERVER) --port $(PORT)

build: packages ## the server, at .build/release/fog-server
	$(SWIFT) build --scratch-path $(BUILD) -c release --static-swift-stdlib --product fog-server

test: packages test-packages ## everything that must hold, about 20 minutes on two cores from a fresh clone
	BUILD="$(BUILD)" SWIFT="$(SWIFT)" FUZZ_SECONDS="$(FUZZ_SECONDS)" Tests/run-all.sh

unit: packages ## the Swift tests alone
	$(SWIFT) test --scratch-path $(BUILD)

tsan: packages ## the Swift tests under ThreadSanitizer; FILTER=PubSub picks suites
	SWIFT="$(SWIFT)" FILTER="$(FILTER)" Tests/sanitizer.sh thread

asan: packages ## the same under AddressSanitizer
	SWIFT="$(SWIFT)" FILTER="$(FILTER)" Tests/sanitizer.sh address

fuzz: packages ## the RESP parser and the data structures under libFuzzer; FUZZ_SECONDS=600 for a long run
	BUILD="$(BUILD)" SWIFT="$(SWIFT)" FUZZ_SECONDS="$(FUZZ_SECONDS)" Tests/Fuzz/run.sh

smoke: build test-packages ## a short comparison with the stock server
	cd Conformance && FOG_SERVER="$(abspath $(SERVER))" ../$(PYTHON) differential.py --examples 10 --seed 1

conformance: build test-packages ## replies, Redis' own Tcl suite, stock clients
	cd Conformance
	export FOG_SERVER="$(abspath $(SERVER))"
	status=0
	for script in differential tcl_suite clients robustness attacks; do ../$(PYTHON) $$script.py || status=1; done
	FOG_APPS=yes ./install.sh && ../$(PYTHON) apps/run.py || status=1
	exit $$status

bench: build test-packages ## processor time, memory and latency beside Redis 7.0 and Valkey 9.1
	cd Conformance && FOG_SERVER="$(abspath $(SERVER))" ../$(PYTHON) bench.py

format: ## lays the Swift sources out by .swift-format
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

packages:
	@Tests/packages.sh

test-packages:
	@Tests/packages.sh
	Conformance/install.sh

clean:
	rm -rf $(BUILD) .build-fuzz .build-tsan
