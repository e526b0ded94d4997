"""A streamed response between two threads: in order, bounded, and thrown away where nobody reads."""

import asyncio
import threading

from helpers.localaws.data_plane.response_stream import ROOM_BYTES, QueuedStream


def in_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_pieces_come_in_order_until_the_end():
    async def read_all():
        stream = QueuedStream()

        def write():
            for number in range(1000):
                assert stream.write(b"%d," % number)
            loop.call_soon_threadsafe(stream.end)

        loop = asyncio.get_running_loop()
        in_a_thread(write)
        read = b""
        while piece := await stream.read():
            read += piece
        return read

    assert asyncio.run(read_all()) == b"".join(b"%d," % number for number in range(1000))


def test_it_has_room_again_once_it_is_read():
    async def fill_and_read():
        stream, told = QueuedStream(), []
        assert stream.write(b"x")
        assert not stream.write(bytes(ROOM_BYTES))
        stream.when_room(lambda: told.append("room"))
        assert told == []
        assert len(await stream.read()) == ROOM_BYTES + 1
        assert told == ["room"]
        stream.when_room(lambda: told.append("at once"))
        return told

    assert asyncio.run(fill_and_read()) == ["room", "at once"]


def test_what_nobody_reads_is_thrown_away():
    async def abandon():
        stream, told = QueuedStream(), []
        assert not stream.write(bytes(ROOM_BYTES))
        stream.when_room(lambda: told.append("room"))
        stream.abandon()
        assert told == ["room"]
        assert stream.write(bytes(2 * ROOM_BYTES))
        stream.end()
        return await stream.read()

    assert asyncio.run(abandon()) == b""
