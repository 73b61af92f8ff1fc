"""BullMQ, whose queues live in long Lua scripts: 100 jobs, retries with backoff, delays, priorities, a flow of parents
and children, counts and removal."""
from __future__ import annotations

import asyncio
import sys
import time

from bullmq import FlowProducer, Queue, Worker

OPTIONS = {"connection": f"redis://127.0.0.1:{sys.argv[1]}"}
done: list[object] = []
attempts: list[int] = []
stamps: dict[str, float] = {}


async def process(job: object, token: str) -> object:
    name, data = job.name, job.data  # type: ignore[attr-defined]
    if name == "stubborn":
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("not yet")
    if name == "hopeless":
        raise ValueError("never")
    if name == "late":
        stamps["late"] = time.time()
    if name == "parent":
        children = await job.getChildrenValues()  # type: ignore[attr-defined]
        return sum(children.values())
    done.append(data.get("n"))
    return data.get("n", 0) * 2


async def until(condition: object, what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


async def main() -> None:
    queue = Queue("work", OPTIONS)
    jobs = [await queue.add("double", {"n": number}, {}) for number in range(100)]
    started = time.time()
    await queue.add("stubborn", {"n": 1000}, {"attempts": 5, "backoff": 50})
    await queue.add("hopeless", {"n": 1001}, {"attempts": 1})
    await queue.add("late", {"n": 1002}, {"delay": 1000})
    counts = await queue.getJobCounts("wait", "delayed", "active")
    assert counts["wait"] == 102 and counts["delayed"] == 1, counts
    worker = Worker("work", process, {**OPTIONS, "concurrency": 5})
    worker.on("error", lambda problem, job: print("BullMQ:", repr(problem), file=sys.stderr))
    queued = {"completed": 102, "failed": 1, "wait": 0, "delayed": 0, "active": 0}

    async def settled() -> bool:
        return await queue.getJobCounts(*queued) == queued

    try:
        await until(settled, "the queue does not settle")
    except AssertionError:
        raise AssertionError(f"the queue does not settle: {await queue.getJobCounts(*queued)}") from None
    assert sorted(number for number in done if number < 1000) == list(range(100))
    assert len(attempts) == 3 and stamps["late"] >= started + 0.9
    assert len({job.id for job in jobs}) == 100
    await worker.close()
    ranked = Queue("ranked", OPTIONS)
    for number in (5, 1, 9, 3):
        await ranked.add("double", {"n": number}, {"priority": number})
    done.clear()
    worker = Worker("ranked", process, {**OPTIONS, "concurrency": 1})

    async def ranked_done() -> bool:
        return len(done) == 4

    await until(ranked_done, f"ranked jobs: {done}")
    assert done == [1, 3, 5, 9], done
    await worker.close()
    flow = FlowProducer(OPTIONS["connection"])
    await flow.add({"name": "parent", "queueName": "family", "data": {}, "children": [
        {"name": "child", "queueName": "family", "data": {"n": number}} for number in range(1, 6)]})
    family = Queue("family", OPTIONS)
    worker = Worker("family", process, {**OPTIONS, "concurrency": 3})

    async def family_done() -> bool:
        return (await family.getJobCounts("completed"))["completed"] == 6

    await until(family_done, "the family does not complete")
    parent = [job for job in await family.getJobs(["completed"]) if job.name == "parent"][0]
    assert parent.returnvalue in (30, "30"), parent.returnvalue
    await worker.close()
    await queue.pause()
    await queue.obliterate("force")  # type: ignore[arg-type]
    assert await queue.getJobCounts("completed", "failed") == {"completed": 0, "failed": 0}
    for one in (queue, ranked, family, flow):
        await one.close()
    print("113 jobs: results, backoff, delay, priorities, a flow of six, obliteration")


if __name__ == "__main__":
    asyncio.run(main())
