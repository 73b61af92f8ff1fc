"""Eviction policies as simulations over a workload, to see what an idea is worth before a server has it.

Exact LRU, the plain clock that walks in hash order, S3-FIFO with size penalty and dither, Fog's two generations in
hash order, and Belady's MIN as the bound that no policy passes. Every policy counts the same bytes: the value and
`OVERHEAD` for everything else. Pure: no server, no wall clock, so lifetimes are not simulated.
"""
from __future__ import annotations

import heapq
import random
from collections import OrderedDict, deque

from eviction.workloads import Workload

OVERHEAD = 70
FREQUENCY_MAX = 3
LUCKY_SHARE = 64


def penalty(size: int, mean: float) -> int:
    """How many more uses than one a large key needs."""
    ratio = int(size / mean) if mean else 0
    return min(6, ratio.bit_length() - 1) if ratio > 1 else 0


def lru(workload: Workload, capacity: int) -> float:
    cache: OrderedDict[int, None] = OrderedDict()
    used = hits = 0
    sizes = workload.sizes
    for key in workload.requests:
        if key in cache:
            cache.move_to_end(key)
            hits += 1
            continue
        cache[key] = None
        used += sizes[key] + OVERHEAD
        while used > capacity:
            used -= sizes[cache.popitem(last=False)[0]] + OVERHEAD
    return 100 * hits / len(workload.requests)


def hash_order(count: int) -> list[int]:
    """Keys in the order of their hashes, which says nothing about anything else."""
    order = list(range(count))
    random.Random(7).shuffle(order)
    return order


def clock(workload: Workload, capacity: int) -> float:
    """One hand over hash space; uses up to three are forgiven, one a round."""
    order = hash_order(len(workload.sizes))
    uses: dict[int, int] = {}
    used = hits = hand = 0
    sizes = workload.sizes
    for key in workload.requests:
        level = uses.get(key)
        if level is not None:
            hits += 1
            if level < FREQUENCY_MAX:
                uses[key] = level + 1
            continue
        uses[key] = 0
        used += sizes[key] + OVERHEAD
        while used > capacity:
            other = order[hand]
            hand = (hand + 1) % len(order)
            level = uses.get(other)
            if level == 0:
                del uses[other]
                used -= sizes[other] + OVERHEAD
            elif level:
                uses[other] = level - 1
    return 100 * hits / len(workload.requests)


def s3fifo(workload: Workload, capacity: int, share: float = 0.1) -> float:
    """S3-FIFO, promotion after one use, with size penalty, dither and cold fill."""
    sizes = workload.sizes
    small: deque[int] = deque()
    main: deque[int] = deque()
    ghosts: deque[int] = deque()
    ghost_count: dict[int, int] = {}
    uses: dict[int, int] = {}
    used = small_bytes = hits = unlucky = 0
    is_full = False
    for key in workload.requests:
        level = uses.get(key)
        if level is not None:
            hits += 1
            if level < FREQUENCY_MAX:
                uses[key] = level + 1
            continue
        size = sizes[key] + OVERHEAD
        uses[key] = 0
        used += size
        if ghost_count.get(key):
            main.append(key)
        else:
            small.append(key)
            small_bytes += size
        while not is_full and small_bytes > share * capacity:
            other = small.popleft()
            small_bytes -= sizes[other] + OVERHEAD
            main.append(other)
        while used > capacity:
            is_full = True
            mean = used / len(uses)
            if small_bytes >= share * capacity or not main:
                other = small.popleft()
                size = sizes[other] + OVERHEAD
                small_bytes -= size
                unlucky += uses[other] == 0
                if uses[other] >= 1 + penalty(size, mean) or (uses[other] == 0 and unlucky % LUCKY_SHARE == 0):
                    uses[other] = 0
                    main.append(other)
                    continue
                ghosts.append(other)
                ghost_count[other] = ghost_count.get(other, 0) + 1
                while len(ghosts) > len(uses):
                    ghost_count[ghosts.popleft()] -= 1
            else:
                other = main.popleft()
                size = sizes[other] + OVERHEAD
                wanted = 1 + penalty(size, mean)
                if uses[other] >= wanted:
                    uses[other] -= wanted
                    main.append(other)
                    continue
            del uses[other]
            used -= size
    return 100 * hits / len(workload.requests)


