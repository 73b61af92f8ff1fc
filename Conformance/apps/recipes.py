"""The recipes of redis-py's manual: a lock under contention, publish and subscribe, pipelines with WATCH, a script
object, a stream's consumer group, a blocking queue."""
from __future__ import annotations

import sys
import threading
import time

import redis
from redis.exceptions import LockError, NoScriptError, WatchError

PORT = int(sys.argv[1])


def client(**options: object) -> redis.Redis:
    return redis.Redis(port=PORT, decode_responses=True, **options)


def in_threads(count: int, function: object) -> None:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            function(number)  # type: ignore[operator]
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def locks() -> None:
    """Eight threads add to a number that nobody guards but the lock."""
    shared = client()
    shared.set("balance", 0)

    def deposit(_: int) -> None:
        mine = client()
        for _ in range(25):
            with mine.lock("lock:balance", timeout=10, blocking_timeout=30, sleep=0.002):
                value = int(mine.get("balance"))
                mine.set("balance", value + 1)

    in_threads(8, deposit)
    assert shared.get("balance") == "200"
    lock = shared.lock("lock:short", timeout=0.2)
    assert lock.acquire() and not client().lock("lock:short", blocking=False).acquire()
    assert lock.extend(0.3) and lock.reacquire()
    time.sleep(0.3)
    try:
        lock.release()
        raise AssertionError("a lock that ran out was released")
    except LockError:
        pass


def messages(protocol: int) -> None:
    listener = client(protocol=protocol).pubsub()
    seen: list[str] = []
    listener.subscribe(**{"plain": lambda message: seen.append(message["data"])})
    listener.psubscribe(**{"wild.*": lambda message: seen.append(message["channel"] + message["data"])})
    worker = listener.run_in_thread(sleep_time=0.01)
    sender = client()
    while sender.pubsub_numsub("plain")[0][1] == 0 or sender.pubsub_numpat() == 0:
        time.sleep(0.01)
    for number in range(100):
        sender.publish("plain", number)
        sender.publish(f"wild.{number}", "x")
    deadline = time.monotonic() + 10
    while len(seen) < 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.stop()
    worker.join(5)
    assert seen == [text for number in range(100) for text in (str(number), f"wild.{number}x")], len(seen)


def transactions() -> None:
    shared = client()
    shared.set("counter", 0)

    def increment(_: int) -> None:
        mine = client()
        for _ in range(20):
            mine.transaction(lambda pipe: (pipe.get("counter"),
                                           (value := int(pipe.immediate_execute_command("GET", "counter"))),
                                           pipe.multi(), pipe.set("counter", value + 1)), "counter")

    in_threads(6, increment)
    assert shared.get("counter") == "120", shared.get("counter")
    with shared.pipeline() as pipe:
        pipe.watch("counter")
        client().incr("counter")
        pipe.multi()
        pipe.set("counter", "lost")
        try:
            pipe.execute()
            raise AssertionError("EXEC in spite of a change")
        except WatchError:
            pass
    with shared.pipeline(transaction=False) as pipe:
        for number in range(5000):
            pipe.set(f"p:{number}", number)
        assert pipe.execute() == [True] * 5000
    with shared.pipeline() as pipe:
        pipe.set("text", "x").incr("text").get("text")
        replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], redis.ResponseError) and replies[2] == "x"


def scripts() -> None:
    shared = client()
    limit = shared.register_script("""
        local count = redis.call('INCR', KEYS[1])
        if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        return count <= tonumber(ARGV[1]) and 1 or 0""")
    assert [limit(keys=["rate"], args=[3, 300]) for _ in range(5)] == [1, 1, 1, 0, 0]
    shared.script_flush()
    try:
        shared.evalsha(limit.sha, 1, "rate", 3, 300)
        raise AssertionError("EVALSHA of a script that is gone")
    except NoScriptError:
        pass
    time.sleep(0.35)
    assert limit(keys=["rate"], args=[3, 300]) == 1
    with shared.pipeline() as pipe:
        limit(keys=["rate"], args=[3, 300], client=pipe)
        limit(keys=["rate"], args=[2, 300], client=pipe)
        assert pipe.execute() == [1, 0]


def queues() -> None:
    shared = client()
    shared.xgroup_create("events", "workers", mkstream=True)
    taken: list[str] = []

    def work(number: int) -> None:
        mine = client()
        while True:
            found = mine.xreadgroup("workers", f"w{number}", {"events": ">"}, count=10, block=1000)
            for _, entries in found:
                for identifier, fields in entries:
                    if fields["n"] == "stop":
                        return
                    taken.append(fields["n"])
                    mine.xack("events", "workers", identifier)

    def feed(_: int) -> None:
        for number in range(200):
            shared.xadd("events", {"n": number})
        time.sleep(0.3)
        for _ in range(4):
            shared.xadd("events", {"n": "stop"})
            time.sleep(0.05)

    in_threads(5, lambda number: feed(0) if number == 0 else work(number))
    assert sorted(map(int, taken)) == list(range(200)), len(taken)
    received: list[str] = []

    def pop(number: int) -> None:
        mine = client()
        for _ in range(50):
            if number == 0:
                for value in range(200):
                    mine.rpush("jobs", value)
                return
            received.append(mine.blpop("jobs", 10)[1])

    in_threads(5, pop)
    assert sorted(map(int, received)) == list(range(200))


def main() -> None:
    locks()
    messages(2)
    messages(3)
    transactions()
    scripts()
    queues()
    print("200 deposits under a lock, 400 messages, 120 optimistic updates, a rate limit, 400 queued items")


if __name__ == "__main__":
    main()
