"""Redlock over three servers: mutual exclusion under contention, expiry, a majority of the servers."""
from __future__ import annotations

import sys
import threading
import time

import redis

from redlock import Redlock

PORTS = [int(port) for port in sys.argv[1:4]]
SERVERS = [{"host": "127.0.0.1", "port": port, "db": 0} for port in PORTS]


def main() -> None:
    inside, most, rounds = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, rounds
        manager = Redlock(SERVERS, retry_count=2000, retry_delay=0.005)
        for _ in range(15):
            lock = manager.lock("resource", 5000)
            assert lock, "no lock"
            inside += 1
            most = max(most, inside)
            time.sleep(0.001)
            inside -= 1
            rounds += 1
            manager.unlock(lock)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert rounds == 75 and most == 1, (rounds, most)
    manager = Redlock(SERVERS, retry_count=1)
    lock = manager.lock("short", 200)
    assert lock and not manager.lock("short", 200)
    time.sleep(0.25)
    again = manager.lock("short", 2000)
    assert again, "a lock that ran out is still held"
    # The old key must not free the new lock.
    manager.unlock(lock)
    assert all(redis.Redis(port=port).exists("short") for port in PORTS)
    manager.unlock(again)
    # Somebody else holds one of three: two are a majority. Of two they are not.
    redis.Redis(port=PORTS[2]).set("majority", "foreign", px=4000)
    lock = manager.lock("majority", 4000)
    assert lock and redis.Redis(port=PORTS[0]).get("majority") == redis.Redis(port=PORTS[1]).get("majority")
    manager.unlock(lock)
    redis.Redis(port=PORTS[1]).set("majority", "foreign", px=4000)
    assert not manager.lock("majority", 4000) and not redis.Redis(port=PORTS[0]).exists("majority")
    print("75 turns with one holder each, expiry, foreign unlock refused, a majority of two")


if __name__ == "__main__":
    main()
