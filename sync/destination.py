"""Opens one destination: finds its region, proves the credentials, hands back a driver aimed at the right hosts.

Runs before anything about a person leaves the machine: an account in another region than the configured one stops the
run here. Urls that answers contain are read for their words, never connected to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sync.core.errors import InDoubt, Refused, SendError, Throttled, Unauthorised, Unreachable
from sync.core.ports import Clock
from sync.core.sending import Fate, FateKind, Reply, Request, RetryPolicy
from sync.core.verdicts import is_answer, quotable, say
from sync.core.wire_account import APP_PROBE, REGION, Account, parse_account, parse_workspaces
from sync.edge.console import Console
from sync.edge.pacing import Pacing, SharedPacing
from sync.edge.settings import EU, HOSTS, US, Settings
from sync.edge.transport import Endpoints, Network, Transport
from sync.run import Driver


class Counts:
    """Requests and retries at every host that a run talked to, the ones that only told the region included."""

    def __init__(self) -> None:
        self.drivers: list[Driver] = []

    @property
    def requests(self) -> int:
        return sum(driver.requests for driver in self.drivers)

    @property
    def retries(self) -> int:
        return sum(driver.retries for driver in self.drivers)


class Destination:
    """An account that can be sent to. A context manager: leaving it closes every connection."""

    def __init__(
        self,
        settings: Settings,
        console: Console,
        *,
        policy: RetryPolicy | None = None,
        network: Network | None = None,
        clock: Clock | None = None,
        shared: bool = False,
    ) -> None:
        """Connects to nothing yet; see `connect`. `network` replaces the wire in tests, `clock` the machine's time.

        `shared`: keep to the rates together with all other processes, by files beside the ledger; raises LedgerError.
        """
        self._settings = settings
        self._console = console
        console.hide(settings.track_api_key, settings.app_api_key)
        self._policy = policy
        self._network = network
        self._clock = clock
        self.rates_per_s = rates = {"track": settings.track_rate_per_s, "app": settings.app_rate_per_s}
        folder = settings.state_path.parent
        self._pacing = SharedPacing(folder, settings.site_id, rates) if shared else Pacing(rates)
        self._transports: list[Transport] = []
        self._counts = Counts()
        self._driver: Driver | None = None
        self.region = settings.region
        self.called = settings.called

    @property
    def driver(self) -> Driver:
        """Sends to the account, once `connect` was called."""
        assert self._driver is not None, "connect() comes first"
        return self._driver

    @property
    def requests(self) -> int:
        return self._counts.requests

    @property
    def retries(self) -> int:
        return self._counts.retries

    def connect(self) -> Account | None:
        """Prove the Track credentials and settle the region. Returns what the account said of itself, if it did.

        Raises Unauthorised (wrong credentials, or another region than configured), Unreachable, Throttled, InDoubt.
        """
        asked = self._settings.region or US
        driver = self._driver = self._open(asked)
        fate = driver.send(REGION, usable=_readable)
        other = EU if asked == US else US
        if self._elsewhere(fate):
            fate = self._ask(other, fate)
        account = _account(fate, self._settings)
        home = account.home if account else asked
        self._agree(home)
        self.region = home
        self._driver = driver if home == asked else self._open(home)
        return account

    def send(self, request: Request, what: str, usable: Callable[[Reply], bool] = lambda reply: True) -> Reply:
        """Send something a run can't go on without, and return its accepted reply. `what` names it in errors."""
        return expect(self.driver.send(request, usable), what, request.api)

    def prove_app_key(self, account: Account | None) -> None:
        """Raise Unauthorised unless the App API takes its key, and the key is of the same account as the other two
        (as far as both sides tell). Segments are numbered per workspace: a key of another one would have us write to
        whatever segment has the same number here."""
        fate = self.driver.send(APP_PROBE, usable=is_answer)
        if fate.reply is not None and fate.reply.status in (403, 404):
            return  # a good key, but one that may not list workspaces
        workspaces = parse_workspaces(expect(fate, "proving CIO_APP_API_KEY", "app"))
        ours = account.environment_id if account is not None else None
        if workspaces and ours is not None and ours not in workspaces:
            raise Unauthorised(
                f"CIO_APP_API_KEY works, but not for workspace {ours}, which CIO_SITE_ID names",
                hint="use an App API key of the same workspace",
                code="other_workspace",
            )

    def _elsewhere(self, fate: Fate) -> bool:
        """Whether the other region's host might know these credentials: only when no url is prescribed."""
        redirected = fate.kind is FateKind.REFUSED and fate.reply is not None and 300 <= fate.reply.status < 400
        return not self._settings.track_url and (redirected or fate.kind is FateKind.UNAUTHORISED)

    def _ask(self, region: str, first: Fate) -> Fate:
        second = self._open(region).send(REGION, usable=_readable)
        return second if second.kind is FateKind.ACCEPTED else first

    def _agree(self, home: str) -> None:
        wanted = self._settings.region
        if wanted and wanted != home:
            raise Unauthorised(
                f"these credentials belong to the {home.upper()} region, but CIO_REGION is {wanted};"
                " no data left this machine",
                hint=f"set CIO_REGION={home}, or leave it empty",
                code="wrong_region",
            )

    def _open(self, region: str) -> Driver:
        hosts: Mapping[str, str] = HOSTS[region]
        endpoints = Endpoints(
            track_url=self._settings.track_url or hosts["track"],
            app_url=self._settings.app_url or hosts["app"],
            site_id=self._settings.site_id,
            track_api_key=self._settings.track_api_key,
            app_api_key=self._settings.app_api_key,
        )
        transport = Transport(endpoints, transport=self._network)
        self._transports.append(transport)
        driver = Driver(
            transport, pacing=self._pacing, policy=self._policy, clock=self._clock, on_wait=self._console.waiting
        )
        self._counts.drivers.append(driver)
        return driver

    def __enter__(self) -> Destination:
        return self

    def __exit__(self, *_: object) -> None:
        for transport in self._transports:
            transport.close()
        self._pacing.close()


