"""Requests per second with several I/O threads: half of the machine's cores for the server, half for the load."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Iterator

from benchmarks.measure import fill_keys
from servers import BINARIES, Server

CORES_MIN = 4
CONNECTIONS = 256
KEY_COUNT = 1_000_000
VALUE = b"x" * 64
# Name, command, pipeline, requests for every core of the load.
LOADS = (
    ("GET", ("GET", "key:__rand_int__"), 1, 250_000),
    ("SET", ("SET", "key:__rand_int__", VALUE.decode()), 1, 250_000),
    ("GET", ("GET", "key:__rand_int__"), 16, 1_500_000),
    ("SET", ("SET", "key:__rand_int__", VALUE.decode()), 16, 1_500_000),
)


def halves() -> tuple[list[int], list[int]]:
    cores = sorted(os.sched_getaffinity(0))
    return cores[:len(cores) // 2], cores[len(cores) // 2:]


def thread_counts() -> list[int]:
    """1, 2, 4, ... up to the server's half of the cores, at most 8."""
    most = min(8, len(halves()[0]))
    return [1 << power for power in range(most.bit_length()) if 1 << power <= most]


def requests_per_second(server: Server, command: tuple[str, ...], pipeline: int, requests_each: int) -> float:
    tool = shutil.which("redis-benchmark")
    assert tool is not None, "redis-benchmark is missing: run Conformance/install.sh"
    cores = halves()[1]
    line = ["taskset", "-c", ",".join(map(str, cores)), tool, "-h", "127.0.0.1", "-p", str(server.port),
            "-c", str(CONNECTIONS), "--threads", str(len(cores)), "-n", str(requests_each * len(cores)),
            "-P", str(pipeline), "-r", str(KEY_COUNT), "-q", *command]
    outcome = subprocess.run(line, capture_output=True, text=True)
    found = re.findall(r"([\d.]+) requests per second", outcome.stdout)
    if outcome.returncode != 0 or not found:
        raise RuntimeError(f"redis-benchmark on {server.name}: {outcome.stdout[-300:]} {outcome.stderr}")
    return float(found[-1])


def throughput(name: str, threads: int) -> Iterator[tuple[str, float]]:
    """(load, requests per second) of one server with so many I/O threads, over a million keys."""
    extra = ("--io-threads-do-reads", "yes") if name == "redis" and threads > 1 else ()
    server = Server(BINARIES[name](), "--io-threads", str(threads), *extra, name=name, cores=halves()[0])
    try:
        fill_keys(server, KEY_COUNT, VALUE)
        for label, command, pipeline, requests_each in LOADS:
            yield f"{label}, pipeline {pipeline}", requests_per_second(server, command, pipeline, requests_each)
    finally:
        server.stop()
