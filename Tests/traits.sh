#!/usr/bin/env bash
# Tests what stands behind a trait that is off by default, and that nobody else has to have the package that it needs:
#   traits.sh Macros   @WalRecord; swift-syntax
#   traits.sh Crypto   the codec that encrypts; swift-crypto
# With both names the package is built once for both.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
traits=("$@")

# With them in Package.resolved they would be checked out without the traits too, so that the file is put back as it was.
kept=$(mktemp -d)
restore() {
    rm -f Package.resolved
    if [ -e "$kept/Package.resolved" ]; then mv "$kept/Package.resolved" Package.resolved; fi
    rmdir "$kept"
}
trap restore EXIT
if [ -e Package.resolved ]; then cp -p Package.resolved "$kept/"; fi

names=Zstd filter=
for trait in "${traits[@]}"; do
    names=$names,$trait
    case $trait in
    Macros)
        filter="$filter|WalMacrosTests"
        if command -v python3 >/dev/null; then
            python3 Tests/WalMacrosTests/Generator/generate.py | diff -q - Tests/WalMacrosTests/Generated/Records.swift ||
                { echo "Tests/WalMacrosTests/Generated/Records.swift is not what Generator/generate.py writes" >&2; exit 1; }
        fi
        # The compiler does not notice that a macro writes something else than it did.
        find Tests/WalMacrosTests -name "*.swift" -exec touch {} + ;;
    Crypto) filter="$filter|WalSealedTests" ;;
    *) echo "no trait $trait" >&2; exit 64 ;;
    esac
done
$swift test --traits "$names" --scratch-path .build-traits --filter "${filter#|}"

# A package that uses this one without the traits, resolved from nothing.
consumer=.build-traits/consumer
rm -rf "$consumer" Tests/Consumer/Package.resolved
dependencies=$($swift package --package-path Tests/Consumer --scratch-path "$consumer" show-dependencies)
echo "$dependencies"
for package in swift-syntax swift-crypto; do
    if [[ "$dependencies" == *$package* ]] || [ -e "$consumer/checkouts/$package" ]; then
        echo "$package is resolved without the trait that needs it" >&2
        exit 1
    fi
done
echo "without the traits neither swift-syntax nor swift-crypto is resolved: ok"
