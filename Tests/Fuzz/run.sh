#!/bin/bash
# run.sh - builds the parser's fuzz target into a folder of its own and runs it for FUZZ_SECONDS on a copy of the corpus.
# An input that crashes is written to Tests/Fuzz/crash-*: mend the parser, then move the input into Corpus/.
set -eu
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-20}
build=${FUZZ_BUILD:-.build-fuzz}
corpus=$(mktemp -d)
log=$(mktemp)
trap 'rm -rf "$corpus" "$log"' EXIT

FOG_FUZZ=1 "${SWIFT:-swift}" build --scratch-path "$build" --product fuzz-parser \
    -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld >"$log" 2>&1 || { cat "$log"; exit 1; }
cp Tests/Fuzz/Corpus/* "$corpus"/
# Swift's own crash reporter would stand between the crash and libFuzzer, which then writes no input file.
if ! SWIFT_BACKTRACE=enable=no "$build/debug/fuzz-parser" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix=Tests/Fuzz/ "$corpus" >"$log" 2>&1; then
    tail -n 60 "$log"
    exit 1
fi
grep -E 'number_of_executed_units|new_units_added' "$log" || tail -n 5 "$log"
