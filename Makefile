# `make demo` and `make test` are all that a newcomer needs; the rest is for those who work on this.
.PHONY: help deps demo test test-minimal crash speed fuzz fuzz-smoke fuzz-corpus fuzz-build lint clean
SWIFT ?= swift

help:
	@echo "make demo          installs what is missing, builds, records 10,000 real records through three codecs, reads them back"
	@echo "make test          installs what is missing and runs every test"
	@echo "make test-minimal  builds and tests without zstd, and a package that uses the core and the binary codec alone"
	@echo "make crash         kills a writer at random moments, and checks by strace that no LSN is shown before it was synced"
	@echo "make speed         a table of times beside those of a C baseline in the same run (5 minutes)"
	@echo "make fuzz          libFuzzer, SECONDS=600 for each of six targets; fuzz-smoke is short, fuzz-corpus keeps what was found"
	@echo "make lint          swift format, strictly"

# The one thing that Swift does not bring: zstd's header and library, and pkg-config to find them.
deps:
	@.ci/dependencies

demo: deps
	$(SWIFT) build -c release --package-path Examples --product demo
	Examples/.build/release/demo demo_data

test: deps
	$(SWIFT) test

test-minimal:
	$(SWIFT) test --disable-default-traits --scratch-path .build-minimal
	$(SWIFT) build --package-path Tests/Consumer --scratch-path .build-consumer
	.build-consumer/debug/consumer .build-consumer/data

crash: deps
	$(SWIFT) build -c release --product walctl
	Tests/kill-harness.sh 10000
	Tests/strace-ack.sh

speed:
	$(SWIFT) build -c release --package-path Benchmarks --product speed
	Benchmarks/.build/release/speed

# --sanitize has SwiftPM leave out main, for libFuzzer brings one; of several -sanitize options the compiler takes the last.
fuzz-build: deps
	WAL_FUZZING=1 $(SWIFT) build -c release --package-path Fuzz --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address \
		-Xcc -fsanitize=address

SECONDS ?= 600
fuzz: fuzz-build
	Fuzz/run $(SECONDS)

fuzz-smoke: fuzz-build
	Fuzz/run replay
	Fuzz/run 5

fuzz-corpus: fuzz-build
	Fuzz/run merge

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Codecs Tests Examples Benchmarks Fuzz/Package.swift Fuzz/Bodies Fuzz/Sources

clean:
	rm -rf .build .build-* Fuzz/.build Fuzz/.work Examples/.build Benchmarks/.build demo_data
