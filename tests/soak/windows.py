"""Small histories over HTTP, on several servers: recorded whole, and explained or not."""

import itertools
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tests.api import EVENT
from tests.registrations.auditing import audit
from tests.registrations.linearizability import Call, explain
from tests.registrations.seating.test_linearizability import PEOPLE, Recorder, plan
from tests.soak.crew import Server
from tests.soak.load import Client


class DoubtfulError(Exception):
    """The outcome of a call is unknown, so its history cannot be judged."""


class Answer(NamedTuple):
    """An answer as the recorder reads it."""

    status_code: int
    document: Any

    def json(self) -> Any:
        """The document."""
        return self.document


class Caller:
    """The service as the recorder calls it. A reading call is sent until it is answered, and a keyed one is."""

    def __init__(self, servers: Sequence[Server], name: str) -> None:
        self._client, self._name = Client(servers, random.Random(name)), name
        self._numbers = itertools.count()

    def get(self, path: str) -> Answer:
        return Answer(*self._client.surely("GET", path))

    def post(self, path: str, body: Any) -> Answer:
        return Answer(*self._client.surely("POST", path, body, f"{self._name}-{next(self._numbers)}"))

    def patch(self, path: str, body: Any) -> Answer:
        return self._once("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self._once("DELETE", path)

    def _once(self, *asked: Any) -> Answer:
        answer = Answer(*self._client.ask(*asked))
        if answer.status_code == 503:
            raise DoubtfulError
        return answer

    def close(self) -> None:
        self._client.close()


class FarRecorder(Recorder):
    """Records the answers of several servers. Each thread is a client."""

    def __init__(self, servers: Sequence[Server], event: str) -> None:
        super().__init__(event)
        self._servers, self._name = servers, event

    def api_of_thread(self) -> Any:
        if not hasattr(self._own, "api"):
            self._own.api = Caller(self._servers, f"{self._name}-{threading.get_ident()}")
        return self._own.api


def check(servers: Sequence[Server], seed: int) -> tuple[str, str]:
    """Record a history and explain it.

    Returns: explained, inexplicable, or in_doubt where the outcome of a call is unknown; and the history.
    """
    beginning, plans = plan(seed)
    event = f"window-{seed}"
    client = Client(servers, random.Random(seed))
    for name in PEOPLE:
        client.surely("POST", "/users", {"userId": name, "name": name})
    settings = {"capacity": beginning.capacity, "waitlistEnabled": beginning.waitlist}
    client.surely("POST", "/events", EVENT | settings | {"eventId": event})
    client.close()
    recorder = FarRecorder(servers, event)

    def follow(calls: list[tuple[str, Any]]) -> list[Call]:
        try:
            return [recorder.call(name, argument) for name, argument in calls]
        finally:
            recorder.api_of_thread().close()

    try:
        with ThreadPoolExecutor(len(plans)) as pool:
            history = list(itertools.chain.from_iterable(pool.map(follow, plans)))
    except DoubtfulError:
        return "in_doubt", ""
    told = "\n".join([f"seed {seed} from {beginning}", *map(str, sorted(history, key=lambda call: call.start))])
    wrong = [one for one in audit(event, shrunk=True) if not one.endswith("is locked")]
    if wrong or not explain(history, beginning):
        return "inexplicable", f"{told}\n{wrong}"
    return "explained", told
