"""Streams of keys that a cache is judged by, made from a seed: which key is asked for, in which order.

Eight shapes: Zipf at three exponents, a scan through keys never seen again, a hot set that moves, a loop over ten
times what fits, sizes that differ widely, and keys that expire. Every number comes from `random.Random(seed)`,
so a run is repeatable to the byte. Recorded traces of others (web, block and CDN traces) are not here: they may not be
passed on. Pure: no server, no clock.
"""
from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

KEYS = 100_000
REQUESTS = 1_000_000
MEDIAN_BYTES = 420
SPREAD = 0.7
BYTES_MIN, BYTES_MAX = 64, 4096
NAMES = ["zipf0.8", "zipf1.0", "zipf1.2", "scan", "shift", "loop", "size", "ttl"]


@dataclass
class Workload:
    """Requests (key numbers), the size of each key's value, and how long it lives (seconds; 0: for ever)."""

    name: str
    requests: array
    sizes: array
    lifetime_seconds: array | None
    data_keys: int


class Zipf:
    """Ranks 0..count-1 by Zipf's law."""

    def __init__(self, count: int, exponent: float, generator: random.Random) -> None:
        weights = list(accumulate((rank + 1) ** -exponent for rank in range(count)))
        self.sums = [weight / weights[-1] for weight in weights]
        self.generator = generator

    def draw(self) -> int:
        return min(bisect_left(self.sums, self.generator.random()), len(self.sums) - 1)


def json_sizes(count: int, generator: random.Random) -> array:
    """Sizes as JSON objects have them: log-normal, 64 B to 4 KiB, 520 B on average."""
    draw = generator.normalvariate
    centre = math.log(MEDIAN_BYTES)
    return array("I", (int(min(BYTES_MAX, max(BYTES_MIN, math.exp(draw(centre, SPREAD))))) for _ in range(count)))


def make(name: str, keys: int = KEYS, requests: int = REQUESTS, seed: int = 42) -> Workload:
    """The workload of that name."""
    generator = random.Random(f"{name}/{seed}")
    lifetimes = None
    total = keys
    if name.startswith("zipf"):
        zipf = Zipf(keys, float(name[4:]), generator)
        stream = array("I", (zipf.draw() for _ in range(requests)))
    elif name == "scan":
        # A quarter of all requests walks through keys that nobody asks for again, in stretches between the others.
        zipf = Zipf(keys, 1.0, generator)
        stream = array("I")
        while len(stream) < requests:
            stream.extend(zipf.draw() for _ in range(keys // 5))
            stream.extend(range(total, total + keys // 15))
            total += keys // 15
        stream = stream[:requests]
    elif name == "shift":
        # Ten times during the run other keys become the popular ones.
        zipf = Zipf(keys, 1.0, generator)
        stream = array("I")
        for _ in range(10):
            offset = generator.randrange(keys)
            stream.extend((zipf.draw() + offset) % keys for _ in range(requests // 10))
    elif name == "loop":
        stream = array("I", (index % keys for index in range(requests)))
    elif name in ("size", "ttl"):
        zipf = Zipf(keys, 1.0, generator)
        stream = array("I", (zipf.draw() for _ in range(requests)))
    else:
        raise SystemExit(f"no workload {name!r}; there are {', '.join(NAMES)}")
    sizes = json_sizes(total, generator)
    if name == "size":
        # 64 B to 4 KiB, every order of magnitude as frequent as the next, whatever a key's popularity.
        sizes = array("I", (int(64 * 64 ** generator.random()) for _ in range(total)))
    if name == "ttl":
        # Four of five keys live one to eight seconds of a run of about twenty.
        lifetimes = array("I", (generator.choice((0, 1, 2, 4, 8)) for _ in range(total)))
    return Workload(name, stream, sizes, lifetimes, keys)


class Values:
    """The values of a workload, made when they are first needed; those of a scan are not kept."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.kept: dict[int, bytes] = {}

    def __getitem__(self, key: int) -> bytes:
        found = self.kept.get(key)
        if found is None:
            found = value(key, self.workload.sizes[key])
            if key < self.workload.data_keys:
                self.kept[key] = found
        return found


WORDS = (b"active pending amber basket carbon delta ember falcon garnet harbor indigo jasper kernel lagoon marble "
         b"nickel onyx pepper quartz ribbon saffron timber umber velvet walnut yellow zephyr anchor beacon").split()


def value(key: int, size: int) -> bytes:
    """A JSON object of exactly `size` bytes, the same for a key every time: fields of a record, an id, a time, a score
    and words, so that a dictionary halves it with LZ4 and makes a third of it with Zstd."""
    mixed = (key * 0x9E3779B97F4A7C15 + 0x7F4A7C15) & 0xFFFFFFFFFFFFFFFF

    def draw(below: int) -> int:
        nonlocal mixed
        mixed = (mixed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (mixed >> 33) % below

    parts = [b'{"id":%d,"uuid":"%016x","status":"%s"' % (key, mixed, WORDS[draw(4)])]
    length = len(parts[0]) + 1
    while length < size:
        part = (b',"created_at":"2026-%02d-%02dT%02d:00:00Z","score":%d,"owner":"%s.%s@example.com","region":"%s",'
                b'"note":"%s %s %s"' % (1 + draw(12), 1 + draw(28), draw(24), draw(10_000),
                                        *(WORDS[draw(len(WORDS))] for _ in range(6))))
        parts.append(part)
        length += len(part)
    return (b"".join(parts)[: size - 1] + b"}") if size > 1 else b"}"