class _Blame(NamedTuple):
    names: str
    hint: str


_BLAME = {
    "track": _Blame("CIO_SITE_ID and CIO_TRACK_API_KEY", "Settings > Account settings > API credentials > Track"),
    "app": _Blame("CIO_APP_API_KEY", "Settings > Account settings > API credentials > App"),
}


def refused_credentials(api: str, status: int) -> Unauthorised:
    """The error for a 401 or 403, naming the credential that was wrong."""
    names, where = _BLAME[api]
    verb = "were" if status != 403 and api == "track" else "was"
    said = f"{names} may not do this" if status == 403 else f"{names} {verb} refused"
    return Unauthorised(f"{said} (Customer.io answered {status})", hint=f"compare with {where}, then `cio-sync check`")


def expect(fate: Fate, what: str, api: str, *, named: bool = False) -> Reply:
    """The reply of a request that was accepted; raises the SendError that fits any other end. `named`: the request
    named people, so the destination's words may do so too, and are not repeated."""
    if fate.kind in (FateKind.ACCEPTED, FateKind.PARTIAL) and fate.reply is not None:
        return fate.reply
    if fate.kind is FateKind.UNAUTHORISED and fate.reply is not None:
        raise refused_credentials(api, fate.reply.status)
    raise _error(fate, what, named=named)


def _error(fate: Fate, what: str, *, named: bool) -> SendError:
    if fate.kind is FateKind.REFUSED and fate.reply is not None:
        said = "" if named else quotable(fate.reply)
        return Refused(f"{what}: Customer.io answered {fate.reply.status}{f' ({said})' if said else ''}")
    kind = {FateKind.THROTTLED: Throttled, FateKind.UNREACHABLE: Unreachable}.get(fate.kind, InDoubt)
    return kind(f"{what}: {say(fate)}", hint="run it again later: what was sent is remembered")


def _readable(reply: Reply) -> bool:
    return parse_account(reply) is not None


def _account(fate: Fate, settings: Settings) -> Account | None:
    """What the account said. A server that knows no regions (404) is believed where its url was prescribed."""
    unknown = fate.kind is FateKind.REFUSED and fate.reply is not None and fate.reply.status == 404
    if unknown and settings.track_url:
        return None
    return parse_account(expect(fate, "asking for the account's region", "track"))
