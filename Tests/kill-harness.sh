#!/usr/bin/env bash
# Kills `walctl append --sync each --ack` at random moments, over and over, and checks that no LSN that it printed was lost and that
# batches are whole. Small segments, so that there are rotations between the kills; three partitions in turn.
#
#   Tests/kill-harness.sh [ACKNOWLEDGEMENTS] [WALCTL]      by default 10000 and .build/release/walctl
set -euo pipefail
wanted=${1:-10000}
walctl=${2:-.build/release/walctl}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
total=0
kills=0
declare -A last=([0]=0 [1]=0 [2]=0)
# One of the partitions is appended to in batches of 7.
declare -A batch=([0]=1 [1]=7 [2]=1)
codecs=(binary json zstd)
while [ "$total" -lt "$wanted" ]; do
    p=$((kills % 3))
    from=$((last[$p] + 1))
    # The record says which LSN it must get.
    (n=$from; while :; do echo "{\"lsn\":$n,\"fill\":\"$(printf '%*s' $((n % 200)) '')\"}" || exit 0; n=$((n + 1)); done) 2>/dev/null |
        "$walctl" append "$log" --partition $p --codec "${codecs[$p]}" --sync each --ack --batch "${batch[$p]}" \
            --segment-size 65536 >"$work/acks" 2>"$work/errors" &
    job=$!
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    pkill -KILL -f "append $log --partition" || true
    wait "$job" 2>/dev/null || true
    kills=$((kills + 1))
    if [ -s "$work/errors" ]; then cat "$work/errors"; exit 1; fi
    # A last line without its end was not read by anybody as a number.
    acknowledged=$( (grep -c '' "$work/acks" || true) )
    highest=$(head -c -1 "$work/acks" | tail -n 1)
    [ "$acknowledged" -gt 0 ] || highest=$((from - 1))
    total=$((total + acknowledged))
    "$walctl" cat "$log" --partition $p >"$work/read" 2>"$work/errors" || { [ "$highest" -lt 1 ] || { cat "$work/errors"; exit 1; }; }
    count=$(wc -l <"$work/read")
    if [ "$count" -lt "$highest" ]; then echo "LOST: partition $p printed $highest, read back $count"; exit 1; fi
    if [ $(((count) % batch[$p])) != 0 ]; then echo "TORN BATCH: partition $p holds $count records"; exit 1; fi
    awk -F'[:,]' -v p=$p '$2 != NR { print "WRONG: partition " p " has " $0 " at LSN " NR; exit 1 }' "$work/read"
    last[$p]=$count
done
"$walctl" verify "$log"
echo "kill harness: $total acknowledgements over $kills kills, none lost, batches whole; LSNs ${last[*]}"
