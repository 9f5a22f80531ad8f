"""One clock a workspace: whatever takes time takes it there, and one long wait does what many short ones do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakeio import Fake, WorkspaceHandle
from tests.contract import handling
from tests.contract.controlling import ADDRESS

NOW = 1_780_000_000
DAY_S = 86_400
MONTH_S = 30 * DAY_S
PRO = {"attribute": {"field": "plan", "operator": "eq", "value": "pro"}}
BOUGHT = {"and": [{"event": {"name": "order", "type": "event"}, "times": 1, "within": 60, "inverse": False}]}
TAKES = {
    "propagation_delay_s": 7, "segment_build_s": 25, "export_s": 11, "import_s": 13, "broadcast_s": 17,
    "delivery_visible_s": 5,
}  # fmt: skip

fake = handling.fake


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("upload") / "rows.csv"
    path.write_text("email,plan,by\np0@example.com,pro,import\np9@example.com,pro,import\n")
    return path.as_uri()


class Shop:
    """One workspace in which everything takes its time, seen without a socket."""

    def __init__(self, fake: Fake) -> None:
        self.space: WorkspaceHandle = fake.new_workspace(settings=TAKES)
        self.space.clock.set(NOW)
        self.space.add_people([{"id": "0", "email": "p0@example.com", "cio_id": "aa00", "attributes": {"plan": "pro"}}])
        self.space.add_segment("pros", type="dynamic", conditions=PRO)
        self.client = httpx.Client(transport=fake.transport, base_url=ADDRESS)
        self.imports = 0
        self.here = f"/_fakeio/workspaces/{self.space.id}"

    def track(self, method: str, path: str, document: Any) -> None:
        auth = (self.space.site_id, self.space.track_api_key)
        self.client.request(method, f"/api/v1/{path}", json=document, auth=auth).raise_for_status()

    def app(self, method: str, path: str, document: Any = None) -> Any:
        key = {"authorization": f"Bearer {self.space.app_api_key}"}
        answer = self.client.request(method, f"/v1/{path}", json=document, headers=key)
        answer.raise_for_status()
        return answer.json()

    def do(self, action: str, n: int, upload: str) -> None:
        """One of the things that take time, or change what those come to."""
        wanted = {"type": "people", "name": "Mine", "identifier": "email", "data_file_url": upload}
        actions: dict[str, Callable[[], Any]] = {
            "identify": lambda: self.track("PUT", f"customers/{n}", {"plan": "pro" if n % 2 else "free", "by": "call"}),
            "delete": lambda: self.track("DELETE", f"customers/{n}", None),
            "event": lambda: self.track("POST", f"customers/{n}/events", {"name": "order"}),
            "anonymous": lambda: self.track("POST", "events", {"name": "order", "anonymous_id": f"x{n}"}),
            "claim": lambda: self.track("PUT", f"customers/{n}", {"anonymous_id": f"x{n}"}),
            "segment": lambda: self.space.add_segment(f"s{n}", type="dynamic", conditions=BOUGHT if n % 2 else PRO),
            "export": lambda: self.app("POST", "exports/customers", {"filters": PRO}),
            "import": lambda: self.app("POST", "imports", {"import": wanted}),
        }
        actions[action]()

    def told(self) -> dict[str, Any]:
        """Everything that anybody can see of it, without what is drawn at random."""
        rows = {
            name: self.client.get(f"{self.here}/{name}", params={"limit": 1000}).json()[name]
            for name in ("people", "events", "segments", "activities", "ignored")
        }
        rows["members"] = {
            row["id"]: self.client.get(f"{self.here}/segments/{row['id']}/members").json()["members"]
            for row in rows["segments"]
        }
        rows["exports"] = self.app("GET", "exports")["exports"]
        rows["imports"] = [self.app("GET", f"imports/{number}") for number in range(1, self.imports + 1)]
        return rows


def nameless(value: Any, names: dict[str, str]) -> Any:
    """The value with random ids replaced by their order of appearance."""
    if isinstance(value, dict):
        return {key: nameless(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [nameless(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value


def _names(told: dict[str, Any]) -> dict[str, str]:
    ids = [event["event_id"] for event in told["events"]] + [one["id"] for one in told["activities"]]
    return {random: f"#{place}" for place, random in enumerate(dict.fromkeys(map(str, ids)))}


ACTIONS = ("identify", "delete", "event", "anonymous", "claim", "segment", "export", "import")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 3), st.sampled_from((0, 0, 1, 3, 8, MONTH_S - 2))), max_size=8
)
WAITS = st.lists(st.sampled_from((1, 2, 4, 9, 16, 40, MONTH_S)), min_size=1, max_size=8)


@settings(max_examples=25)
@given(steps=STEPS, waits=WAITS)
@example(steps=[("import", 0, 8), ("identify", 0, 0)], waits=[6, 16])
@example(steps=[("export", 0, 5), ("identify", 0, 0)], waits=[6.5, 16])
@example(steps=[("anonymous", 1, MONTH_S - 2), ("claim", 1, 0)], waits=[8, 9])
@example(steps=[("event", 1, 0), ("segment", 1, 0), ("import", 0, 0)], waits=[16, 16, 40, 40])
def test_one_long_wait_does_what_many_short_ones_do(
    fake: Fake, upload: str, steps: list[tuple[str, int, int]], waits: list[int]
) -> None:
    told = []
    for at_once in (True, False):
        shop = Shop(fake)
        for action, n, wait_s in steps:
            shop.do(action, n, upload)
            shop.imports += action == "import"
            shop.space.clock.advance(seconds=wait_s)
        for wait_s in [sum(waits)] if at_once else waits:
            shop.space.clock.advance(seconds=wait_s)
        found = shop.told()
        told.append(nameless(found, _names(found)))
        shop.space.raise_first_error()
        fake.remove_workspace(shop.space)
    assert told[0] == told[1]
