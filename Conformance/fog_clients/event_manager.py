"""The event-driven cache manager of seed 004 over FOG.EVENT (rows EV-01 to EV-04, EV-07 to EV-09, EV-11 to EV-13)."""
from __future__ import annotations

import json
import time
from typing import Any

import redis

from support import Client, Events, another, equal, expect, pairs, refused

TYPES = ["GPU_AVAILABILITY_CHANGED", "PRICING_UPDATED", "BOOKING_CREATED", "BOOKING_CANCELLED",
         "PROVIDER_STATUS_CHANGED", "MARKET_STATS_UPDATED", "ORDER_BOOK_UPDATED", "MANUAL_INVALIDATION"]
MEMBERS = ["id", "type", "resource", "keys", "data", "source_node", "region", "priority", "ts_us", "seq", "epoch"]


class EventDrivenCacheManager:
    """The seed's manager, as a thin layer over the commands."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def publish(self, kind: str, resource: str, *options: Any, data: Any = None, keys: tuple[str, ...] = ()) -> dict[str, Any]:
        words: list[Any] = ["FOG.EVENT", "PUBLISH", kind, resource, *options]
        if data is not None:
            words += ["DATA", json.dumps(data)]
        if keys:
            words += ["KEYS", *keys]
        return pairs(self.client.execute_command(*words))

    def replay(self, sequence: int) -> dict[str, Any]:
        reply = pairs(self.client.execute_command("FOG.EVENT", "REPLAY", "FROM", sequence))
        reply["events"] = [json.loads(text) for text in reply["events"]]
        return reply

    def stats(self) -> dict[str, Any]:
        return pairs(self.client.execute_command("FOG.STATS", "EVENTS"))


def messages(manager: EventDrivenCacheManager, client: Client) -> None:
    known = client.execute_command("FOG.EVENT", "TYPES")
    expect(set(TYPES) <= set(known), "FOG.EVENT TYPES has the seed's eight")
    events = Events(client)
    for kind in TYPES[:-1]:
        reply = manager.publish(kind, "RTX 3080", "PRIORITY", "high", data={"price": 0.18, "text": "\"ü\"\n"})
        equal(reply["receivers"], 1, f"receivers of {kind}")
    received = events.take(len(TYPES) - 1)
    equal([event["type"] for event in received], TYPES[:-1], "every type arrives, in order")
    for event in received:
        equal(list(event), MEMBERS, "members of the payload")
        equal(event["data"], {"price": 0.18, "text": "\"ü\"\n"}, "the data as it was given")
        expect(abs(event["ts_us"] / 1e6 - time.time()) < 5, "the time is now")
    equal([event["seq"] for event in received],
          list(range(received[0]["seq"], received[0]["seq"] + len(received))), "numbers without a gap")
    client.set("cached", "x")
    client.execute_command("FOG.INVALIDATE", "KEY", "cached")
    equal(events.take(1)[0]["type"], "MANUAL_INVALIDATION", "FOG.INVALIDATE is told")
    refused("DATA", lambda: client.execute_command("FOG.EVENT", "PUBLISH", "T", "r", "DATA", "{"))


def invalidation(manager: EventDrivenCacheManager, client: Client) -> None:
    client.mset({"gpu:1": "x", "gpu:2": "x"})
    reply = manager.publish("GPU_AVAILABILITY_CHANGED", "gpu_123", keys=("gpu:1", "gpu:2", "gpu:3"))
    equal(reply["invalidated"], 2, "keys that were there")
    equal(client.exists("gpu:1", "gpu:2"), 0, "they are gone")
    before = manager.stats()["deduped"]
    first = manager.publish("T", "r", "DEDUP", "once")
    second = manager.publish("T", "r", "DEDUP", "once")
    equal([first["id"], second["id"], second["receivers"]], ["once", "once", 0], "a second event of one name")
    equal(manager.stats()["deduped"], before + 1, "it is counted")


def log(manager: EventDrivenCacheManager) -> None:
    start = manager.stats()["next_seq"]
    for index in range(50):
        manager.publish("T", f"r{index}")
    reply = manager.replay(start)
    equal([event["resource"] for event in reply["events"]], [f"r{index}" for index in range(50)], "what was missed")
    equal([reply["next"], reply["lost"]], [start + 50, 0], "where to go on")


def priorities(manager: EventDrivenCacheManager, client: Client) -> int:
    """A critical event behind 10,000 low ones of one transaction; the place it arrives at."""
    events = Events(client)
    pipeline = another(client).pipeline(transaction=True)
    for index in range(10_000):
        pipeline.execute_command("FOG.EVENT", "PUBLISH", "BULK", f"r{index}", "PRIORITY", "low")
    pipeline.execute_command("FOG.EVENT", "PUBLISH", "ALARM", "now", "PRIORITY", "critical")
    pipeline.execute()
    received = events.take(10_001, seconds=20)
    equal(len(received), 10_001, "all arrive")
    place = next(index for index, event in enumerate(received) if event["type"] == "ALARM")
    expect(place < 10_000, "the critical one overtakes")
    equal([event["resource"] for event in received if event["type"] == "BULK"],
          [f"r{index}" for index in range(10_000)], "the low ones keep their order")
    return place


def statistics(manager: EventDrivenCacheManager, client: Client) -> None:
    found = manager.stats()
    for name in ("event_queue_size", "last_event_age", "events_processed", "invalidations", "pubsub_active", "deduped"):
        expect(name in found, f"FOG.STATS EVENTS has {name}")
    expect(0 <= float(found["last_event_age"]) < 30, "the last event was just now")
    health = pairs(client.execute_command("FOG.HEALTH"))
    equal(health["status"], "healthy", "FOG.HEALTH")
    counts = pairs(health["cache_stats"])
    equal(counts["events_processed"], found["events_processed"], "FOG.HEALTH and FOG.STATS agree")
    for name in ("cache_hits", "cache_misses", "invalidations", "l1_cache_size", "redis_memory_used_mb"):
        expect(name in counts, f"FOG.HEALTH has {name}")


def run(client: redis.Redis) -> str:
    manager = EventDrivenCacheManager(client)
    messages(manager, client)
    invalidation(manager, client)
    log(manager)
    place = priorities(manager, client)
    statistics(manager, client)
    return f"types, payload, dedup, replay; a critical event arrived at place {place} behind 10,000 low ones"
