"""A soak: servers with wrong clocks on a torn engine, killed at random, under many clients.

    python -m tests.soak [--minutes 20] [--seed N] [--servers 3] [--clients 7] [--traces DIRECTORY]

In rounds. In each, clients work for a while as servers die. Then all is left to settle; the events are counted again
from the tables (tests/registrations/auditing.py, and the service's own audit), and the round's calls are judged
(tests/soak/verdict.py). Then a few small histories without kills, but with everything else, are recorded and explained
(tests/registrations/linearizability.py). At the end the counts are printed; the exit status is 1 after a violation.
"""

import argparse
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

from tests.engines import running_engine, served_by
from tests.torn import Torn

ROUND_SECONDS, WINDOWS, REST_SECONDS = 50.0, 6, 0.5
KILLS_EVERY = (2.0, 6.0)
PAUSE = 0.08
STORM = {"torn": 0.3, "shortest": 0.002, "longest": 0.02, "lag": 0.05, "lost": 0.02, "late": 0.01, "latest": 0.2}
CALM = {"torn": 0.0, "lag": 0.0, "lost": 0.0, "late": 0.0}


def main() -> int:
    """Run the soak. Returns: the exit status."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    os.environ["LOG_LEVEL"] = "CRITICAL"
    django.setup()
    from tests.soak.crew import crew

    dice = random.Random(options.seed)
    with running_engine(module="tests.torn") as url, served_by(url):
        _make_tables()
        with crew(options.servers, dice) as servers:
            soak = Soak(servers, Torn(url), dice, options)
            soak.run()
    soak.report()
    return 1 if soak.violations else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument("--clients", type=int, default=7)
    parser.add_argument("--traces", type=Path, help="where the calls of a round with a violation are written")
    return parser.parse_args()


def _make_tables() -> None:
    from eventsite.dynamodb.base_model import table_models

    for model in table_models():
        model.create_table(wait=False)


def say(*words: object) -> None:
    """Print with the time."""
    print(time.strftime("%H:%M:%S"), *words, flush=True)  # noqa: T201 (what a soak prints is its result)


class Soak:
    """The rounds, and what they come to."""

    def __init__(self, servers: list, torn: Torn, dice: random.Random, options: argparse.Namespace) -> None:
        from tests.soak.crew import Killer
        from tests.soak.load import Client

        self._servers, self._torn, self._dice, self._options = servers, torn, dice, options
        self._killer = Killer(servers, random.Random(f"{options.seed}-killer"), KILLS_EVERY)
        self._client = Client(servers, dice)
        self.kinds: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.weather: Counter[str] = Counter()
        self.windows: Counter[str] = Counter()
        self.harmless: Counter[str] = Counter()
        self.applied = self.rounds = 0
        self.violations: list[str] = []
        self._began = time.monotonic()

    def run(self) -> None:
        """Round after round, until the time is over."""
        from tests.soak.load import EVENTS, PEOPLE, create

        say("soak with", vars(self._options))
        for user in PEOPLE:
            self._client.surely("POST", "/users", {"userId": user, "name": user})
        for event in EVENTS:
            create(self._client, event)
        while time.monotonic() - self._began < self._options.minutes * 60:
            self._round()

    def _round(self) -> None:
        self.rounds += 1
        calls, wrong = self._storm()
        wrong += self._judge(calls)
        if wrong and self._options.traces:
            self._options.traces.mkdir(parents=True, exist_ok=True)
            trace = self._options.traces / f"soak-{self._options.seed}-{self.rounds}.jsonl"
            trace.write_text("\n".join(call.as_json() for call in calls))
        wrong += self._explain()
        self.violations += wrong
        for sentence in wrong:
            say("VIOLATION", sentence[:3000])
        minutes = (time.monotonic() - self._began) / 60
        say(
            f"round {self.rounds}: {minutes:.1f} min, {self.kinds.total()} calls, {self._killer.kills} kills,",
            f"{dict(self.weather)}, windows {dict(self.windows)}, {len(self.violations)} violations",
        )

    def _storm(self) -> tuple[list, list[str]]:
        """Clients at work while servers die. Returns: their calls; what they failed of."""
        from tests.soak.load import Guest

        over = threading.Event()
        names = [f"{self._options.seed}-{self.rounds}-{number}" for number in range(self._options.clients)]
        guests = [Guest(self._servers, name, over, PAUSE) for name in names]
        self._torn.set(**STORM, seed=self._dice.randrange(10**6))
        with self._killer.at_work():
            for guest in guests:
                guest.start()
            time.sleep(ROUND_SECONDS)
            over.set()
            for guest in guests:
                guest.join()
        self._calm()
        calls = [call for guest in guests for call in guest.calls]
        self.kinds.update(call.kind for call in calls)
        self.words.update(f"{call.kind} {call.word}" for call in calls)
        return calls, [repr(guest.failed) for guest in guests if guest.failed]

    def _calm(self) -> None:
        """Wait for running calls, keep the counts, let the weather be good."""
        time.sleep(REST_SECONDS)
        self.weather.update(self._torn.counts)
        self._torn.set(**CALM)

    def _judge(self, calls: list) -> list[str]:
        """Apply the log, count again, and judge every call."""
        from tests.registrations.auditing import differences
        from tests.soak import verdict
        from tests.soak.load import EVENTS, FIXED, create

        wrong = []
        kept = {}
        for event in EVENTS:
            create(self._client, event)  # one that was deleted; the others are there
            kept[event] = self._applied(event)
            wrong += [f"{event}: {one}" for one in differences(kept[event], shrunk=event not in FIXED)]
        wrong += self._audit()
        answers = list(verdict.seen(calls))
        wrong += [*verdict.of_answers(calls), *verdict.of_edits(calls)]
        wrong += [*verdict.of_registrations(calls, kept), *verdict.of_queues(answers)]
        for event in EVENTS:
            own = [call for call in calls if call.event == event]
            wrong += verdict.of_order(own, [one for one in answers if one.event == event], kept[event])
        return wrong

    def _applied(self, event: str) -> Any:  # its type would be imported before Django is set up
        """Apply what crashed processes have committed and not applied."""
        from eventsite.dynamodb.steps import run
        from registrations import seating
        from tests.registrations.auditing import stored
        from tests.soak.load import GUESTS

        kept = stored(event, GUESTS[event])
        if not (kept.seats and kept.seats.committed):
            return kept
        self.applied += len(kept.seats.committed)
        run(seating.drain(kept.seats))
        return stored(event, GUESTS[event])

    def _audit(self) -> Iterator[str]:
        """What the service's own audit finds, of all that was ever written."""
        from registrations.audit import runner
        from registrations.audit.snapshot import Traces, census

        traces: dict[str, Traces] = {}
        census(traces)
        ids = runner.known_ids(traces)
        for finding in (one for event in ids for one in runner.examine(event, traces.get(event, Traces()))):
            if finding.harmless:
                self.harmless[finding.kind] += 1
            else:
                yield f"audit of {finding.event_id}: {finding.kind}: {finding.sentence}"

    def _explain(self) -> list[str]:
        """Small histories on events of their own, on all servers, in bad weather and without kills."""
        from tests.soak.windows import check

        self._torn.set(**STORM, seed=self._dice.randrange(10**6))
        found = [check(self._servers, self._dice.randrange(10**6)) for _ in range(WINDOWS)]
        self._calm()
        self.windows.update(word for word, _ in found)
        return [told for word, told in found if word == "inexplicable"]

    def report(self) -> None:
        """Print what it came to."""
        minutes = (time.monotonic() - self._began) / 60
        say(f"{minutes:.1f} minutes, seed {self._options.seed}, {self.rounds} rounds, {self.kinds.total()} calls:")
        for word, count in sorted(self.words.items()):
            say(f"  {word.replace(' 0', ' cut off')}: {count}")
        say("calls by kind:", dict(self.kinds))
        say("kills:", self._killer.kills, "log entries left and applied:", self.applied)
        say("engine:", dict(self.weather))
        say("small histories:", dict(self.windows))
        say("harmless remains that the audit saw:", dict(self.harmless))
        say("violations:", len(self.violations))


if __name__ == "__main__":
    sys.exit(main())
