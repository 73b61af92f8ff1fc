#!/bin/bash
# run.sh - builds the fuzz targets (the RESP parser; the data structures, beside models; values and RDB files) into a
# folder of its own, under AddressSanitizer, and runs each for FUZZ_SECONDS on a copy of its corpus. An input that
# crashes is written to Tests/Fuzz/crash-*: mend what it shows, then move the input into the target's corpus.
# FUZZ_TARGETS names them; without it the parser and the structures run, and not "values".
set -eu
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-20}
build=${FUZZ_BUILD:-.build-fuzz}
corpus=$(mktemp -d)
log=$(mktemp)
trap 'rm -rf "$corpus" "$log"' EXIT

for target in ${FUZZ_TARGETS:-parser structures}; do
    FOG_FUZZ=1 "${SWIFT:-swift}" build --scratch-path "$build" --product "fuzz-$target" \
        -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld >"$log" 2>&1 || { cat "$log"; exit 1; }
    rm -rf "$corpus" && mkdir "$corpus"
    case "$target" in
        parser) cp Tests/Fuzz/Corpus/* "$corpus"/ ;;
        structures) cp Tests/Fuzz/StructuresCorpus/* "$corpus"/ ;;
        *) cp Tests/Fuzz/ValuesCorpus/* "$corpus"/ ;;
    esac
    # Swift's own crash reporter would stand between the crash and libFuzzer, which then writes no input file. What is
    # still held at the end is the process's, not a leak.
    if ! SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        "$build/debug/fuzz-$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix=Tests/Fuzz/ "$corpus" >"$log" 2>&1; then
        tail -n 60 "$log"
        exit 1
    fi
    echo "$target:"
    grep -E 'number_of_executed_units|new_units_added' "$log" || tail -n 5 "$log"
done
