// swift-tools-version: 6.1
import PackageDescription

/// `make bench BASE=commit` builds these sources beside an older commit's log.
let isOlderCore = Context.environment["WAL_OLDER_CORE"] != nil
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .enableUpcomingFeature("NonisolatedNonsendingByDefault")]
    + (isOlderCore ? [.define("OLDER_CORE")] : [])
let log: [Target.Dependency] = [
    .product(name: "WriteAheadLog", package: "swift-wal"), .product(name: "WalBinary", package: "swift-wal"),
]

// A package of its own: what measures the log sees only what any other package sees.
let package = Package(
    name: "wal-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-wal", path: ".."),
        // Without its traits, for the interposers that they bring are not to be had everywhere: we count allocations ourselves.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "CBaseline", cSettings: [.unsafeFlags(["-O3", "-msse4.2"])], linkerSettings: [.linkedLibrary("zstd")]),
        .target(name: "CAllocations"),
        // One run of everything, beside C and other logs: `make bench`.
        .executableTarget(
            name: "bench",
            dependencies: log + [
                "CBaseline", "CAllocations", .product(name: "WalJSON", package: "swift-wal"),
                .product(name: "WalZstd", package: "swift-wal"),
            ],
            swiftSettings: settings),
        // The harness's plugin looks for targets in a directory of this name: `make thresholds`.
        .executableTarget(
            name: "Suites",
            dependencies: log + [
                "CAllocations", .product(name: "Benchmark", package: "benchmark"),
                .product(name: "WalJSON", package: "swift-wal"), .product(name: "WalZstd", package: "swift-wal"),
            ],
            path: "Benchmarks/Suites", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
