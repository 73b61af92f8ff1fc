#!/bin/bash
# run-all.sh - what `make test` runs: the Swift tests (the tidy tests among them), short fuzz runs, and a bounded
# comparison with the stock server. Every part runs even when an earlier one failed. The last line is the verdict,
# "N passed, N failed"; the exit status is 0 only when nothing failed.
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-.build}
SWIFT=${SWIFT:-swift}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0

count() { # name, status
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        echo "FAILED: $1 (status $2)"
    fi
}

echo "== Swift tests"
"$SWIFT" test --scratch-path "$BUILD" >"$log" 2>&1
status=$?
# A passing run is a thousand lines of names: they are shown only when something failed.
if [ $status -ne 0 ]; then grep -v '^[◇↳]' "$log" | grep -v '^✔ Test ' || true; else tail -n 1 "$log"; fi
swift_passed=$(grep -c '^✔ Test [^ ].* passed after' "$log")
swift_failed=$(grep -c '^✘ Test [^ ].* failed after' "$log")
swift_passed=$((swift_passed - $(grep -c '^✔ Test run with' "$log")))
swift_failed=$((swift_failed - $(grep -c '^✘ Test run with' "$log")))
passed=$((passed + swift_passed))
failed=$((failed + swift_failed))
if [ $status -ne 0 ] && [ $swift_failed -eq 0 ]; then count "swift test (build or crash)" $status; fi
if [ $swift_passed -eq 0 ]; then count "swift test ran no tests" 1; fi

echo "== parser and data structures under libFuzzer"
BUILD="$BUILD" SWIFT="$SWIFT" Tests/Fuzz/run.sh
count "fuzz" $?

echo "== server binary"
"$SWIFT" build --scratch-path "$BUILD" -c release --static-swift-stdlib --product fog-server
status=$?
count "release build" $status

if [ $status -eq 0 ]; then
    echo "== comparison with stock servers (bounded)"
    # Interrupted, not killed, when its time is up: the script then still stops the servers it started.
    (cd Conformance && FOG_SERVER="$PWD/../$BUILD/release/fog-server" timeout --signal=INT --kill-after=30 600 \
        ../.venv/bin/python differential.py --streams \
        --only \
        acl \
        acl-refusals \
        auth \
        bitmaps \
        clients_valkey \
        connection \
        dump \
        expire \
        functions \
        geo \
        geo \
        hashes \
        hashes_valkey \
        hyperloglog \
        info \
        keys \
        lists \
        lists_blocking \
        multi \
        notifications \
        protocol \
        pubsub \
        pubsub_valkey \
        scan \
        scripting \
        server \
        sets \
        sort \
        streams \
        strings \
        strings_valkey \
        tracking \
        tracking_redirect \
        zsets)
    count "differential run" $?
    (cd Conformance && FOG_SERVER="$PWD/../$BUILD/release/fog-server" \
        ../.venv/bin/python robustness.py --quick)
    count "robustness run" $?
    (cd Conformance && FOG_SERVER="$PWD/../$BUILD/release/fog-server" timeout --signal=INT --kill-after=10 120 \
        ../.venv/bin/python attacks.py \
        bytecode \
        collecting_while_the_parser_runs \
        damaged_libraries \
        endless_scripts_are_killed \
        forged_sketches \
        injected_replies \
        malformed_selectors \
        overflows_in_libraries \
        overflows_in_packers \
        secrets_stay_secret)
    count "attacks (the quick ones)" $?
    (cd Conformance && FOG_SERVER="$PWD/../$BUILD/release/fog-server" \
        timeout --signal=INT --kill-after=10 60 ../.venv/bin/python fog_clients/run.py)
    count "example clients" $?
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
