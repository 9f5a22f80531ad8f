"""The `events` command: its flags, and one run of them."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path

from sync.cli_cohort import filled, project_of
from sync.core.conditions import Condition, parse_condition
from sync.core.conversions import Conversions
from sync.core.errors import ConfigError
from sync.core.mapping import Rules, why_nothing_is_sent
from sync.core.properties import Select
from sync.core.report import Ended
from sync.core.times import parse_moment_s
from sync.edge.console import Console
from sync.edge.ledger import Ledger
from sync.edge.settings import Settings
from sync.run_events import EventsOptions, run_events

ID_TYPES = ("auto", "id", "email", "cio_id")
REJECT, HASH = "reject", "hash"
_NAMES = "may be repeated; @FILE reads one a line"


def add_events_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "source", type=filled, metavar="SOURCE",
        help="an Export API zip, .json.gz, JSONL, a folder or glob of them, - for stdin, or amplitude:export",
    )
    add_rule_arguments(parser)
    add("--dry-run", action="store_true", help="say what would happen; send nothing, write no file")


def add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    """What decides which events are sent, whose, and what of them."""
    add = parser.add_argument
    add("--event", action="append", default=[], metavar="NAME", help=f"send only events of this name; {_NAMES}")
    add("--exclude", action="append", default=[], metavar="NAME", help=f"leave out events of this name; {_NAMES}")
    add(
        "--properties", action="append", default=[], metavar="all|none|NAME",
        help=f"which properties to send (all); {_NAMES}",
    )
    add(
        "--user-properties", action="append", default=[], metavar="all|none|NAME",
        help=f"which user properties to keep as attributes of their people, too (none); {_NAMES}",
    )
    add(
        "--where", action="append", default=[], type=_condition, metavar="CONDITION",
        help="send only rows of which this is true, such as 'country is not US' (is, is not, contains, does not"
        " contain); may be repeated, then all must be true; a property that is missing is never a match",
    )
    add(
        "--id-property", default="user_id", type=filled, metavar="NAME",
        help="user_id, or the user property with the identifier",
    )
    add("--id-type", default="auto", choices=ID_TYPES, help="what kind of identifier it is (auto: by its shape)")
    add("--parity", action="store_true", help="send every value as text and no lists, as Amplitude's own stream does")
    add("--keep-nulls", action="store_true", help="send properties that are null too, in place of leaving them out")
    add(
        "--date-key", action="append", default=[], metavar="NAME",
        help=f"send the date under this property as Unix seconds; {_NAMES}",
    )
    add("--safe-ints", action="store_true", help="send whole numbers beyond 2^53 as text, which keeps their digits")
    add("--max-depth", type=_depth, metavar="N", help="send what is nested deeper than N levels as its JSON in a text")
    add(
        "--long-names", default=REJECT, choices=(REJECT, HASH),
        help="event names of more than 100 bytes: leave the event out (reject), or cut the name and add a digest of it",
    )
    add("--since", type=_moment, metavar="TIME", help="only events from then on: ISO 8601 (UTC), a day, Unix seconds")
    add("--until", type=_moment, metavar="TIME", help="only events before that")


def events(arguments: argparse.Namespace, settings: Settings, console: Console) -> Ended:
    """One run. Raises ConfigError when nothing could be started."""
    options = EventsOptions(source=arguments.source, rules=parse_rules(arguments), dry_run=arguments.dry_run)
    settings.require("site_id", "track_api_key")
    with contextlib.ExitStack() as stack:
        ledger = Ledger.peek(settings.state_path) if options.dry_run else Ledger.open(settings.state_path)
        if ledger is not None:
            stack.enter_context(ledger)
        return run_events(options, settings, ledger, console, project=project_of(options.source))


def parse_rules(arguments: argparse.Namespace) -> Rules:
    """The rules of a run from its flags. Raises ConfigError for flags that contradict each other."""
    rules = Rules(
        events=_event_names("--event", arguments.event) if arguments.event else None,
        exclude=_event_names("--exclude", arguments.exclude),
        properties=_properties(arguments.properties),
        user_properties=_user_properties(arguments.user_properties),
        parity=arguments.parity,
        keep_nulls=arguments.keep_nulls,
        id_property=arguments.id_property,
        id_type=arguments.id_type,
        where=tuple(arguments.where),
        conversions=Conversions(
            safe_ints=arguments.safe_ints, date_keys=frozenset(_names("--date-key", arguments.date_key)),
            max_depth=arguments.max_depth,
        ),
        hash_long_names=arguments.long_names == HASH,
        since=arguments.since,
        until=arguments.until,
    )
    why = why_nothing_is_sent(rules)
    if why:
        raise ConfigError(f"{why}; nothing was sent", hint="look at --event, --exclude, --since and --until")
    return rules


def _properties(given: Sequence[str]) -> Select | frozenset[str]:
    if chosen := _word("--properties", given):
        return chosen
    return frozenset(_names("--properties", given)) if given else Select.ALL


def _user_properties(given: Sequence[str]) -> Select | tuple[str, ...]:
    if chosen := _word("--user-properties", given):
        return chosen
    return tuple(_names("--user-properties", given)) or Select.NONE


def _word(flag: str, given: Sequence[str]) -> Select | None:
    """The one word that stands for all or for none, if that was given."""
    words = {select.value: select for select in Select}
    chosen = [words[one] for one in given if one in words]
    if chosen and len(set(given)) > 1:
        raise ConfigError(
            f"{flag} {chosen[0].value} can't be combined with other properties; nothing was sent",
            hint=f"a property that is really called {chosen[0].value} can be named in a file: {flag} @FILE",
        )
    return chosen[0] if chosen else None


def _event_names(flag: str, given: Sequence[str]) -> frozenset[str]:
    return frozenset(name.strip() for name in _names(flag, given))  # as Customer.io trims them


def _names(flag: str, given: Sequence[str]) -> list[str]:
    """Exact names. `@FILE` stands for the lines of a file, without blank ones; nothing is split at commas.

    Raises ConfigError for a name that is blank and for a file without names: whoever wrote either meant something.
    """
    if not all(one.strip() for one in given):
        raise ConfigError(
            f"{flag} was given an empty name; nothing was sent",
            hint=f"name what you mean (a variable of your shell may not be set), or leave {flag} out",
        )
    return [name for one in given for name in (_lines(flag, one[1:]) if one.startswith("@") else [one])]


def _lines(flag: str, path: str) -> list[str]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"the names in {path} can't be read: {why}", hint="give one name a line, in UTF-8") from error
    names = [line for line in text.split("\n") if line.strip()]
    if not names:
        instead = f", or say {flag} none" if flag == "--properties" else ""
        raise ConfigError(
            f"there is no name in {path}, which {flag} reads; nothing was sent",
            hint=f"write one name a line there, or leave {flag} out{instead}",
        )
    return names


def _condition(text: str) -> Condition:
    try:
        return parse_condition(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(f"{error.message}; {error.hint}") from error


def _depth(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no depth; write a whole number from 1")
    return int(text)


def _moment(text: str) -> int:
    seconds = parse_moment_s(text)
    if seconds is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 2026-08-17, 2026-08-17T09:00:00Z or Unix seconds")
    return seconds
