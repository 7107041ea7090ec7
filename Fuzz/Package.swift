// swift-tools-version: 6.1
import PackageDescription

// libFuzzer's targets, a package of their own because each brings libFuzzer's `main`. What they run is in `Bodies`, which is a
// target of the package above, for it needs that package's internals, and for its tests replay the corpus through it.
//
// Build it by `make fuzz`, which sets WAL_FUZZING and the sanitizers.
let targets = ["segment", "binary-codable", "binary-direct", "json", "zstd", "cli"]

let package = Package(
    name: "wal-fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-wal", path: "..")],
    targets: targets.map { name in
        .executableTarget(
            name: "fuzz-\(name)", dependencies: [.product(name: "FuzzBodies", package: "swift-wal")],
            swiftSettings: [.swiftLanguageMode(.v6), .unsafeFlags(["-parse-as-library"])])
    }
)
