#!/usr/bin/env bash
# A killed process proves nothing about power: looks at the system calls instead. No LSN may be printed before the segment's file, the
# partition's directory and the log's directory were synced.
#
#   Tests/strace-ack.sh [WALCTL]
set -euo pipefail
walctl=${1:-.build/release/walctl}
command -v strace >/dev/null || { echo "SKIPPED: strace is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seq 1 3000 | sed 's/.*/{"n":&,"fill":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}/' |
    strace -f -qq -y -e trace=write,pwrite64,pwritev2,fdatasync,fsync,openat,rename,renameat,renameat2 -o "$work/trace" \
        "$walctl" append "$work/log" --sync each --ack --segment-size 65536 >"$work/acks"
cat >"$work/check.awk" <<'AWK'
    # A call that another thread interrupted is two lines: it happened when it was resumed.
    / <unfinished / { pid = $1; line = $0; sub(/ <unfinished.*/, "", line); open[pid] = line; next }
    / resumed>/ { pid = $1; line = $0; sub(/.*resumed>/, open[pid], line); $0 = line }
    /openat\(.*O_CREAT.*\.wal/ || /renameat.*\.wal/ { created++; directory = 0; file = 0; data = 0 }
    /pwritev2\(.*\.wal.*RWF_DSYNC/ && / = [1-9]/ { file = 1; data++ }
    /pwrite64\(.*\.wal/ && / = [1-9]/ { if (!/4096, 0\)/) dirty = 1 }
    /fdatasync\(.*\.wal/ && / = 0/ { file = 1; dirty = 0; data++ }
    /fsync\(.*partition-[0-9]*>/ && / = 0/ { directory = 1 }
    /fsync\(.*\/log>/ && / = 0/ { root = 1 }
    /write\(1</ {
        printed++
        if (!file || !directory || !root) { print "PRINTED BEFORE SYNC (file " file+0 ", directory " directory+0 ", root " root+0 "): " $0; bad = 1; exit 1 }
        if (data <= seen) { print "PRINTED WITHOUT A SYNC OF ITS OWN: " $0; bad = 1; exit 1 }
        seen = 0; data = 0
    }
    END { if (bad) exit 1; print "strace: " printed " LSNs printed over " created " segments, each after a sync of its file and its directories" }
AWK
awk -f "$work/check.awk" "$work/trace"
# The check itself must be able to fail: without one kind of sync in the trace, it must object.
for kind in 'fsync(.*partition-' 'fsync(.*/log>' 'pwritev2(.*RWF_DSYNC\|fdatasync('; do
    grep -v "$kind" "$work/trace" >"$work/without" || true
    if awk -f "$work/check.awk" "$work/without" >/dev/null; then echo "NOT NOTICED: $kind is missing"; exit 1; fi
done
[ "$(wc -l <"$work/acks")" = 3000 ]
