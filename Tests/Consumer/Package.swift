// swift-tools-version: 6.1
import PackageDescription

// Takes the core and one codec: it must build where zstd's header is not installed.
let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-wal", path: "../..")],
    targets: [
        .executableTarget(
            name: "consumer",
            dependencies: [
                .product(name: "WriteAheadLog", package: "swift-wal"),
                .product(name: "WalBinary", package: "swift-wal"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ]
)
