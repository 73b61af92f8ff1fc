"""A worker pool over FOG.TASK: priorities, leases, retries, dead letters, limits (rows TQ-01 to TQ-09, TQ-11)."""
from __future__ import annotations

import threading
import time
from typing import Any

from support import Client, another, equal, eventually, expect, has, pairs, refused


class TaskQueue:
    """One queue, as producers and workers use it."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name

    def enqueue(self, payload: str, *options: str | int) -> str:
        return self.client.execute_command("FOG.TASK", "ENQUEUE", self.name, payload, *options)

    def claim(self, worker: str, count: int = 1, lease_ms: int = 30_000, block_ms: int | None = None) -> list[Any]:
        options: list[str | int] = ["COUNT", count, "LEASE", lease_ms]
        if block_ms is not None:
            options += ["BLOCK", block_ms]
        reply = self.client.execute_command("FOG.TASK", "CLAIM", self.name, worker, *options)
        return [pairs(task) for task in reply or []]

    def acknowledge(self, task: str, worker: str, result: str = "ok") -> None:
        self.client.execute_command("FOG.TASK", "ACK", task, worker, "RESULT", result)

    def fail(self, task: str, worker: str, *options: str | int) -> str:
        return self.client.execute_command("FOG.TASK", "FAIL", task, worker, *options)

    def stats(self) -> dict[str, Any]:
        stats = pairs(self.client.execute_command("FOG.TASK", "STATS", self.name))
        stats["queued"] = pairs(stats["queued"])
        return stats


def get(client: Client, task: str) -> dict[str, Any]:
    return pairs(client.execute_command("FOG.TASK", "GET", task))


def priorities(client: Client) -> None:
    """TQ-03: what is urgent leaves first, whatever came first; TQ-11: four names."""
    queue = TaskQueue(client, "priorities")
    for priority in ["low", "normal", "high", "critical"]:
        queue.enqueue(priority, "PRIORITY", priority)
    order = [task["payload"] for task in queue.claim("w", count=4)]
    equal(order, ["critical", "high", "normal", "low"], "order of service")


def ageing(client: Client) -> None:
    """TQ-04: under steady urgent load a low task leaves within the bound of ageing."""
    client.config_set("fog-task-aging-ms", 50)
    queue = TaskQueue(client, "ageing")
    queue.enqueue("patient", "PRIORITY", "low")
    began = time.monotonic()
    served = ""
    while served != "patient" and time.monotonic() - began < 2:
        queue.enqueue("urgent", "PRIORITY", "high")
        served = queue.claim("w")[0]["payload"]
        time.sleep(0.005)
    equal(served, "patient", "the low task under load")
    expect(time.monotonic() - began < 1, "it waited longer than two priorities of 50 ms and some patience")
    client.config_set("fog-task-aging-ms", 60_000)


def lifecycle(client: Client) -> None:
    """TQ-09: queued, running, failed, running, done; and dead when no attempt is left."""
    queue = TaskQueue(client, "lifecycle")
    task = queue.enqueue("x", "MAXRETRY", 1)
    equal(get(client, task)["status"], "queued", "status of a new task")
    equal(queue.claim("w")[0]["id"], task, "the claimed task")
    equal(get(client, task)["status"], "running", "status under a lease")
    equal(queue.fail(task, "w", "REASON", "oops", "RETRYIN", 0), "failed", "first failure")
    equal(get(client, task)["reason"], "oops", "the reason")
    again = queue.claim("w")[0]
    equal((again["id"], int(again["attempt"])), (task, 2), "the second attempt")
    equal(queue.fail(task, "w"), "dead", "second failure")
    equal(get(client, task)["status"], "dead", "status without attempts")
    other = queue.enqueue("y")
    queue.claim("w")
    queue.acknowledge(other, "w", "42")
    done = get(client, other)
    equal((done["status"], done["result"]), ("done", "42"), "a finished task")
    refused("NOLEASE", lambda: queue.acknowledge(other, "w"))
    refused("NOTASK", lambda: queue.acknowledge("nobody", "w"))


def dead_worker(client: Client) -> None:
    """TQ-07: the task of a worker that vanished is claimable again after its lease."""
    queue = TaskQueue(client, "vanished")
    task = queue.enqueue("x")
    queue.claim("gone", lease_ms=100)
    equal(queue.claim("other"), [], "claims while the lease lasts")
    found = queue.claim("other", block_ms=3000)
    equal([item["id"] for item in found], [task], "the task of the worker that vanished")
    refused("NOLEASE", lambda: queue.acknowledge(task, "gone"))
    queue.acknowledge(task, "other")


def concurrency(client: Client) -> None:
    """TQ-06: eight workers, a limit of four: never more than four leases."""
    queue = TaskQueue(client, "limited")
    client.execute_command("FOG.TASK", "CONCURRENCY", queue.name, 4)
    for index in range(80):
        queue.enqueue(str(index))
    most = 0
    lock = threading.Lock()
    active = 0
    done: list[str] = []

    def work(worker: str) -> None:
        nonlocal active, most
        with another(client) as own:
            mine = TaskQueue(own, queue.name)
            while True:
                tasks = mine.claim(worker, block_ms=300)
                if not tasks:
                    return
                with lock:
                    active += 1
                    most = max(most, active)
                time.sleep(0.003)
                with lock:
                    active -= 1
                    done.append(tasks[0]["payload"])
                mine.acknowledge(tasks[0]["id"], worker)

    threads = [threading.Thread(target=work, args=(f"w{index}",)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(most <= 4, f"{most} leases at a time")
    equal(sorted(done, key=int), [str(index) for index in range(80)], "tasks done, each once")


def assignments(client: Client) -> None:
    """TQ-01, TQ-02: assignments to nodes; LIST equals a filter of all records."""
    refused("NONODE", lambda: client.execute_command("FOG.TASK", "ASSIGN", "t", "no-such-node"))
    jobs = ["6f1c0b6e-0d4c-4a52-9f7b-0d8f2d1f0a01", "6f1c0b6e-0d4c-4a52-9f7b-0d8f2d1f0a02"]
    for node in ["node-a", "node-b", "node-c"]:
        client.execute_command("FOG.NODE", "REGISTER", node)
    statuses = ["assigned", "running", "done", "failed"]
    for index in range(60):
        client.execute_command(
            "FOG.TASK", "ASSIGN", f"assigned-{index}", f"node-{'abc'[index % 3]}", "JOB", jobs[index % 2],
            "STATUS", statuses[index % 4])
    records = {key[len("fog:task:"):]: client.hgetall(key) for key in client.scan_iter("fog:task:assigned-*")}
    for status in [None, *statuses]:
        for node in [None, "node-a", "node-b"]:
            for job in [None, *jobs]:
                wanted = {name for name, record in records.items()
                          if (status is None or record["status"] == status)
                          and (node is None or record.get("node") == node)
                          and (job is None or record.get("job") == job)}
                words: list[str] = []
                for option, value in [("STATUS", status), ("NODE", node), ("JOB", job)]:
                    words += [option, value] if value else []
                found = set(client.execute_command("FOG.TASK", "LIST", *words))
                if status is None and node is None and job is None:
                    found = {name for name in found if name.startswith("assigned-")}
                elif status is not None and node is None and job is None:
                    found = {name for name in found if name.startswith("assigned-")}
                equal(found, wanted, f"LIST {' '.join(words)}")


def statistics(client: Client) -> None:
    """TQ-08: counts match a scripted run."""
    queue = TaskQueue(client, "counted")
    for index in range(10):
        queue.enqueue(str(index), "PRIORITY", ["high", "normal"][index % 2], "MAXRETRY", 0)
    for task in queue.claim("w1", count=4):
        queue.acknowledge(task["id"], "w1")
    for task in queue.claim("w2", count=2):
        queue.fail(task["id"], "w2")
    queue.claim("w3")
    stats = queue.stats()
    equal(sum(int(count) for count in stats["queued"].values()), 3, "queued")
    equal({name: int(stats[name]) for name in ["leased", "done", "failed", "dead", "workers"]},
          {"leased": 1, "done": 4, "failed": 2, "dead": 2, "workers": 1}, "counts")


def unique(client: Client) -> None:
    """TQ-03: UNIQUE answers the task that is there already; DELAY keeps one back."""
    queue = TaskQueue(client, "unique")
    first = queue.enqueue("same", "UNIQUE")
    equal(queue.enqueue("same", "UNIQUE"), first, "the second of its kind")
    queue.enqueue("later", "DELAY", 80, "PRIORITY", "critical")
    equal([task["payload"] for task in queue.claim("w", count=2)], ["same"], "claims before the delay is over")
    eventually(lambda: [task["payload"] for task in queue.claim("w")] == ["later"], 2, "the delayed task")


def run(client: Client) -> str:
    for part in [priorities, ageing, lifecycle, dead_worker, concurrency, unique, statistics]:
        part(client)
    if has(client, "FOG.NODE"):
        assignments(client)
    return "priorities, ageing, leases, retries, limits, assignments, statistics"
