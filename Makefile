# `make demo` and `make test` are all that a newcomer needs; the rest is for those who work on this.
.PHONY: help deps demo test test-minimal test-crypto test-macros test-traits test-reader test-mixtures simulate controls sanitize crash crash-full bench bench-build bench-baseline bench-docs bench-html curves compression thresholds thresholds-update instructions instructions-update suites fuzz fuzz-smoke fuzz-corpus
.PHONY: fuzz-build compare-page-test lint clean
SWIFT ?= swift

help:
	@echo "make demo          installs what is missing, builds, records 10,000 real records through three codecs, reads them back"
	@echo "make test          installs what is missing and runs every test"
	@echo "make test-minimal  builds and tests without zstd, and a package that uses the core and the binary codec alone"
	@echo "make test-crypto   builds and tests the codec that encrypts, and that swift-crypto is not resolved without it"
	@echo "make test-macros   builds @WalRecord and tests it: bytes, messages, hostile bytes; and that nobody else needs swift-syntax"
	@echo "                   (5 minutes the first time); test-traits does both with one build"
	@echo "make test-reader   tests the second reader of the format, in Python: golden files, and damage to them"
	@echo "make test-mixtures compares walctl with the second reader: SEEDS (300) logs composed byte by byte, and as many mixtures of files of"
	@echo "                   several lives of a log (5 minutes)"
	@echo "make crash         kills writers, cuts the power of a mounted ext4, fills disks, races, tails; and checks by strace that"
	@echo "                   no LSN is shown before it was synced (3 minutes; as root, or most is skipped)"
	@echo "make crash-full    the same with 200 kills and 200 losses of power"
	@echo "make simulate      a log on a simulated disk: SEEDS (2,000) histories with crashes and faults, a crash before every operation"
	@echo "                   of a small one, bits turned over; with SEEDS=100000 every bit and length (10 minutes)"
	@echo "make controls      leaves out each safety measure in turn, and shows that the histories notice"
	@echo "make sanitize      the tests under thread sanitizer and address sanitizer (15 minutes)"
	@echo "make bench         a table of times beside C's, pair by pair (5 minutes); BASE=commit compares with that commit instead;"
	@echo "                   ROWS='append stream' takes those whose names begin so, PAIRS=30 more pairs of each"
	@echo "make bench-baseline  checks that the C that ours is compared with is no slower than bare loops of the same work (2 minutes)"
	@echo "make bench-docs    writes the last run's tables into README.md and Performance.md"
	@echo "make fuzz          libFuzzer, SECONDS=600 for each of six targets; fuzz-smoke is short, fuzz-corpus keeps what was found"
	@echo "make bench-html    the last run's table as a page with charts: .build/bench.html"
	@echo "make curves        how costs grow with record size, tasks, readers, partitions and log size (10 minutes, 21 GiB)"
	@echo "make compression   what ways of compressing gain and cost on two kinds of records (1 minute); DATA=FILE.ndjson for yours"
	@echo "make suites        the benchmark suites by themselves, with percentiles (2 minutes)"
	@echo "make thresholds    compares what repeats (allocations, system calls, bytes) with the files in Benchmarks/Thresholds;"
	@echo "                   thresholds-update writes them anew"
	@echo "make instructions  counts instructions of appends, reads, syncs, opens and codings by callgrind, and compares them with"
	@echo "                   Benchmarks/Thresholds/instructions.json (1 minute); instructions-update writes it"
	@echo "make compare-page-test  the page of walctl compare in headless Chromium: no error on the console, all marks of its charts"
	@echo "make lint          swift format, strictly"

# The one thing that Swift does not bring: zstd's header and library, and pkg-config to find them.
deps:
	@.ci/dependencies

demo: deps
	$(SWIFT) build -c release --package-path Examples --product demo
	Examples/.build/release/demo demo_data

test: deps
	$(SWIFT) test

# What takes minutes and is the same with and without a trait, or under a sanitizer: simulations on one thread, suites of many files.
SLOW = --skip WalSimulationTests --skip BadInput --skip VerifyTests --skip FoundBySimulation --skip TornTail --skip Ghost
test-minimal:
	$(SWIFT) test --disable-default-traits --scratch-path .build-minimal $(SLOW)
	$(SWIFT) build --package-path Tests/Consumer --scratch-path .build-consumer
	.build-consumer/debug/consumer .build-consumer/data

# What stands behind traits has a scratch path of its own, and leaves Package.resolved as it was. One build does for both.
test-crypto: deps
	SWIFT="$(SWIFT)" Tests/traits.sh Crypto

test-macros: deps
	SWIFT="$(SWIFT)" Tests/traits.sh Macros

