// swift-tools-version: 6.1
import PackageDescription

// A package of its own: what measures the log sees only what any other package sees.
let package = Package(
    name: "wal-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-wal", path: "..")],
    targets: [
        .target(name: "CBaseline", cSettings: [.unsafeFlags(["-O3"])]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "CBaseline",
                .product(name: "WriteAheadLog", package: "swift-wal"),
                .product(name: "WalBinary", package: "swift-wal"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    ]
)
