"""Latency while inserting, the cost of idle connections, and the time from start to the first answer."""
from __future__ import annotations

import json
import resource
import socket
import statistics
import subprocess
import time

from benchmarks.measure import CLIENT_CORE, resident_bytes, start
from redis_source import cache_folder
from servers import BINARIES, FOLDER, Server

IDLE_CONNECTIONS = 10_000
INSERTED_KEYS = 2_000_000
INSERTS_PER_SECOND = 200_000
STARTS = 10


def probe_path(name: str) -> str:
    """The compiled probe; compiled again when a source is newer."""
    source, program = FOLDER / f"{name}.c", cache_folder() / name
    changed = max(file.stat().st_mtime for file in (source, FOLDER / "probe.h"))
    if not program.exists() or program.stat().st_mtime < changed:
        subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(source)], check=True)
    return str(program)


def insert_latency(name: str, keys: int = INSERTED_KEYS) -> dict[str, float]:
    """Percentiles of an unpipelined GET, in microseconds, while keys are inserted by another connection."""
    program = probe_path("latency_probe")
    server = start(name)
    try:
        line = ["taskset", "-c", str(CLIENT_CORE), program, str(server.port), str(keys), str(INSERTS_PER_SECOND)]
        outcome = subprocess.run(line, capture_output=True, text=True, check=True)
        return json.loads(outcome.stdout)
    finally:
        server.stop()


def idle_connection_bytes(name: str, count: int = IDLE_CONNECTIONS) -> float:
    """Resident bytes per connection that has sent one PING and is silent since."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = start(name, "--maxclients", str(count + 100))
    sockets: list[socket.socket] = []
    try:
        time.sleep(0.2)
        empty = resident_bytes(server.pid)
        for _ in range(count):
            sockets.append(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            sockets[-1].sendall(b"PING\r\n")
        for connection in sockets:
            if connection.recv(64) != b"+PONG\r\n":
                raise RuntimeError(f"{name} did not answer PING on one of {count} connections")
        time.sleep(2.5)
        return (resident_bytes(server.pid) - empty) / count
    finally:
        for connection in sockets:
            connection.close()
        server.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class ColdServer(Server):
    """A server that is started and timed until its first PONG."""

    milliseconds = 0.0

    def start(self) -> None:
        before = time.perf_counter()
        self.launch()
        while not self._pong():
            if not self.is_alive():
                raise RuntimeError(f"{self.name} ended at its start: {self.log_tail()}")
        self.milliseconds = (time.perf_counter() - before) * 1000

    def _pong(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64) == b"+PONG\r\n"
        except OSError:
            time.sleep(0.0003)
            return False


def cold_start_milliseconds(name: str, starts: int = STARTS) -> float:
    """The median time from exec to the first answer."""
    times = []
    for _ in range(starts):
        server = ColdServer(BINARIES[name](), name=name)
        times.append(server.milliseconds)
        server.stop()
    return statistics.median(times)
