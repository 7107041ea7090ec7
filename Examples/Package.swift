// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "wal-examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-wal", path: "..")],
    targets: [
        .executableTarget(
            name: "demo",
            dependencies: [
                .product(name: "WriteAheadLog", package: "swift-wal"),
                .product(name: "WalBinary", package: "swift-wal"),
                .product(name: "WalJSON", package: "swift-wal"), .product(name: "WalZstd", package: "swift-wal"),
            ],
            resources: [.copy("Data/packages.ndjson")],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "compare",
            dependencies: [
                .product(name: "WalComparison", package: "swift-wal"),
                .product(name: "WriteAheadLog", package: "swift-wal"),
                .product(name: "WalBinary", package: "swift-wal"),
                .product(name: "WalJSON", package: "swift-wal"), .product(name: "WalZstd", package: "swift-wal"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        .executableTarget(
            name: "kvstore",
            dependencies: [
                .product(name: "WriteAheadLog", package: "swift-wal"),
                .product(name: "WalBinary", package: "swift-wal"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]),
    ]
)
