// swift-tools-version: 6.1
import PackageDescription

/// One set of language features for every Swift target, so that code moves between them unchanged.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "swift-wal",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "WriteAheadLog", targets: ["WriteAheadLog"]),
        .library(name: "WalBinary", targets: ["WalBinary"]),
        .library(name: "WalJSON", targets: ["WalJSON"]),
        .library(name: "WalZstd", targets: ["WalZstd"]),
        .library(name: "WalTesting", targets: ["WalTesting"]),
        .executable(name: "walctl", targets: ["walctl"]),
    ],
    traits: [
        .trait(name: "Zstd", description: "The zstd codec; needs the system's libzstd (libzstd-dev on Debian)."),
        .default(enabledTraits: ["Zstd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // The core: no package dependency, no Foundation.
        .target(name: "CWalShims"),
        .target(name: "WriteAheadLog", dependencies: ["CWalShims"], swiftSettings: strict),

        // Codecs: one product each; none knows another.
        .target(name: "WalBinary", dependencies: ["WriteAheadLog"], path: "Codecs/Binary", swiftSettings: strict),
        .target(name: "WalJSON", dependencies: ["WriteAheadLog"], path: "Codecs/JSON", swiftSettings: strict),
        .systemLibrary(
            name: "CZstd", path: "Codecs/CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .target(
            name: "WalZstd",
            dependencies: ["WriteAheadLog", .target(name: "CZstd", condition: .when(traits: ["Zstd"]))],
            path: "Codecs/Zstd", swiftSettings: strict),

        // For authors of codecs and of recovery code.
        .target(name: "WalTesting", dependencies: ["WriteAheadLog"], swiftSettings: strict),

        // The command line: logic as a library, a thin main.
        .target(
            name: "WalTool",
            dependencies: [
                "WriteAheadLog", "WalBinary", "WalJSON", "WalZstd",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(name: "walctl", dependencies: ["WalTool"], swiftSettings: strict),

        // Searches for what breaks a promise: histories of a log on a simulated disk, from seeds.
        .target(
            name: "WalSimulation", dependencies: ["WriteAheadLog", "WalTesting", "WalZstd"], path: "Tests/Simulation",
            swiftSettings: strict),
        .executableTarget(
            name: "simulate",
            dependencies: ["WalSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/simulate", swiftSettings: strict),
        .testTarget(
            name: "WalSimulationTests", dependencies: ["WalSimulation", "WriteAheadLog", "WalTesting"],
            swiftSettings: strict),

        // What the fuzz targets in Fuzz/ do with an input; the tests replay the corpus through it.
        .target(name: "CFuzzMeter", path: "Fuzz/CFuzzMeter"),
        .target(
            name: "FuzzBodies", dependencies: ["WalTool", "WalTesting", "CFuzzMeter"], path: "Fuzz/Bodies",
            swiftSettings: strict),
        .testTarget(name: "FuzzCorpusTests", dependencies: ["FuzzBodies"], swiftSettings: strict),

        .testTarget(
            name: "WriteAheadLogTests", dependencies: ["WriteAheadLog", "WalTesting", "WalBinary", "CWalShims"],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(name: "WalBinaryTests", dependencies: ["WalBinary", "WalTesting"], swiftSettings: strict),
        .testTarget(name: "WalJSONTests", dependencies: ["WalJSON", "WalTesting"], swiftSettings: strict),
        .testTarget(
            name: "WalZstdTests", dependencies: ["WalZstd", "WalJSON", "WalBinary", "WalTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "WalEvolutionTests",
            dependencies: ["WalBinary", "WalJSON", "WalZstd", "WriteAheadLog", "WalTesting"],
            swiftSettings: strict),
        // Real processes and a real file system: `make crash`.
        .executableTarget(
            name: "harness",
            dependencies: [
                "WriteAheadLog", "WalBinary", "WalJSON", "WalZstd", "WalTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Harness", swiftSettings: strict),
        // The tests run the executable too, which lies beside their bundle.
        .testTarget(
            name: "WalToolTests", dependencies: ["WalTool", "walctl", "WalBinary", "WalJSON", "WriteAheadLog"],
            swiftSettings: strict),
    ]
)

// Fuzz/ is a package of its own and so needs a product, which nobody else does.
if Context.environment["WAL_FUZZING"] != nil {
    package.products.append(.library(name: "FuzzBodies", targets: ["FuzzBodies"]))
}
