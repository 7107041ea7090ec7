#!/usr/bin/env bash
# The page of `walctl compare`, as a browser has it: rendered in headless Chromium, which must report no error, load nothing and
# find all marks of the charts, with names that try to be markup. Then a control: a page with a fault must be noticed.
#
#   Tests/compare-page.sh [WALCTL] [PICTURE.png]
set -euo pipefail
walctl=${1:-.build/release/walctl}
picture=${2:-}
browser=
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then browser=$name && break; fi
done
[ -n "$browser" ] || { echo "SKIPPED: chromium is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
records="$work/<img src=x onerror=alert(1)>&\"'.ndjson"
seq 1 600 | sed 's/.*/{"n":&,"name":"record &","fill":"some text that is alike in all of them"}/' >"$records"
"$walctl" compare "$records" --seconds 0.02 --rounds 2 --html "$work/page.html" --json >"$work/report.json"
# As many as there are codecs.
codecs=$(grep -o '"payloadBytesPerRecord"' "$work/report.json" | wc -l)

# look PAGE: the page's content after it was rendered, and what the browser complained of.
look() {
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --enable-logging=stderr --v=0 \
        --dump-dom "file://$1" >"$work/dom" 2>"$work/log" || { echo "FAILED: $browser did not render $1"; cat "$work/log"; exit 1; }
}

# check: nothing was said on the console, and each chart has a mark for each codec.
check() {
    if grep -q 'CONSOLE' "$work/log"; then echo "on the console: $(grep -m1 'CONSOLE' "$work/log")"; return 1; fi
    local points fronts bars lines
    points=$(grep -o '<circle class="point' "$work/dom" | wc -l)
    fronts=$(grep -o '<circle class="point front' "$work/dom" | wc -l)
    bars=$(grep -o '<rect class="bar' "$work/dom" | wc -l)
    lines=$(grep -o '<path class="frontline"' "$work/dom" | wc -l)
    [ "$points" = $((3 * codecs)) ] || { echo "$points points for $codecs codecs in 3 charts"; return 1; }
    [ "$bars" -ge $((6 * codecs)) ] || { echo "$bars bars for $codecs codecs"; return 1; }
    [ "$fronts" -ge 3 ] && [ "$lines" = 3 ] || { echo "$fronts points on $lines fronts"; return 1; }
    [ "$(grep -o '<article class="card"' "$work/dom" | wc -l)" = 4 ] || { echo "not four recommendations"; return 1; }
    if grep -qE '<(script|img|link rel="stylesheet|iframe)' "$work/dom"; then echo "there is an element that a page of ours has not"; return 1; fi
    if grep -qE '(src|href)="(https?:)?//|url\(|@import' "$work/dom"; then echo "something is loaded from elsewhere"; return 1; fi
    if grep -qE '(cx|cy|x|y|width|height|r)="(-|nan|inf)' "$work/dom"; then echo "a coordinate that is none"; return 1; fi
}

look "$work/page.html"
check || { echo "FAILED: the page has a fault"; exit 1; }
if [ -n "$picture" ]; then
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
        --screenshot="$picture" --window-size=1200,2600 "file://$work/page.html" 2>/dev/null
fi
# The check itself must be able to fail: on a script's error, on a point that is missing, on markup that came from a name.
for fault in 's|</body>|<script>undefinedName()</script></body>|' '0,/<circle class="point/s//<circle class="lost/' \
    's|</h1>|<img src="data:,"></h1>|'; do
    sed "$fault" "$work/page.html" >"$work/faulty.html"
    look "$work/faulty.html"
    if check >/dev/null; then echo "NOT NOTICED: $fault"; exit 1; fi
done
echo "page: $codecs codecs, their marks in 9 charts, no error on the console; three faults were noticed"
