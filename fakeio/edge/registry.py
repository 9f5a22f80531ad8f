"""Which workspaces this server hosts, and which of them a credential opens.

Decides credentials, ids, accounts and what a reset restores. What a workspace holds is `core/workspace.py`; whether
credentials are good enough for a route is judged by the exchange. Source: interface, "Default workspace" and "Reset".
What only some need (seeds, snapshots, faults, a journal) is loaded by the first workspace that does: most servers are
started with an empty one, and should start fast.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from fakeio.core.forking import fork
from fakeio.core.seed_error import SeedError
from fakeio.core.settings import Settings
from fakeio.core.watched import WatchedSettings
from fakeio.core.weather import Weather
from fakeio.core.workspace import Workspace
from fakeio.edge.auth import BASIC, BEARER, Said, parse_authorization
from fakeio.edge.clock import LATEST, MANUAL, Clock
from fakeio.edge.credentials import DEFAULT_CREDENTIALS, Credentials
from fakeio.edge.ratelimit import Windows
from fakeio.edge.tape import DEFAULT_LIMIT, DEFAULT_LIMIT_BYTES, Tape

if TYPE_CHECKING:
    from fakeio.core.weather import Effect
    from fakeio.edge.journal import Journal
    from fakeio.edge.store import Store

US, EU = "us", "eu"
REGIONS = (US, EU)
DEFAULT_NAME = "default"

CLOCK = "clock"  # the key of a snapshot or a seed

WORKSPACE_HEADER = b"x-workspace-id"

_CLAIMS_KEPT = 10_000  # distinct headers remembered; a client that invents credentials must not fill the memory


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What every workspace of one server shares. `settings` differ from the catalogue's defaults for all of them."""

    settings: Mapping[str, Any] = {}
    tape_limit: int = DEFAULT_LIMIT
    tape_limit_bytes: int = DEFAULT_LIMIT_BYTES
    recording: bool = True


class HostedWorkspace:
    """One workspace and everything around it on this server. Whatever changes it holds `lock` meanwhile.

    `errors` are exceptions nobody expected: bugs of the fake, for a fixture to raise again.
    """

    __slots__ = (
        "_numbered", "_options", "_origin", "_read", "_seed", "_settings", "_stopped_at", "account", "clock",
        "credentials", "errors", "journal", "lock", "state", "tape", "weather", "windows",
    )  # fmt: skip

    state: Workspace
    clock: Clock
    tape: Tape
    weather: Weather
    windows: Windows

    def __init__(
        self, *, id: int, name: str, region: str, account: str, credentials: Credentials, options: Options,
        settings: Mapping[str, Any], seed: Mapping[str, Any], origin: HostedWorkspace | None = None,
    ) -> None:  # fmt: skip
        """`origin`: whose state this is a fork of, instead of settings and a seed. The caller holds its lock."""
        self.lock = threading.RLock()
        self.credentials = credentials
        self.account = account
        self.errors: list[BaseException] = []
        self.journal: Journal | None = None  # only on a server that keeps its state in a file
        self.clock = Clock()
        self._options = options
        self._settings = settings
        self._seed = seed
        self._read: set[str] | None = None
        self._origin: Workspace | None = None
        self._stopped_at: float | None = None  # where the clock of the original stood
        self._numbered = 0  # exchanges that its state may tell of and that were on another workspace's tape
        if origin is not None:
            self._origin = fork(origin.state, id=id, name=name)
            self._numbered = origin.tape.last
            self.clock.set_like(origin.clock)
            self._stopped_at = self.clock.now() if self.clock.mode == MANUAL else None
        self._begin(id, name, region)

    @property
    def id(self) -> int:
        return self.state.id

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def region(self) -> str:
        return self.state.region

    @property
    def seed(self) -> Mapping[str, Any]:
        """What it was created with, and is reset to."""
        if self._origin is None:
            return self._seed
        from fakeio.core.snapshots import take  # see the module's text

        stopped = {} if self._stopped_at is None else {CLOCK: {"now": self._stopped_at, "mode": MANUAL}}
        return {**take(self._origin), **stopped}

    def about(self) -> dict[str, Any]:
        """Everything but its state, as JSON values: what another process needs to go on with it."""
        return {
            "name": self.name, "region": self.region, "account": self.account,
            "credentials": msgspec.to_builtins(self.credentials), "settings": dict(self._settings), "seed": self.seed,
            "clock": self.clock.as_dict(),
        }  # fmt: skip

    def note(self, what: str, now: float, *values: Any) -> None:
        """Write down a change that no request brought, where there is a journal. The caller holds the lock."""
        if self.journal is not None:
            self.journal.note(what, now, *values)

    def reset(self) -> None:
        """As right after it was created: empty, then its settings and seed again; a fork, as it was forked.

        Credentials stay.
        """
        with self.lock:
            self.clock.reset()
            self._begin(self.id, self.name, self.region)
            if self.journal is not None:
                self.journal.rewrite()

    def watch_settings(self) -> set[str]:
        """The names of the settings read from here on, unless a caller chose them; it grows with every read."""
        with self.lock:
            self._read = set()
            self.state.settings = WatchedSettings(self.state.settings.as_dict(), self._read)
        return self._read

    def _begin(self, id: int, name: str, region: str) -> None:
        options = self._options
        self.state = self._first_state(id, name, region)
        self.tape = Tape(limit=options.tape_limit, limit_bytes=options.tape_limit_bytes, recording=options.recording)
        self.tape.go_on_after(self._numbered)
        self.weather = Weather(_kinds)
        self.windows = Windows()

    def _first_state(self, id: int, name: str, region: str) -> Workspace:
        if self._origin is not None:
            state = fork(self._origin, id=id, name=name)
            if self._stopped_at is not None:
                self.clock.set(self._stopped_at)
            if self._read is not None:
                state.settings = WatchedSettings(state.settings.as_dict(), self._read)
            return state
        state = self._blank(id, name, region)
        if self._seed:
            stopped = stopped_at(self._seed)
            if stopped is not None:
                self.clock.set(stopped)
            from fakeio.core.restoring import plant  # see the module's text

            plant(state, {key: value for key, value in self._seed.items() if key != CLOCK}, self.clock.now())
        return state

    def blank(self) -> Workspace:
        """An empty state for this workspace, with the settings it was created with."""
        return self._blank(self.id, self.name, self.region)

    def _blank(self, id: int, name: str, region: str) -> Workspace:
        values = {**self._options.settings, **self._settings}
        settings = Settings(values) if self._read is None else WatchedSettings(values, self._read)
        return Workspace(id=id, name=name, region=region, settings=settings)


