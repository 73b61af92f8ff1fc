"""What the queues of these checks run: functions that a worker can import, their effects seen from outside."""
from __future__ import annotations

import os
import time

import redis


def connection() -> redis.Redis:
    """The server under test; its port is in the environment, because workers are processes of their own."""
    return redis.Redis(port=int(os.environ["APP_PORT"]), decode_responses=False)


def power(base: int, exponent: int) -> int:
    connection().incr("jobs:run")
    return base ** exponent


def total(*parts: int) -> int:
    return sum(parts)


def fails_until(name: str, attempts: int) -> str:
    """Raises until it was called `attempts` times."""
    count = connection().incr(f"jobs:attempts:{name}")
    if count < attempts:
        raise ValueError(f"attempt {count} of {name}")
    return f"{name} after {count}"


def stamp(name: str) -> float:
    now = time.time()
    connection().hset("jobs:stamps", name, now)
    return now
