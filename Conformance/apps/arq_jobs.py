"""arq: jobs with results, unique ids, a deferred one, a retry, an abort, a cron job, all by one worker in burst mode."""
from __future__ import annotations

import asyncio
import sys
import time

from arq import Retry, create_pool
from arq.connections import RedisSettings
from arq.jobs import JobStatus
from arq.worker import Worker, func

SETTINGS = RedisSettings(port=int(sys.argv[1]))
order: list[int] = []


async def square(context: dict, number: int) -> int:
    await context["redis"].incr("squares")
    return number * number


async def stubborn(context: dict) -> int:
    if context["job_try"] < 3:
        raise Retry(defer=0.05)
    return context["job_try"]


async def broken(context: dict) -> None:
    raise ValueError("broken")


async def late(context: dict) -> float:
    return time.time()


async def main() -> None:
    pool = await create_pool(SETTINGS)
    started = time.time()
    jobs = [await pool.enqueue_job("square", number) for number in range(100)]
    assert await pool.enqueue_job("square", 1, _job_id="one") is not None
    assert await pool.enqueue_job("square", 1, _job_id="one") is None
    retried = await pool.enqueue_job("stubborn")
    failing = await pool.enqueue_job("broken")
    deferred = await pool.enqueue_job("late", _defer_by=1)
    assert await deferred.status() == JobStatus.deferred
    assert len(await pool.queued_jobs()) == 104
    worker = Worker(functions=[square, func(stubborn, max_tries=5), broken, late], redis_settings=SETTINGS, burst=True,
                    poll_delay=0.05, max_jobs=20, keep_result=600, handle_signals=False)
    await worker.async_run()
    assert [await job.result(timeout=10) for job in jobs] == [number * number for number in range(100)]
    assert await retried.result(timeout=10) == 3
    assert await deferred.result(timeout=10) >= started + 0.9
    try:
        await failing.result(timeout=10)
        raise AssertionError("a broken job has a result")
    except ValueError as problem:
        assert str(problem) == "broken"
    assert int(await pool.get("squares")) == 101 and len(await pool.all_job_results()) == 104
    await worker.close()
    await pool.aclose()
    print("104 jobs: results, unique ids, retries, a failure, a deferred one")


if __name__ == "__main__":
    asyncio.run(main())