def stopped_at(document: Mapping[str, Any]) -> float | None:
    """Where a snapshot or a seed says that the clock stands, None when it runs; raises SeedError."""
    clock = document.get(CLOCK)
    if clock is None:
        return None
    now: Any = clock.get("now") if isinstance(clock, Mapping) else None
    if not isinstance(now, int | float) or not 0 <= now <= LATEST or clock != {"now": now, "mode": MANUAL}:
        raise SeedError('clock: a clock that stands is {"now": Unix seconds, "mode": "manual"}')
    return float(now)


def _keep(hosted: HostedWorkspace, store: Store) -> Journal:
    from fakeio.edge.journal import Journal  # see the module's text

    hosted.journal = Journal(store, hosted)
    return hosted.journal


def _kinds() -> Mapping[str, type[Effect]]:
    from fakeio.faults import KINDS  # see the module's text

    return KINDS


def _knows(state: Workspace, text: str) -> bool:
    return text in state.deliveries or text in state.exports.links


class Claim(msgspec.Struct, frozen=True):
    """What an `Authorization` header amounts to: where the request belongs, and what its credentials are good for.

    `hosted` is None when nothing in the header is known here. A wrong key beside a known site id still has a place.
    """

    hosted: HostedWorkspace | None
    track: bool = False
    app: bool = False
    service: bool = False


NO_CLAIM = Claim(None)


