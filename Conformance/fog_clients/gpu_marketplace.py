"""The GPU marketplace of seed 004 over FOG.GPU, PRICE, BOOK, ORDERBOOK, MARKET and PROVIDER (rows GM-01 to GM-14, GM-16)."""
from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import Any

import redis

from support import Client, Events, another, equal, eventually, expect, pairs, refused

SUPPLY = ["GPU_AVAILABILITY_CHANGED", "PRICING_UPDATED", "ORDER_BOOK_UPDATED", "MARKET_STATS_UPDATED"]


@dataclass
class BookingInfo:
    booking_id: str
    gpu_id: str
    user_id: str


class GPUMarketplaceCacheManager:
    """The seed's manager, as a thin layer over the commands."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_gpu_availability(self, region: str, gpu_type: str, *options: str | int) -> list[dict[str, Any]]:
        reply = self.client.execute_command("FOG.GPU", "AVAIL", "REGION", region, "TYPE", gpu_type, *options)
        return [pairs(gpu) for gpu in reply]

    def update_gpu_status(self, gpu: str, status: str) -> str:
        return self.client.execute_command("FOG.GPU", "STATUS", gpu, status)

    def update_gpu_pricing(self, gpu_type: str, price: float, region: str) -> float | None:
        old = self.client.execute_command("FOG.PRICE", "SET", gpu_type, region, price)
        return None if old is None else float(old)

    def create_booking(self, info: BookingInfo, *options: str | int) -> dict[str, Any]:
        return pairs(self.client.execute_command(
            "FOG.BOOK", "CREATE", info.booking_id, info.gpu_id, info.user_id, *options))

    def cancel_booking(self, booking: str, gpu: str) -> None:
        self.client.execute_command("FOG.BOOK", "CANCEL", booking, gpu)

    def update_provider_status(self, provider: str, status: str) -> int:
        return self.client.execute_command("FOG.PROVIDER", "STATUS", provider, status)

    def stats(self, *options: str) -> dict[str, Any]:
        return pairs(self.client.execute_command("FOG.MARKET", "STATS", *options))


def offer(client: Client, gpu: str, **fields: str | float) -> None:
    words: list[str | float] = []
    for name, value in fields.items():
        words += [name.upper(), value]
    equal(client.execute_command("FOG.GPU", "SET", gpu, *words), "OK", f"SET {gpu}")


def flow(client: Client) -> None:
    """GM-01 to 04, 07 to 09: the seed's usage examples with its sample values."""
    market = GPUMarketplaceCacheManager(client)
    offer(client, "gpu_123", type="RTX 3080", region="us-east", provider="provider_789", price=0.15, perf=30, mem=10)
    record = client.hgetall("fog:gpu:gpu_123")
    equal((record["type"], record["region"], record["price"]), ("RTX 3080", "us-east", "0.15"), "the record")
    found = market.get_gpu_availability("us-east", "RTX 3080")
    equal([(gpu["gpu"], float(gpu["price"])) for gpu in found], [("gpu_123", 0.15)], "availability")
    equal(market.update_gpu_pricing("RTX 3080", 0.15, "us-east"), None, "the first price")
    equal(market.update_gpu_pricing("RTX 3080", 0.18, "us-east"), 0.15, "the price before")
    equal(float(market.get_gpu_availability("us-east", "RTX 3080")[0]["price"]), 0.18, "the new price everywhere")
    equal(market.update_gpu_status("gpu_123", "busy"), "available", "the status before")
    equal(market.get_gpu_availability("us-east", "RTX 3080"), [], "a busy GPU")
    equal(market.update_gpu_status("gpu_123", "available"), "busy", "and back")
    events = Events(client)
    booked = market.create_booking(BookingInfo("booking_123", "gpu_123", "user_456"))
    equal([event["type"] for event in events.take(5)], [*SUPPLY, "BOOKING_CREATED"], "events of a booking")
    equal((booked["gpu"], float(booked["price"]), booked["events"]),
          ("gpu_123", 0.18, [*SUPPLY, "BOOKING_CREATED"]), "the booking")
    refused("BUSY", lambda: market.create_booking(BookingInfo("booking_124", "gpu_123", "user_1")))
    market.cancel_booking("booking_123", "gpu_123")
    equal([event["type"] for event in events.take(5)], [*SUPPLY, "BOOKING_CANCELLED"], "events of a cancellation")
    equal(len(market.get_gpu_availability("us-east", "RTX 3080")), 1, "available again")
    events.close()


