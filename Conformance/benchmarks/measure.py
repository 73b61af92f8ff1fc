"""Measuring a server from outside: processor time by the scheduler's own count, memory, and pinned load.

Processor time is read in nanoseconds for all threads of the server, so it does not depend on how fast the load
generator or the rest of the machine is. Absolute times belong to one machine; ratios within one run are kept.
"""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable

from resp import Connection, encode
from servers import BINARIES, Server

SERVER_CORE = min(os.sched_getaffinity(0))
CLIENT_CORE = max(os.sched_getaffinity(0))
CLIENT_COUNT = 50
BATCH_COMMANDS = 5000


def start(name: str, *options: str, pinned: bool = True) -> Server:
    """A server without persistence, on the servers' core; Fog with one I/O thread unless told otherwise."""
    extra = ("--io-threads", "1") if name == "fog" and "--io-threads" not in options else ()
    return Server(BINARIES[name](), *extra, *options, name=name, cores=(SERVER_CORE,) if pinned else ())


def take_priority() -> None:
    """Has this script run again before all other processes (root). A session of its own, because where the kernel
    groups processes by session a nice value counts within its group only, and the group has one too."""
    if os.environ.get("FOG_PRIORITY") is None:
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, "FOG_PRIORITY": "taken"},
                                 start_new_session=True))
    os.nice(-15)
    try:
        Path("/proc/self/autogroup").write_text("-15")
    except OSError:
        pass


def processor_nanoseconds(pid: int) -> int:
    """Time on a core of all threads of a process, so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue
    return total


def resident_bytes(pid: int) -> int:
    """The memory a process occupies."""
    match = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(match.group(1)) * 1024 if match else 0


def load(server: Server, command: tuple[str, ...], pipeline: int, request_count: int, keyspace: int) -> float:
    """Runs redis-benchmark on its own core; returns the server's microseconds of processor per request."""
    tool = shutil.which("redis-benchmark")
    assert tool is not None, "redis-benchmark is missing: run Conformance/install.sh"
    line = ["taskset", "-c", str(CLIENT_CORE), tool, "-h", "127.0.0.1", "-p", str(server.port), "-c", str(CLIENT_COUNT),
            "-n", str(request_count), "-P", str(pipeline), "-r", str(keyspace), "-q", *command]
    before = processor_nanoseconds(server.pid)
    outcome = subprocess.run(line, capture_output=True, text=True)
    used = processor_nanoseconds(server.pid) - before
    if outcome.returncode != 0 or "requests per second" not in outcome.stdout:
        raise RuntimeError(f"redis-benchmark {' '.join(command)} on {server.name}: {outcome.stdout} {outcome.stderr}")
    return used / 1000.0 / request_count


def has_command(server: Server, name: str) -> bool:
    """True when the server knows the command; asked by its bare name, which measured commands refuse or answer."""
    connection = server.connect()
    try:
        return not connection.command(name).text().startswith(b"ERR unknown command")
    finally:
        connection.close()


def fill(server: Server, commands: Iterable[bytes], reply_bytes: int | None = None) -> None:
    """Writes encoded commands in batches. `reply_bytes` is the fixed length of one reply, when there is one."""
    connection = server.connect()
    connection.socket.settimeout(120)
    batch: list[bytes] = []
    for command in commands:
        batch.append(command)
        if len(batch) == BATCH_COMMANDS:
            _send_batch(connection, batch, reply_bytes)
            batch.clear()
    if batch:
        _send_batch(connection, batch, reply_bytes)
    connection.close()


def _send_batch(connection: Connection, batch: list[bytes], reply_bytes: int | None) -> None:
    connection.socket.sendall(b"".join(batch))
    if reply_bytes is None:
        for _ in batch:
            reply = connection.read_reply(120)
            if reply.is_error() or reply.kind in ("closed", "timeout"):
                raise RuntimeError(f"filling failed: {reply}")
        return
    wanted = reply_bytes * len(batch)
    while wanted > 0:
        chunk = connection.socket.recv(1 << 16)
        if not chunk or chunk[:1] == b"-":
            raise RuntimeError(f"filling failed: {chunk[:100]!r}")
        wanted -= len(chunk)


def set_commands(count: int, value: bytes, prefix: bytes = b"key:", seconds: int = 0) -> Iterable[bytes]:
    """SET (or SETEX) of `count` keys of exactly 16 bytes."""
    if seconds:
        tail = b"\r\n" + encode("x", seconds, value).split(b"\r\n", 3)[3]
        return (b"*4\r\n$5\r\nSETEX\r\n$16\r\n%b%012d%b" % (prefix, number, tail) for number in range(count))
    tail = b"\r\n$%d\r\n%b\r\n" % (len(value), value)
    return (b"*3\r\n$3\r\nSET\r\n$16\r\n%b%012d%b" % (prefix, number, tail) for number in range(count))


def fill_keys(server: Server, count: int, value: bytes, prefix: bytes = b"key:", seconds: int = 0) -> None:
    """Stores `count` string keys."""
    fill(server, set_commands(count, value, prefix, seconds), reply_bytes=len(b"+OK\r\n"))
