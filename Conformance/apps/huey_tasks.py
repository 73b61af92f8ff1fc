"""Huey: a consumer with two threads runs tasks, retries, a pipeline, a schedule, a lock, priorities and a group."""
from __future__ import annotations

import sys
import threading
import time

from huey import PriorityRedisHuey, RedisHuey
from huey.exceptions import TaskException, TaskLockedException

PORT = int(sys.argv[1])
huey = RedisHuey("usual", port=PORT, results=True)
ranked = PriorityRedisHuey("ranked", port=PORT)
attempts: list[int] = []
order: list[int] = []
inside = 0
most_inside = 0


@huey.task()
def add(left: int, right: int) -> int:
    return left + right


@huey.task(retries=3, retry_delay=0)
def stubborn() -> int:
    attempts.append(1)
    if len(attempts) < 3:
        raise ValueError("not yet")
    return len(attempts)


@huey.task()
def broken() -> None:
    raise ValueError("broken")


@huey.task(retries=50, retry_delay=0)
@huey.lock_task("alone")
def alone() -> int:
    global inside, most_inside
    inside += 1
    most_inside = max(most_inside, inside)
    time.sleep(0.02)
    inside -= 1
    return 1


@ranked.task()
def note(number: int) -> None:
    order.append(number)


def main() -> None:
    consumer = huey.create_consumer(workers=2, worker_type="thread", periodic=False, scheduler_interval=1)
    consumer.start()
    try:
        results = [add(number, 1) for number in range(100)]
        assert [result.get(blocking=True, timeout=30) for result in results] == list(range(1, 101))
        started = time.time()
        late = add.schedule((5, 5), delay=1)
        chained = huey.enqueue(add.s(1, 2).then(add, 10).then(add, 100))
        assert [result.get(blocking=True, timeout=10) for result in chained] == [3, 13, 113]
        assert stubborn().get(blocking=True, timeout=20) == 3
        try:
            broken().get(blocking=True, timeout=10)
            raise AssertionError("a broken task has a result")
        except TaskException as problem:
            assert "broken" in str(problem)
        assert late.get(blocking=True, timeout=10) == 10 and time.time() - started > 0.9
        cancelled = add.schedule((1, 1), delay=60)
        cancelled.revoke()
        assert cancelled.is_revoked()
        try:
            with huey.lock_task("outside"):
                with huey.lock_task("outside"):
                    raise AssertionError("a lock was taken twice")
        except TaskLockedException:
            pass
        assert add.map([(number, number) for number in range(20)]).get(blocking=True, timeout=10) == \
            [number * 2 for number in range(20)]
        assert huey.pending_count() == 0 and huey.scheduled_count() == 1
    finally:
        consumer.stop(graceful=True)
    for number in (1, 5, 3, 9, 7):
        note.s(number, priority=number)
        ranked.enqueue(note.s(number, priority=number))
    while (task := ranked.dequeue()) is not None:
        ranked.execute(task)
    assert order == [9, 7, 5, 3, 1], order
    assert threading.active_count() < 50
    print("128 tasks: results, a pipeline, retries, schedule, revocation, lock, map, priorities")


if __name__ == "__main__":
    main()
