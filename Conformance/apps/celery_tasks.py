"""Celery with the server as broker and result store: single tasks, a group, a chain, a chord, retries, a countdown,
a revoked task; the worker is a process of its own."""
from __future__ import annotations

import os
import subprocess
import sys
import time

from celery import Celery, chain, chord, group
from celery.exceptions import TaskRevokedError

PORT = os.environ.setdefault("APP_PORT", sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isdigit() else "0")
app = Celery("celery_tasks", broker=f"redis://127.0.0.1:{PORT}/0", backend=f"redis://127.0.0.1:{PORT}/1")
app.conf.update(task_serializer="json", result_expires=600, broker_connection_retry_on_startup=True,
                worker_prefetch_multiplier=4, worker_hijack_root_logger=False)


@app.task(name="add")
def add(left: int, right: int) -> int:
    return left + right


@app.task(name="gather")
def gather(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(name="stubborn", bind=True, max_retries=5)
def stubborn(self) -> int:
    if self.request.retries < 2:
        raise self.retry(countdown=0.1)
    return self.request.retries


@app.task(name="clock")
def clock() -> float:
    return time.time()


def main() -> None:
    folder = os.path.dirname(os.path.abspath(__file__))
    line = [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "--pool", "threads", "--concurrency", "4",
            "--loglevel", "WARNING", "--hostname", "checker@localhost"]
    worker = subprocess.Popen(line, env={**os.environ, "PYTHONPATH": folder}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    try:
        started = time.time()
        late = clock.apply_async(countdown=1)
        revoked = clock.apply_async(countdown=10)
        assert group(add.s(number, number) for number in range(40)).apply_async().get(60) == \
            [number * 2 for number in range(40)]
        assert chain(add.s(1, 2), add.s(3), add.s(4)).apply_async().get(20) == 10
        assert chord((add.s(number, 1) for number in range(20)), gather.s()).apply_async().get(20) == 210
        assert stubborn.apply_async().get(20) == 2
        assert late.get(20) >= started + 0.9
        assert app.control.ping(timeout=1) == [{"checker@localhost": {"ok": "pong"}}]
        revoked.revoke()
        try:
            revoked.get(20)
            raise AssertionError("a revoked task ran")
        except TaskRevokedError:
            pass
    except BaseException:
        worker.terminate()
        print(worker.communicate(timeout=10)[0].decode()[-2000:])
        raise
    worker.terminate()
    worker.wait(20)
    print("66 tasks: group, chain, chord, retries, countdown, remote control, revocation")


if __name__ == "__main__":
    main()
