"""Memory under its limit while many clients write as fast as they can: `used_memory` of every INFO, and the RSS.

Sixteen connections write values of 100 B to 100 KB and let strings, lists and hashes grow; another asks INFO memory all
the time. Fails when one sample of used_memory is above maxmemory, when RSS passes 1.15 x maxmemory + 10 MB (beside what
the empty process held already above 10 MB), or when a write was refused.
"""
from __future__ import annotations

import argparse
import random
import sys
import threading
import time

from resp import Connection
from servers import Server, fog_binary

WRITERS = 16


def write(server: Server, number: int, until: float, refused: list[str]) -> None:
    """One client's writes: pipelines of eight, every kind of growth."""
    generator = random.Random(number)
    connection = Connection(server.port)
    filler = bytes(generator.randrange(32, 127) for _ in range(100_000))
    while time.monotonic() < until:
        for _ in range(8):
            size = int(100 * 1000 ** generator.random())
            key = f"key:{generator.randrange(20_000)}"
            kind = generator.randrange(10)
            if kind < 6:
                reply = connection.command("SET", "s:" + key, filler[:size])
            elif kind == 6:
                reply = connection.command("APPEND", f"a:{generator.randrange(50)}", filler[: size // 10])
            elif kind == 7:
                elements = [filler[:100]] * (size // 1000 + 1)
                reply = connection.command("RPUSH", f"l:{generator.randrange(50)}", *elements)
            elif kind == 8:
                reply = connection.command("HSET", f"h:{generator.randrange(50)}", key, filler[: size // 10])
            else:
                reply = connection.command("GET", "s:" + key)
            if reply.is_error():
                refused.append(reply.text().decode())
    connection.close()


def memory(connection: Connection) -> dict[str, int]:
    text = connection.command("INFO", "memory").text().decode()
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: int(value) for name, value in pairs if value.isdigit()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args()
    limit = options.megabytes * 1_000_000
    refused: list[str] = []
    with Server(fog_binary(), "--maxmemory", str(limit), "--maxmemory-policy", "allkeys-lru") as server:
        connection = Connection(server.port)
        start = memory(connection)["used_memory_rss"]
        until = time.monotonic() + options.seconds
        threads = [threading.Thread(target=write, args=(server, number, until, refused)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        samples = over = most = resident = 0
        while time.monotonic() < until:
            figures = memory(connection)
            samples += 1
            over += figures["used_memory"] > limit
            most = max(most, figures["used_memory"])
            resident = max(resident, figures["used_memory_rss"])
        for thread in threads:
            thread.join()
        stats = connection.command("INFO", "stats").text().decode()
        evicted = next(line for line in stats.splitlines() if line.startswith("evicted_keys:"))
    bound = int(1.15 * limit) + max(10_000_000, start)
    print(f"{samples} samples, {over} above maxmemory; most used {most} of {limit} ({most - limit:+}); "
          f"RSS at start {start}, at most {resident} of {bound}; {evicted}; {len(refused)} refused {refused[:1]}")
    return 1 if over or resident > bound or refused else 0


if __name__ == "__main__":
    sys.exit(main())
