"""RQ: 60 jobs with results, one that depends on others, retries, a failure in its registry, a scheduled job."""
from __future__ import annotations

import os
import sys
from datetime import timedelta

os.environ["APP_PORT"] = sys.argv[1]

import jobs  # noqa: E402
from rq import Queue, Retry, SimpleWorker  # noqa: E402
from rq.job import Job  # noqa: E402
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry  # noqa: E402


def main() -> None:
    connection = jobs.connection()
    urgent, usual = Queue("urgent", connection=connection), Queue("usual", connection=connection)
    many = [usual.enqueue(jobs.power, number, 2, result_ttl=500) for number in range(60)]
    first = urgent.enqueue(jobs.power, 3, 3)
    after = usual.enqueue(jobs.total, 1, 2, 3, depends_on=[many[0], first])
    stubborn = usual.enqueue(jobs.fails_until, "stubborn", 3, retry=Retry(max=5))
    hopeless = usual.enqueue(jobs.fails_until, "hopeless", 1000)
    later = usual.enqueue_in(timedelta(seconds=1), jobs.stamp, "later")
    assert len(usual) == 62 and after.get_status(refresh=True).value == "deferred", (len(usual), after.get_status())
    assert later.id in ScheduledJobRegistry("usual", connection=connection)
    worker = SimpleWorker([urgent, usual], connection=connection, name="checker")
    worker.work(burst=True, logging_level="ERROR")
    assert [job.return_value(refresh=True) for job in many] == [number ** 2 for number in range(60)]
    assert first.return_value(refresh=True) == 27 and after.return_value(refresh=True) == 6
    assert stubborn.return_value(refresh=True) == "stubborn after 3", stubborn.get_status()
    assert int(connection.get("jobs:run")) == 61
    failed = FailedJobRegistry("usual", connection=connection)
    assert failed.get_job_ids() == [hopeless.id], failed.get_job_ids()
    assert "attempt 1 of hopeless" in hopeless.latest_result().exc_string
    assert FinishedJobRegistry("usual", connection=connection).count == 62
    # The scheduler moves the job when its second has passed.
    worker.work(burst=False, with_scheduler=True, max_jobs=1, logging_level="ERROR")
    assert Job.fetch(later.id, connection=connection).get_status().value == "finished"
    assert failed.requeue(hopeless.id).id == hopeless.id and len(usual) == 1
    print("64 jobs: results, dependency, retries, failure and requeue, schedule")


if __name__ == "__main__":
    main()
