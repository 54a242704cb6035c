"""At most one job of each owner waits; a newer one takes its place, and overload falls evenly."""

import asyncio
import threading

import pytest

from emotion.station.latest_frame_queue import LatestFrameQueue


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


def test_a_job_is_answered():
    async def story():
        return await LatestFrameQueue(2).run("fox", lambda: 42)

    assert run(story()) == 42


def test_what_a_job_raises_reaches_its_caller_and_the_queue_goes_on():
    async def story():
        queue = LatestFrameQueue(1)
        with pytest.raises(ZeroDivisionError):
            await queue.run("fox", lambda: 1 // 0)
        return await queue.run("fox", lambda: "still there")

    assert run(story()) == "still there"


def test_a_waiting_frame_is_replaced_by_the_newer_one_and_counted():
    async def story():
        queue, gate = LatestFrameQueue(1), threading.Event()
        running = asyncio.create_task(queue.run("fox", lambda: gate.wait(5) and "first"))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(queue.run("fox", lambda number=number: number)) for number in range(5)]
        await asyncio.sleep(0.01)
        assert queue.waiting == 1
        gate.set()
        return await running, await asyncio.gather(*waiting), queue.replaced

    assert run(story()) == ("first", [None, None, None, None, 4], 4)


def test_one_child_that_floods_does_not_keep_the_others_out():
    async def story():
        queue, gate, order = LatestFrameQueue(1), threading.Event(), []
        first = asyncio.create_task(queue.run("fox", lambda: gate.wait(5)))
        await asyncio.sleep(0.01)
        jobs = []
        for _ in range(20):
            jobs.append(asyncio.create_task(queue.run("fox", lambda: order.append("fox"))))
        for name in ("owl", "bear"):
            jobs.append(asyncio.create_task(queue.run(name, lambda name=name: order.append(name))))
        await asyncio.sleep(0.01)
        gate.set()
        await asyncio.gather(first, *jobs)
        return order

    assert sorted(run(story())) == ["bear", "fox", "owl"]


def test_two_frames_of_one_child_are_never_looked_at_together():
    async def story():
        queue, together, most = LatestFrameQueue(4), 0, 0
        lock = threading.Lock()

        def job():
            nonlocal together, most
            with lock:
                together += 1
                most = max(most, together)
            threading.Event().wait(0.01)
            with lock:
                together -= 1

        await asyncio.gather(*(queue.run("fox", job) for _ in range(4)))
        return most

    assert run(story()) == 1
