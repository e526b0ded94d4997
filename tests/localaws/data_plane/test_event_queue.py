"""The queue of events: served when they are due, in order, by a few workers."""

import threading
import time

from localaws_client import eventually

from helpers.localaws.data_plane.event_queue import WORKERS, EventQueue


def test_events_are_served_in_the_order_in_which_they_came():
    served = []
    queue = EventQueue(served.append, workers=1)
    for number in range(1000):
        queue.put(number)
    eventually(lambda: len(served) == 1000)
    assert served == list(range(1000)) and len(queue) == 0


def test_what_is_due_first_is_served_first():
    served = []
    queue = EventQueue(served.append, workers=1)
    for seconds in (0.3, 0.1, 0.2):
        queue.put(seconds, seconds)
    queue.put("at once")
    eventually(lambda: len(served) == 4)
    assert served == ["at once", 0.1, 0.2, 0.3]


def test_no_event_is_served_before_it_is_due():
    served = []
    queue = EventQueue(lambda due: served.append((due, time.monotonic())))
    for number in range(100):
        queue.put(time.monotonic() + number % 10 / 20, number % 10 / 20)
    eventually(lambda: len(served) == 100)
    assert all(at >= due for due, at in served)


def test_an_event_can_be_put_back_by_who_serves_it():
    served = []

    def serve(number):
        served.append(number)
        if number:
            queue.put(number - 1, 0.001)

    queue = EventQueue(serve)
    queue.put(20)
    eventually(lambda: len(served) == 21)
    assert served == list(range(20, -1, -1))


def test_those_that_wait_need_no_thread_each_and_each_is_served_once():
    threads, served, lock = threading.active_count(), [], threading.Lock()

    def serve(number):
        with lock:
            served.append(number)

    queue = EventQueue(serve)
    for number in range(5000):
        queue.put(number, 0.5)
    assert len(queue) > 0
    assert threading.active_count() <= threads + WORKERS
    eventually(lambda: len(served) == 5000)
    assert sorted(served) == list(range(5000))


def test_one_worker_that_is_held_up_does_not_hold_up_the_others():
    gate, served = threading.Event(), []

    def serve(number):
        if number == 0:
            gate.wait()
        served.append(number)

    queue = EventQueue(serve, workers=2)
    for number in range(10):
        queue.put(number)
    eventually(lambda: len(served) == 9)
    assert served == list(range(1, 10))
    gate.set()
    eventually(lambda: served[-1] == 0)