class Registry:
    """The workspaces of one server. Safe to use from several threads."""

    def __init__(
        self, options: Options | None = None, *, region: str = US, settings: Mapping[str, Any] | None = None,
        seed: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Starts with the default workspace, of that region, settings and seed; raises BadSetting, SeedError."""
        self.options = options or Options()
        self._lock = threading.Lock()
        self._last_id = 0
        self._store: Store | None = None
        self._by_id: dict[int, HostedWorkspace] = {}
        self._by_secret: dict[str, HostedWorkspace] = {}
        self._claims: dict[bytes, Claim] = {}
        self.default = self.create(
            name=DEFAULT_NAME, region=region, settings=settings, seed=seed, credentials=DEFAULT_CREDENTIALS
        )

    def create(
        self, *, name: str | None = None, region: str = US, account: str | None = None,
        settings: Mapping[str, Any] | None = None, seed: Mapping[str, Any] | None = None,
        credentials: Credentials | None = None, origin: HostedWorkspace | None = None, id: int | None = None,
    ) -> HostedWorkspace:  # fmt: skip
        """A workspace with the next id, in an account of its own unless told; raises BadSetting, SeedError.

        `origin` makes it a fork: the same state and time, without the faults and the tape. The caller holds its lock.
        `id` is for one that another process had given it.
        """
        if region not in REGIONS:
            raise ValueError(f"region is one of {', '.join(REGIONS)}, not {region!r}")
        with self._lock:
            number = id or self._last_id + 1
            self._last_id = max(self._last_id, number)
        hosted = HostedWorkspace(
            id=number, name=name or f"workspace {number}", region=region, account=account or f"account {number}",
            credentials=credentials or Credentials.fresh(), options=self.options, settings=settings or {},
            seed=seed or {}, origin=origin,
        )  # fmt: skip
        with self._lock:
            self._by_id[number] = hosted
            self._by_secret |= dict.fromkeys(hosted.credentials.opening(), hosted)
            self._claims = {}
        if self._store is not None:
            with hosted.lock:
                _keep(hosted, self._store).rewrite()
        return hosted

    def keep_in(self, store: Store) -> None:
        """From now on write down what happens, to every workspace there is and will be."""
        self._store = store
        self._last_id = max(self._last_id, store.last_id)
        for hosted in self:
            _keep(hosted, store)

    def fork(
        self, hosted: HostedWorkspace, *, name: str | None = None, account: str | None = None
    ) -> HostedWorkspace:
        """Another workspace with the state and the time of this one; the tape and the faults stay behind."""
        with hosted.lock:
            return self.create(name=name, region=hosted.region, account=account, origin=hosted)

    def remove(self, hosted: HostedWorkspace) -> None:
        """Forget a workspace; its credentials open nothing any more. The default one stays: raises ValueError."""
        if hosted is self.default:
            raise ValueError("the default workspace can't be removed; reset it instead")
        with self._lock:
            self._by_id.pop(hosted.id, None)
            for secret in hosted.credentials.opening():
                self._by_secret.pop(secret, None)
            self._claims = {}
        with hosted.lock:
            if hosted.journal is not None:
                hosted.journal.close()

    def get(self, which: int | str) -> HostedWorkspace | None:
        """By id, as a number or its digits, or `default`."""
        if which == DEFAULT_NAME:
            return self.default
        text = str(which)
        return self._by_id.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def __iter__(self) -> Iterator[HostedWorkspace]:
        return iter(list(self._by_id.values()))

    def by_site_id(self, site_id: str) -> HostedWorkspace | None:
        hosted = self._by_secret.get(site_id)
        return hosted if hosted is not None and hosted.credentials.site_id == site_id else None

    def by_basic(self, site_id: str, key: str) -> HostedWorkspace | None:
        """The workspace that exactly this pair opens."""
        hosted = self.by_site_id(site_id)
        return hosted if hosted is not None and hosted.credentials.track_api_key == key else None

    def by_app_key(self, key: str) -> HostedWorkspace | None:
        hosted = self._by_secret.get(key)
        return hosted if hosted is not None and hosted.credentials.app_api_key == key else None

    def by_service(self, claim: Claim, named: bytes | None) -> HostedWorkspace | None:
        """The workspace that a service account names, if it is one of its own account; else the account's first."""
        own = claim.hosted
        found = self.get(named.decode("latin-1").strip()) if named else None
        return found if own is not None and found is not None and found.account == own.account else own

    def by_delivery(self, delivery_id: str) -> HostedWorkspace | None:
        """The workspace that holds that delivery, or gave out that link to an export."""
        return next((hosted for hosted in self if _knows(hosted.state, delivery_id)), None)

    def claim(self, header: bytes | None) -> Claim:
        """What an `Authorization` header amounts to; looked up once for each header, then remembered."""
        if header is None:
            return NO_CLAIM
        claims = self._claims  # replaced, never emptied: a claim computed from old credentials lands in an old table
        known = claims.get(header)
        if known is None:
            known = self._examine(parse_authorization(header))
            if len(claims) < _CLAIMS_KEPT:
                claims[header] = known
        return known

    def _examine(self, said: Said) -> Claim:
        if said.scheme == BASIC:
            exact = self.by_basic(said.user, said.secret)
            if exact is not None:
                return Claim(exact, track=True)
            return Claim(self._by_secret.get(said.user) or self._by_secret.get(said.secret))
        hosted = self._by_secret.get(said.secret)
        if hosted is None:
            return NO_CLAIM
        bearer = said.scheme == BEARER
        credentials = hosted.credentials
        return Claim(
            hosted,
            app=bearer and said.secret == credentials.app_api_key,
            service=bearer and said.secret == credentials.service_token,
        )
