"""Memory per key and per collection: what the process grew by, divided by what was put into it.

Each figure comes from a fresh server: resident memory after filling, less that of the empty server.
"""
from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Iterable

from benchmarks.measure import fill, has_command, resident_bytes, set_commands, start
from benchmarks.rows import SMALL_COUNT
from resp import encode

WARMUP_COUNT = 1000
SETTLE_SECONDS = 0.5
TTL_SECONDS = 100_000


@dataclass(frozen=True)
class MemoryRow:
    """One filling and its limit: bytes for Fog itself, or a part of what Valkey needs."""

    name: str
    command: str
    count: int
    commands: Callable[[int], Iterable[bytes]]
    bytes_max: float | None = None
    ratio_max: float | None = None


def _strings(value_bytes: int, seconds: int) -> Callable[[int], Iterable[bytes]]:
    return lambda count: set_commands(count, b"v" * value_bytes, seconds=seconds)


def _small(command: str, parts: list[str]) -> Callable[[int], Iterable[bytes]]:
    return lambda count: (encode(command, f"key:{number:012d}", *parts) for number in range(count))


def _large(command: str, member: Callable[[int], tuple[str, ...]]) -> Callable[[int], Iterable[bytes]]:
    def commands(count: int) -> Iterable[bytes]:
        for first in range(0, count, 500):
            yield encode(command, "big", *[part for number in range(first, first + 500) for part in member(number)])
    return commands


def string_rows(key_count: int) -> list[MemoryRow]:
    """16-byte keys with values of three sizes, without and with a time to live (8 bytes more at most)."""
    limits = {16: 64, 64: 112, 512: 575}
    return [MemoryRow(f"16 B key + {size} B value{', TTL' if seconds else ''}", "SETEX" if seconds else "SET",
                      key_count, _strings(size, seconds), bytes_max=limit + (8 if seconds else 0))
            for size, limit in limits.items() for seconds in (0, TTL_SECONDS)]


def type_rows(key_count: int) -> list[MemoryRow]:
    """Collections of ten small members, and one of a million."""
    small = min(SMALL_COUNT, key_count)
    fields = [part for number in range(10) for part in (f"field:{number}", f"value{number}")]
    members = [f"member:{number}" for number in range(10)]
    scored = [part for number in range(10) for part in (str(number), f"member:{number}")]
    return [
        MemoryRow("hash of 10", "HSET", small, _small("HSET", fields), ratio_max=0.88),
        MemoryRow("sorted set of 10", "ZADD", small, _small("ZADD", scored), ratio_max=0.92),
        MemoryRow("set of 10", "SADD", small, _small("SADD", members), ratio_max=0.87),
        MemoryRow("list of 10", "RPUSH", small, _small("RPUSH", members), ratio_max=0.87),
        MemoryRow("member of a sorted set of 1M", "ZADD", key_count,
                  _large("ZADD", lambda number: (str(number), f"member:{number:09d}")), ratio_max=0.85),
        MemoryRow("member of a set of 1M", "SADD", key_count, _large("SADD", lambda number: (f"member:{number:09d}",)),
                  ratio_max=0.85),
        MemoryRow("field of a hash of 1M", "HSET", key_count,
                  _large("HSET", lambda number: (f"member:{number:09d}", f"value{number:07d}")), ratio_max=0.85),
    ]


def bytes_each(name: str, row: MemoryRow) -> float | None:
    """Bytes of resident memory per thing stored, in a fresh server; nothing when it lacks the command."""
    server = start(name)
    try:
        if not has_command(server, row.command):
            return None
        # The first commands bring their code and buffers into memory, which is no matter of how many keys there are.
        fill(server, row.commands(WARMUP_COUNT))
        connection = server.connect()
        connection.command("FLUSHALL")
        connection.close()
        time.sleep(SETTLE_SECONDS)
        empty = resident_bytes(server.pid)
        fill(server, row.commands(row.count), reply_bytes=len(b"+OK\r\n") if row.command.startswith("SET") else None)
        time.sleep(SETTLE_SECONDS)
        return (resident_bytes(server.pid) - empty) / row.count
    finally:
        server.stop()