test-traits: deps
	SWIFT="$(SWIFT)" Tests/traits.sh Macros Crypto

test-reader:
	@if command -v python3 >/dev/null; then cd Tests/independent-reader && python3 -B -m unittest; \
	else echo "SKIPPED: python3 is not installed"; fi

# What they do not agree on is printed with its seed; --keep leaves the log there.
test-mixtures: SEEDS = 300
test-mixtures: deps
	$(SWIFT) build -c release --product walctl
	python3 -B Tests/independent-reader/composed.py --table --seeds 1-$(SEEDS) .build/release/walctl
	python3 -B Tests/independent-reader/mixtures.py --table --seeds 1-$(SEEDS) .build/release/walctl

# Tests/Harness says what it does; what can't be tried on this machine says SKIPPED and why.
crash: KILLS = 20
crash: IMAGES = 20
crash: LIVES = 1
crash-full: KILLS = 200
crash-full: IMAGES = 200
crash-full: LIVES = 3
crash crash-full: deps
	-@.ci/file-systems
	$(SWIFT) build -c release --product walctl
	$(SWIFT) build -c release --product harness
	.build/release/harness run --kills $(KILLS) --images $(IMAGES) --lives $(LIVES)
	Tests/strace-ack.sh

SEEDS ?= 2000
simulate: deps
	$(SWIFT) build -c release --product simulate
	.build/release/simulate --seeds $(SEEDS)

controls: deps
	$(SWIFT) build -c release --product simulate
	.build/release/simulate controls

sanitize: deps
	$(SWIFT) build --build-tests --sanitize=thread --scratch-path .build-tsan
	TSAN_OPTIONS=suppressions=$(CURDIR)/.ci/tsan-suppressions \
		$(SWIFT) test --skip-build --sanitize=thread --scratch-path .build-tsan --no-parallel $(SLOW)
	$(SWIFT) build --build-tests --sanitize=address --scratch-path .build-asan
	LSAN_OPTIONS=suppressions=$(CURDIR)/.ci/lsan-suppressions \
		$(SWIFT) test --skip-build --sanitize=address --scratch-path .build-asan --no-parallel $(SLOW)

BENCH = Benchmarks/.build/release/bench
bench-build: deps
	$(SWIFT) build -c release --package-path Benchmarks --product bench

BASE ?=
ROWS ?=
bench: bench-build
	@if [ -z "$(BASE)" ]; then BENCH_COMMIT=$$(git rev-parse --short=10 HEAD) $(BENCH) $(ROWS); \
	else SWIFT="$(SWIFT)" Benchmarks/base "$(BASE)" $(ROWS); fi

bench-baseline: bench-build
	$(BENCH) baseline $(ROWS)

bench-docs: bench-build
	$(BENCH) tables $(or $(BENCH_JSON),.build/bench.json) README.md Sources/WriteAheadLog/WriteAheadLog.docc/Performance.md

# How costs grow, as tables; up to 21 GiB of disk.
curves: bench-build
	$(BENCH) curves

# What ways of compressing gain and cost; DATA is a file of JSON lines.
compression: bench-build
	$(BENCH) compression $(DATA)

# One self-contained page of the last run.
bench-html: bench-build
	$(BENCH) html $(or $(BENCH_JSON),.build/bench.json)

# The plugin's sandbox would keep a log out of the directory that it is to be made in.
BENCHMARK = cd Benchmarks && $(SWIFT) package --disable-sandbox benchmark
suites: deps
	$(BENCHMARK) --target Suites --no-progress

thresholds: deps
	WAL_EXACT=1 $(SHELL) -c '$(BENCHMARK) thresholds check --target Suites --path Thresholds --no-progress'

# Counts, where times are too noisy to gate a change. Without valgrind it says SKIPPED.
instructions: bench-build
	@.ci/dependencies valgrind
	$(BENCH) instructions check Benchmarks/Thresholds/instructions.json

instructions-update: bench-build
	@.ci/dependencies valgrind
	$(BENCH) instructions update Benchmarks/Thresholds/instructions.json

thresholds-update: deps
	WAL_EXACT=1 $(SHELL) -c '$(BENCHMARK) thresholds update --target Suites --path Thresholds --no-progress'

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

compare-page-test: deps
	$(SWIFT) build -c release --product walctl
	Tests/compare-page.sh .build/release/walctl

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Codecs Tests Examples Benchmarks Fuzz/Package.swift Fuzz/Bodies Fuzz/Sources

clean:
	rm -rf .build .build-* Fuzz/.build Fuzz/.work Examples/.build Benchmarks/.build demo_data
