"""A workspace to try things on, and short ways to say things to it."""

from __future__ import annotations

from typing import Any

from fakeio.core import operations as op
from fakeio.core.identifiers import CIO_ID, EMAIL, ID, PHONE, Ref
from fakeio.core.outcomes import Outcome
from fakeio.core.people import Person
from fakeio.core.settings import Settings
from fakeio.core.workspace import Workspace

NOW = 1_700_000_000.0


def ref(text: str) -> Ref:
    """`id:42`, `email:a@x.io`, `cio_id:a3000001`."""
    kind, _, value = text.partition(":")
    assert kind in (ID, EMAIL, CIO_ID, PHONE)
    return Ref(kind, value)


class Space:
    """A workspace with a clock that a test turns by hand."""

    def __init__(self, **settings: Any) -> None:
        self.workspace = Workspace(id=1, name="test", region="us", settings=Settings(settings))
        self.now = NOW
        self.request = 0

    def do(self, operation: op.Operation) -> Outcome:
        self.request += 1
        return self.workspace.apply(operation, self.now, self.request)

    def identify(self, address: str, **attributes: Any) -> Outcome:
        return self.do(op.Identify(ref=ref(address), attributes=attributes))

    def event(self, address: str | None, name: str = "buy", **fields: Any) -> Outcome:
        return self.do(op.RecordEvent(ref=ref(address) if address else None, event=name, **fields))

    def person(self, address: str) -> Person:
        found = self.workspace.people.find(ref(address))
        assert found is not None, f"nobody has {address}"
        return found

    def people(self) -> list[dict[str, Any]]:
        """Everybody, as plain values in order of creation."""
        return [
            {"id": person.id, "email": person.email, **person.attributes}
            for person in self.workspace.people.iter_after(0)
        ]

    def activities(self, type_: str | None = None) -> list[str]:
        return [line.type for line in self.workspace.log.after(0, 10_000, type=type_)]

    def event_names(self, address: str) -> list[str]:
        return [event.name for event in self.workspace.events(person=self.person(address).cio_id)]