def one_wins(client: Client) -> None:
    """GM-07: of 100 parallel bookings of one GPU exactly one succeeds."""
    offer(client, "wanted", type="A100", region="eu")
    outcomes: list[str] = []
    barrier = threading.Barrier(100)

    def book(index: int) -> None:
        with another(client) as own:
            own.ping()
            barrier.wait()
            try:
                own.execute_command("FOG.BOOK", "CREATE", f"race-{index}", "wanted", f"user-{index}")
                outcomes.append("won")
            except redis.ResponseError as error:
                outcomes.append(str(error).split()[0])

    threads = [threading.Thread(target=book, args=(index,)) for index in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal((outcomes.count("won"), outcomes.count("BUSY")), (1, 99), "of 100 bookings")


def demand(client: Client) -> None:
    """GM-05: eight of ten booked raise the price by the formula; GM-16: the history knows."""
    client.config_set("fog-price-elasticity", "0.5")
    for index in range(10):
        offer(client, f"demand-{index}", type="H100", region="us-west")
    client.execute_command("FOG.PRICE", "SET", "H100", "us-west", "2", "REASON", "launch")
    for index in range(8):
        client.execute_command("FOG.BOOK", "CREATE", f"demand-booking-{index}", f"demand-{index}", "u")
    equal(float(client.execute_command("FOG.PRICE", "GET", "H100", "us-west")), 2 * (1 + 0.5 * 8 / 10), "the price")
    explained = pairs(client.execute_command("FOG.PRICE", "EXPLAIN", "H100", "us-west"))
    equal((float(explained["base"]), int(explained["used"]), int(explained["total"]), float(explained["factor"])),
          (2.0, 8, 10, 1.4), "its explanation")
    history = [pairs(entry) for entry in client.execute_command("FOG.PRICE", "HISTORY", "H100", "us-west")]
    equal(len(history), 9, "changes in the history")
    equal((history[0]["reason"], float(history[-1]["price"])), ("launch", 2.8), "its ends")
    client.config_set("fog-price-elasticity", "0")


def ranking(client: Client) -> None:
    """GM-06: the order of RANK is that of ZREVRANGE by score."""
    for index in range(50):
        performance = random.randint(1, 10**6) / 100
        offer(client, f"rank-{index}", type="ranked", region="r", perf=performance, price=random.randint(1, 999) / 100)
        client.zadd("ranking", {f"rank-{index}": performance})
    found = [pairs(gpu)["gpu"] for gpu in client.execute_command(
        "FOG.GPU", "RANK", "TYPE", "ranked", "BY", "PERF", "LIMIT", 20)]
    equal(found, client.zrevrange("ranking", 0, 19), "the twenty fastest")


def lifecycle(client: Client) -> None:
    """GM-10: a booking ends by itself when its END passes."""
    offer(client, "timed", type="T4", region="eu")
    end = int(time.time() * 1000) + 200
    client.execute_command("FOG.BOOK", "CREATE", "timed-booking", "timed", "user_456", "END", end)
    equal(len(client.execute_command("FOG.BOOK", "LIST", "USER", "user_456", "STATUS", "active")), 1, "active")
    eventually(lambda: client.hget("fog:booking:timed-booking", "status") == "completed", 3, "the booking's end")
    eventually(lambda: client.hget("fog:gpu:timed", "status") == "available", 3, "the GPU's return")


def order_book(client: Client) -> None:
    """GM-11: price before time; crossing orders trade, so the book is never crossed."""
    add = ("FOG.ORDERBOOK", "ADD")
    for name, price in [("a1", "1.20"), ("a2", "1.10"), ("a3", "1.10")]:
        client.execute_command(*add, "ask", name, "A100", "us", price, 10, "seller")
    client.execute_command(*add, "bid", "b1", "A100", "us", "1.00", 5, "buyer")
    top = pairs(client.execute_command("FOG.ORDERBOOK", "TOP", "A100", "us"))
    equal((float(top["bid"]), float(top["ask"])), (1.0, 1.1), "the top")
    traded = pairs(client.execute_command(*add, "bid", "b2", "A100", "us", "1.15", 25, "buyer"))
    trades = [pairs(trade) for trade in traded["trades"]]
    equal([(trade["id"], int(trade["qty"]), float(trade["price"])) for trade in trades],
          [("a2", 10, 1.1), ("a3", 10, 1.1)], "the trades, oldest first")
    equal(int(traded["remaining"]), 5, "what rests")
    book = pairs(client.execute_command("FOG.ORDERBOOK", "GET", "A100", "us"))
    equal([float(pairs(level)["price"]) for level in book["bids"]], [1.15, 1.0], "bids")
    equal([float(pairs(level)["price"]) for level in book["asks"]], [1.2], "asks")
    equal(client.execute_command("FOG.ORDERBOOK", "CANCEL", "b2"), 5, "units taken back")


def providers(client: Client) -> None:
    """GM-13, GM-14: a provider in maintenance takes its GPUs along and brings them back."""
    for index in range(5):
        offer(client, f"fleet-{index}", type="L4", region="ap", provider="fleet")
    client.execute_command("FOG.ORDERBOOK", "ADD", "ask", "fleet-ask", "L4", "ap", "1", 5, "fleet")
    market = GPUMarketplaceCacheManager(client)
    equal(market.update_provider_status("fleet", "maintenance"), 5, "GPUs that changed")
    equal(market.get_gpu_availability("ap", "L4"), [], "availability in maintenance")
    equal(client.hget("fog:gpu:fleet-0", "status"), "maintenance", "the record")
    equal(pairs(client.execute_command("FOG.ORDERBOOK", "TOP", "L4", "ap"))["ask"], None, "the provider's asks")
    equal(market.update_provider_status("fleet", "online"), 5, "GPUs that came back")
    provider = pairs(client.execute_command("FOG.PROVIDER", "GET", "fleet"))
    equal((provider["status"], int(provider["available"]), len(provider["gpus"])), ("online", 5, 5), "the provider")


def recount(client: Client) -> None:
    """GM-12: statistics equal a recount from the records, after plain DEL and HSET as well."""
    client.delete("fog:gpu:rank-0", "fog:gpu:rank-1")
    client.hset("fog:gpu:rank-2", mapping={"status": "offline"})
    records = [client.hgetall(key) for key in client.scan_iter("fog:gpu:*", count=1000)]
    stats = GPUMarketplaceCacheManager(client).stats()
    for name, statuses in [("available", ["available"]), ("busy", ["busy"]), ("offline", ["offline", "maintenance"])]:
        equal(int(stats[name]), sum(record["status"] in statuses for record in records), name)
    equal(int(stats["total"]), len(records), "total")
    ranked = [float(record["price"]) for record in records if record["type"] == "ranked"]
    stats = GPUMarketplaceCacheManager(client).stats("TYPE", "ranked")
    equal((float(stats["min_price"]), float(stats["max_price"])), (min(ranked), max(ranked)), "the price's ends")
    expect(abs(float(stats["avg_price"]) - sum(ranked) / len(ranked)) < 1e-5, "the mean price")
    bookings = [client.hgetall(key) for key in client.scan_iter("fog:booking:*", count=1000)]
    equal(int(GPUMarketplaceCacheManager(client).stats()["bookings_24h"]), len(bookings), "bookings of the day")


def run(client: Client) -> str:
    for part in [flow, one_wins, demand, ranking, lifecycle, order_book, providers, recount]:
        part(client)
    return "availability, pricing, 1 of 100 bookings, ranking, order book, providers, recount"
