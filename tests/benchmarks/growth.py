"""One workspace that holds a given amount, in a process of its own, writing when told.

`python -m tests.benchmarks.growth people|events COUNT` fills a workspace, says `ready`, and answers each line on its
standard input with the seconds that one write took on average. No server in between: whatever a socket costs is the
same at every size and would only hide growth.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator

from fakeio.core.identifiers import ID, Ref
from fakeio.core.operations import Identify, Operation, RecordEvent
from fakeio.core.outcomes import Applied
from fakeio.core.workspace import Workspace

WRITES = 20_000
NOW = 1_777_000_000.0
CITIES = ("Lisbon", "Porto", "Faro", "Braga", "Évora")


def identify(n: int, score: int) -> Operation:
    """An identify call of six attributes that changes one of them each time."""
    attributes = {
        "email": f"person{n}@example.com", "first_name": f"Person {n}", "plan": "pro", "created_at": 1_777_000_000 + n,
        "score": score, "city": CITIES[n % len(CITIES)],
    }
    return Identify(ref=Ref(ID, str(n)), attributes=attributes)


def record(n: int) -> Operation:
    """An event on one and the same person."""
    data = b'{"plan":"pro","total":%d}' % n
    return RecordEvent(ref=Ref(ID, "0"), event="order", data=data, timestamp=int(NOW) + n, dedupe_id=f"event-{n}")


def people(count: int) -> tuple[Workspace, Callable[[int], Operation]]:
    """A workspace of `count` people, and writes on people chosen at random."""
    workspace = Workspace(id=1, name="growth", region="us")
    for n in range(count):
        workspace.apply(identify(n, score=0), NOW)
    choose = random.Random(7)
    return workspace, lambda turn: identify(choose.randrange(count), score=turn)


def events(count: int) -> tuple[Workspace, Callable[[int], Operation]]:
    """A workspace with one person of `count` events, and more events of the same person."""
    workspace = Workspace(id=1, name="growth", region="us")
    for n in range(count):
        workspace.apply(record(n), NOW)
    return workspace, lambda turn: record(count + turn)


def seconds_a_write(workspace: Workspace, operations: list[Operation]) -> float:
    """The average over all operations; they must all be applied."""
    started = time.perf_counter()
    outcomes = [workspace.apply(operation, NOW) for operation in operations]
    took = time.perf_counter() - started
    if not all(isinstance(outcome, Applied) for outcome in outcomes):
        raise SystemExit("a write of the benchmark was not applied")
    return took / len(operations)


def turns() -> Iterator[int]:
    """One number a line of standard input."""
    for turn, _ in enumerate(sys.stdin, start=1):
        yield turn


def say(text: str) -> None:
    """One line to whoever started this process."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """The command."""
    kind, count = arguments
    workspace, write = (people if kind == "people" else events)(int(count))
    say("ready")
    for turn in turns():
        batch = [write(turn * WRITES + n) for n in range(WRITES)]
        say(repr(seconds_a_write(workspace, batch)))


if __name__ == "__main__":
    main(sys.argv[1:])
