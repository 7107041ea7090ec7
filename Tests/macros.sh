#!/usr/bin/env bash
# Tests @WalRecord, for which the package is built with its trait Macros; and that nobody else has to have swift-syntax.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}

# With swift-syntax in Package.resolved it would be checked out without the trait too, so that the file is put back as it was.
kept=$(mktemp -d)
restore() {
    rm -f Package.resolved
    if [ -e "$kept/Package.resolved" ]; then mv "$kept/Package.resolved" Package.resolved; fi
    rmdir "$kept"
}
trap restore EXIT
if [ -e Package.resolved ]; then cp -p Package.resolved "$kept/"; fi

if command -v python3 >/dev/null; then
    python3 Tests/WalMacrosTests/Generator/generate.py | diff -q - Tests/WalMacrosTests/Generated/Records.swift ||
        { echo "Tests/WalMacrosTests/Generated/Records.swift is not what Generator/generate.py writes" >&2; exit 1; }
fi
# The compiler does not notice that a macro writes something else than it did.
find Tests/WalMacrosTests -name "*.swift" -exec touch {} +
$swift test --enable-all-traits --scratch-path .build-macros --filter WalMacrosTests

# A package that uses this one without the trait, resolved from nothing.
consumer=.build-macros/consumer
rm -rf "$consumer" Tests/Consumer/Package.resolved
dependencies=$($swift package --package-path Tests/Consumer --scratch-path "$consumer" show-dependencies)
echo "$dependencies"
if [[ "$dependencies" == *swift-syntax* ]] || [ -e "$consumer/checkouts/swift-syntax" ]; then
    echo "without the trait Macros swift-syntax is resolved all the same" >&2
    exit 1
fi
echo "without the trait Macros swift-syntax is not resolved: ok"
