#!/bin/bash
# sanitizer.sh - what `make tsan` and `make asan` run: the Swift tests under ThreadSanitizer ("thread") or
# AddressSanitizer ("address"), in a build folder of their own. Servers run in the tests' process, with one event loop
# and with four (TestVariant.all), so everything that loops, pools and writers share is watched. One process a suite,
# each with a limit of time: a report stands beside its test, and a suite that hangs hides no other. FILTER (a regular
# expression over "Module.Suite") picks suites; without it all run but those below. The last line is the verdict; the
# exit status is 0 only when all tests passed and nothing was reported.
set -u
cd "$(dirname "$0")/.."
sanitizer=${1:?thread or address}
build=${SANITIZER_BUILD:-.build-$sanitizer}
seconds=${SANITIZER_SECONDS:-300}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Suites and tests with nothing to find here, and why.
left_out=(
    "TidyTests:read the sources"
    "StructuresTests\.CompactBenchmarks:measures time"
    "StructuresTests\.StructuresRunTests:random runs on one thread, too slow here; the fuzz targets run them"
    "CommandsTests\.AllocationTests:asks jemalloc, which such a build does not have"
    "CommandsTests\.GateTests/memory\(:asks jemalloc how much is used"
    "CommandsTests\.ScriptTests/memoryLimitHoldsForScripts:asks jemalloc how much is used"
)

# jemalloc would hide memory from the sanitizer.
export FOG_ALLOCATOR=system
options=(--scratch-path "$build" --build-tests --sanitize="$sanitizer")
case "$sanitizer" in
    thread)
        mark='^WARNING: ThreadSanitizer'
        export SWIFT_DRIVER_SWIFT_FRONTEND_EXEC="$PWD/Tests/tsan-frontend.sh"
        ;;
    address)
        mark='ERROR: AddressSanitizer'
        options+=(-Xswiftc -use-ld=lld)
        ;;
    *)
        echo "no sanitizer '$sanitizer': thread or address" >&2
        exit 2
        ;;
esac
"${SWIFT:-swift}" build "${options[@]}" >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
tests=$(ls "$build"/debug/*.xctest)

# Swift's own crash reporter would stand between a crash and the sanitizer's report.
export SWIFT_BACKTRACE=enable=no
export TSAN_OPTIONS="history_size=4 ${TSAN_OPTIONS:-}"
# What is still held at the end is the process's, not a leak.
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
skips=()
for entry in "${left_out[@]}"; do skips+=(--skip "^${entry%%:*}"); done
passed=0
failed=0
reports=0
suites=$("$tests" --testing-library swift-testing --list-tests | sed -E 's/[/(].*//' | sort -u)
for suite in $suites; do
    [[ $suite =~ ${FILTER:-.} ]] || continue
    for entry in "${left_out[@]}"; do [[ $suite =~ ^${entry%%:*}([./]|$) ]] && continue 2; done
    timeout --signal=ABRT --kill-after=10 "$seconds" \
        "$tests" --testing-library swift-testing --filter "^${suite/./\\.}/" "${skips[@]}" >"$log" 2>&1 </dev/null
    status=$?
    found=$(grep -c "$mark" "$log")
    good=$(grep '^✔ Test .* passed after' "$log" | grep -vc '^✔ Test run with')
    bad=$(grep '^✘ Test .* failed after' "$log" | grep -vc '^✘ Test run with')
    [ $status -ne 0 ] && [ "$bad" -eq 0 ] && [ "$found" -eq 0 ] && bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    reports=$((reports + found))
    if [ $status -eq 0 ]; then
        echo "ok: $suite, $good tests"
    else
        grep -v '^[◇↳]' "$log" | grep -v '^✔ Test ' || true
        echo "FAILED: $suite (status $status), $good tests passed, $bad failed, $found reports"
    fi
done
echo "$passed passed, $failed failed, $reports reports"
[ $passed -gt 0 ] && [ $failed -eq 0 ] && [ $reports -eq 0 ]
