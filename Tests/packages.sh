#!/bin/bash
# packages.sh - installs the Debian packages that building needs and this machine lacks, saying which and why. Asks dpkg
# first, so it costs milliseconds when nothing is missing. What the conformance checks need is Conformance/install.sh's.
set -eu

packages=(
    "libjemalloc-dev:the allocator, with the statistics that used_memory is counted by"
    "libssl-dev:digests of libcrypto (SHA-1 and SHA-256)"
    "libxxhash-dev:XXH3, headers only, for DIGEST"
    "liblua5.1-0-dev:the interpreter of scripts and functions"
    "liblz4-dev:LZ4, for values compressed in memory"
    "libzstd-dev:Zstandard and its dictionaries, for values compressed in memory"
    "liblzf-dev:LZF, the string compression of RDB files"
)

if ! command -v swift >/dev/null 2>&1; then
    echo "swift is missing: install the Swift 6.3 toolchain from https://www.swift.org/install/linux/" >&2
    exit 1
fi
command -v dpkg >/dev/null 2>&1 || exit 0 # not Debian: the compiler will name what is missing

missing=()
for entry in "${packages[@]}"; do
    name=${entry%%:*}
    if ! dpkg -s "$name" 2>/dev/null | grep -q '^Status: install ok installed'; then
        echo "installing the Debian package $name: ${entry#*:}"
        missing+=("$name")
    fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
