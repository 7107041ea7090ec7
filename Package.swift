// swift-tools-version: 6.1
import CompilerPluginSupport
import PackageDescription

/// One set of language features for every Swift target, so that code moves between them unchanged.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// swift-syntax takes minutes to build, so that no use of it may be without this: then it is not even resolved.
let syntax = TargetDependencyCondition.when(traits: ["Macros"])

let package = Package(
    name: "swift-wal",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: [
        .library(name: "WriteAheadLog", targets: ["WriteAheadLog"]),
        .library(name: "WalBinary", targets: ["WalBinary"]),
        .library(name: "WalJSON", targets: ["WalJSON"]),
        .library(name: "WalZstd", targets: ["WalZstd"]),
        .library(name: "WalSealed", targets: ["WalSealed"]),
        .library(name: "WalMacros", targets: ["WalMacros"]),
        .library(name: "WalTesting", targets: ["WalTesting"]),
        .library(name: "WalComparison", targets: ["WalComparison"]),
        .executable(name: "walctl", targets: ["walctl"]),
    ],
    traits: [
        .trait(name: "Zstd", description: "The zstd codec; needs the system's libzstd (libzstd-dev on Debian)."),
        .trait(name: "Crypto", description: "The codec that encrypts and authenticates; takes swift-crypto."),
        .trait(name: "Macros", description: "@WalRecord, which writes direct coding; builds swift-syntax."),
        .default(enabledTraits: ["Zstd"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Every use is conditioned on the trait `Crypto`: without it, this is not even resolved.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-syntax", from: "603.0.1"),
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
        .target(
            name: "WalSealed",
            dependencies: [
                "WriteAheadLog",
                .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Crypto"])),
            ],
            path: "Codecs/Sealed", swiftSettings: strict),

        // @WalRecord. A trait cannot drop a target, so the sources are empty without it.
        .macro(
            name: "WalMacrosPlugin",
            dependencies: [
                .product(name: "SwiftSyntax", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxBuilder", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftParser", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftDiagnostics", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftCompilerPlugin", package: "swift-syntax", condition: syntax),
            ],
            path: "Codecs/Macros/Plugin", swiftSettings: strict),
        .target(
            name: "WalMacros",
            dependencies: ["WriteAheadLog", "WalBinary", .target(name: "WalMacrosPlugin", condition: syntax)],
            path: "Codecs/Macros/Library", swiftSettings: strict),

        // For authors of codecs and of recovery code.
        .target(name: "WalTesting", dependencies: ["WriteAheadLog"], swiftSettings: strict),

        // For apps that choose a codec: measures candidates on the app's own records.
        .target(name: "WalComparison", dependencies: ["WriteAheadLog"], swiftSettings: strict),

        // The command line: logic as a library, a thin main.
        .target(
            name: "WalTool",
            dependencies: [
                "WriteAheadLog", "WalBinary", "WalJSON", "WalZstd", "WalComparison",
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

        .target(name: "CTestShims", path: "Tests/CTestShims"),
        .testTarget(
            name: "WriteAheadLogTests",
            dependencies: ["WriteAheadLog", "WalTesting", "WalBinary", "CWalShims", "CTestShims"],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(name: "WalBinaryTests", dependencies: ["WalBinary", "WalTesting"], swiftSettings: strict),
        .testTarget(name: "WalJSONTests", dependencies: ["WalJSON", "WalTesting"], swiftSettings: strict),
        .testTarget(
            name: "WalZstdTests", dependencies: ["WalZstd", "WalJSON", "WalBinary", "WalTesting"],
            swiftSettings: strict),
        // Without the trait it holds nothing: `make test-crypto`.
        .testTarget(
            name: "WalSealedTests",
            dependencies: [
                "WalSealed", "WalZstd", "WalBinary", "WalTesting",
                .product(name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Crypto"])),
            ],
            resources: [.copy("Golden")], swiftSettings: strict),
        .testTarget(
            name: "WalEvolutionTests",
            dependencies: ["WalBinary", "WalJSON", "WalZstd", "WriteAheadLog", "WalTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "WalComparisonTests", dependencies: ["WalComparison", "WriteAheadLog"], swiftSettings: strict),
        .testTarget(
            name: "WalMacrosTests",
            dependencies: [
                "WalMacros", "WalBinary", "WriteAheadLog", .target(name: "WalMacrosPlugin", condition: syntax),
                .product(name: "SwiftDiagnostics", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxBuilder", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxMacros", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxMacroExpansion", package: "swift-syntax", condition: syntax),
                .product(name: "SwiftSyntaxMacrosGenericTestSupport", package: "swift-syntax", condition: syntax),
            ],
            exclude: ["Generator"], swiftSettings: strict),
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
            name: "WalToolTests",
            dependencies: ["WalTool", "walctl", "WalBinary", "WalJSON", "WalZstd", "WalComparison", "WriteAheadLog"],
            swiftSettings: strict),
    ]
)

// Fuzz/ is a package of its own and so needs a product, which nobody else does.
if Context.environment["WAL_FUZZING"] != nil {
    package.products.append(.library(name: "FuzzBodies", targets: ["FuzzBodies"]))
}
