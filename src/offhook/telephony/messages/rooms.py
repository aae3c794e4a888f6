"""Places for what one process does at once: so many for each key, and those who wait for one are served in turn."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager, suppress


class Room:
    """Places that somebody holds; what is not used is given back."""

    def __init__(self, rooms: Rooms, key: uuid.UUID) -> None:
        self._rooms = rooms
        self._key = key
        self.free = 0

    def take(self, wanted: int) -> int:
        """Hold up to so many more; how many are free for use now."""
        self.free += self._rooms.take(self._key, wanted)
        return self.free

    def use(self) -> None:
        """One of them is used, and given back with `Rooms.give`."""
        self.free -= 1


class Rooms:
    """`most` places for each key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: Counter[uuid.UUID] = Counter()
        self._waiting: dict[uuid.UUID, deque[asyncio.Future[None]]] = {}

    @contextmanager
    def room(self, key: uuid.UUID) -> Generator[Room]:
        """A room without places yet, for this block."""
        room = Room(self, key)
        try:
            yield room
        finally:
            self.give(key, room.free)

    def take(self, key: uuid.UUID, wanted: int) -> int:
        """As many as there are, at most `wanted`."""
        places = max(0, min(wanted, self._most - self._used[key]))
        if places:
            self._used[key] += places
        return places

    def give(self, key: uuid.UUID, places: int) -> None:
        """Back, to as many of those who wait."""
        self._used[key] -= places
        if self._used[key] <= 0:
            del self._used[key]
        waiting = self._waiting.get(key)
        while waiting and places > 0:
            future = waiting.popleft()
            if not future.done():
                future.set_result(None)
                places -= 1
        if not waiting:
            self._waiting.pop(key, None)

    async def wait(self, key: uuid.UUID, timeout_seconds: float) -> None:
        """Until it is one's turn to try again, or the time is over."""
        if self._used[key] < self._most:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(future)
        with suppress(TimeoutError):
            await asyncio.wait_for(future, timeout_seconds)
