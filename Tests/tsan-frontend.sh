#!/bin/bash
# tsan-frontend.sh - stands between the Swift driver and its compiler in builds of sanitizer.sh, and instruments what the
# compiler made. Swift 6.3's own `-sanitize=thread` refuses the sources: its marks of inout accesses count as escapes of
# values that may not escape (`Call`), in a hundred places. The races looked for are those of memory, which LLVM's pass
# finds without the marks; so the compiler is asked for plain LLVM code, and Clang puts the sanitizer into it.
# Left out, as Swift leaves them out: caches of type metadata and protocol conformances, which the runtime fills by
# atomic stores of its own; and nothing is checked in what the end of an object runs, which follows every use of it
# through a reference count that the sanitizer cannot see.
set -eu
frontend=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/swift-frontend
clang=$(dirname "$frontend")/clang

arguments=()
objects=()
compiles=no
sanitizes=no
previous=
for argument in "$@"; do
    case "$argument" in
        -sanitize=thread) sanitizes=yes && continue ;;
        -c) compiles=yes && argument=-emit-ir ;;
        *) [ "$previous" = -o ] && objects+=("$argument") ;;
    esac
    arguments+=("$argument")
    previous=$argument
done
# The package's manifest is compiled as well, and not to be instrumented.
[ $sanitizes = yes ] || exec "$frontend" "$@"
[ $compiles = yes ] || exec "$frontend" "${arguments[@]}"

"$frontend" "${arguments[@]}"
for object in "${objects[@]}"; do
    sed -E '
        /^define /!b
        /@"?(__swift_|\$s[^"]*(M[a-z]|Wl)"?\()/b
        /@"\$s[^"]*f[dDE]"\(/ { s/ (#[0-9]+)/ "sanitize_thread_no_checking_at_run_time" \1/; b }
        s/ (#[0-9]+)/ sanitize_thread \1/
    ' "$object" >"$object.ll"
    # Marked frames of asynchronous functions, Clang's default, crash the unwinder: Swift has none on Linux either.
    "$clang" -x ir "$object.ll" -Wno-override-module -O1 -g -fPIC -fswift-async-fp=never -fsanitize=thread \
        -c -o "$object"
    rm "$object.ll"
done