def generations(workload: Workload, capacity: int, share: float = 0.08, ghost_share: float = 0.8) -> float:
    """What Fog does: newcomers carry one of two generations, a sweep in hash order looks for those of the last one, a
    clock in hash order for the rest; only ghosts cost memory."""
    sizes = workload.sizes
    order = hash_order(len(sizes))
    uses: dict[int, int] = {}
    age: dict[int, int] = {}
    ghosts: dict[int, int] = {}
    used = hits = sweep = hand = ghost_clock = unlucky = newcomers = fruitless = 0
    newcomer = 1
    is_on = False
    for key in workload.requests:
        level = uses.get(key)
        if level is not None:
            hits += 1
            if level < FREQUENCY_MAX:
                uses[key] = level + 1
            continue
        size = sizes[key] + OVERHEAD
        used += size
        uses[key] = 0
        is_on = is_on or used > 0.9 * capacity
        age[key] = newcomer if is_on else 0
        newcomers += is_on
        length = max(1.0, share * len(uses))
        while used > capacity:
            mean = used / len(uses)
            if sweep >= len(order) and newcomers >= length:
                sweep = newcomers = 0
                newcomer = 3 - newcomer
            if sweep < len(order) and sweep <= newcomers / length * len(order):
                other = order[sweep]
                sweep += 1
                if other not in uses or age[other] != 3 - newcomer:
                    continue
                size = sizes[other] + OVERHEAD
                seen = ghosts.get(other)
                came_back = seen is not None and ghost_clock - seen < ghost_share * len(uses)
                if uses[other] >= 1 + penalty(size, mean) or came_back:
                    age[other] = 0
                    uses[other] = 1
                    continue
                unlucky += uses[other] == 0
                if uses[other] == 0 and unlucky % LUCKY_SHARE == 0:
                    age[other] = 0
                    continue
                ghost_clock += 1
                ghosts[other] = ghost_clock
            else:
                other = order[hand]
                hand = (hand + 1) % len(order)
                fruitless += 1
                if other not in uses or (age[other] and fruitless <= len(order)):
                    continue
                size = sizes[other] + OVERHEAD
                wanted = 1 + penalty(size, mean)
                if uses[other] >= wanted:
                    uses[other] -= wanted
                    continue
                fruitless = 0
            del uses[other], age[other]
            used -= size
    return 100 * hits / len(workload.requests)


def minimum(workload: Workload, capacity: int) -> float:
    """Belady: what is asked for latest goes first. With sizes that differ it is a close estimate, not the bound."""
    requests, sizes = workload.requests, workload.sizes
    never = len(requests)
    following = [never] * len(requests)
    last: dict[int, int] = {}
    for index in range(len(requests) - 1, -1, -1):
        following[index] = last.get(requests[index], never)
        last[requests[index]] = index
    due: dict[int, int] = {}
    heap: list[tuple[int, int]] = []
    used = hits = 0
    for index, key in enumerate(requests):
        if key in due:
            hits += 1
        else:
            used += sizes[key] + OVERHEAD
        due[key] = following[index]
        heapq.heappush(heap, (-following[index], key))
        while used > capacity:
            at, other = heapq.heappop(heap)
            if due.get(other) == -at:
                del due[other]
                used -= sizes[other] + OVERHEAD
    return 100 * hits / len(requests)


POLICIES = {"MIN": minimum, "LRU": lru, "clock": clock, "S3-FIFO-SD": s3fifo, "generations": generations}
