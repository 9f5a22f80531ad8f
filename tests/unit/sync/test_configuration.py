"""What a sync.toml may say, and how each mistake in it is told."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from sync.core.conditions import Condition
from sync.core.configuration import Sync, choose, parse_configuration
from sync.core.conversions import Conversions
from sync.core.errors import ConfigError
from sync.core.mapping import Rules
from sync.core.properties import Select
from sync.edge.config_file import settings_of
from sync.running import rules_of

WHOLE = """
[engine]
track_rate = 50
workers = 2

[sources.shop]
amplitude = "eu"
api_key = "SHOP_KEY"
secret_key = "SHOP_SECRET"

[sources.exports]
files = "exports/*.gz"

[destinations.production]
region = "eu"

[syncs.vip]
kind = "cohort"
source = "shop"
cohort = "abc123"
destination = "production"
cadence = "hourly"

[syncs.orders]
kind = "events"
source = "exports"
destination = "production"
cadence = "minute"
enabled = false
events = ["order"]
properties = ["total"]

[notifications]
webhook = "OPS_WEBHOOK"
on = ["failed"]
"""


def edited(*changes: tuple[str, str]) -> dict[str, Any]:
    text = WHOLE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return tomllib.loads(text)


def test_a_whole_file_is_read() -> None:
    read = parse_configuration(edited())
    assert read.syncs == {
        "vip": Sync(kind="cohort", source="shop", destination="production", cadence="hourly", cohort="abc123"),
        "orders": Sync(
            kind="events", source="exports", destination="production", cadence="minute", enabled=False,
            events=["order"], properties=["total"],
        ),
    }  # fmt: skip
    assert (read.engine.track_rate, read.engine.workers, read.sources["shop"].amplitude) == (50, 2, "eu")
    assert (read.notifications.webhook, read.notifications.on) == ("OPS_WEBHOOK", ("failed",))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param([('cadence = "hourly"', 'cadence = "weekly"')], "[syncs.vip] is wrong", id="an unknown cadence"),
        pytest.param([('cadence = "hourly"', "candence = 1")], "[syncs.vip] is wrong", id="a misspelt key"),
        pytest.param([('destination = "production"\ncadence = "minute"', "")], "[syncs.orders]", id="a key is missing"),
        pytest.param([('region = "eu"', 'region = "mars"')], "[destinations.production]", id="an unknown region"),
        pytest.param([('secret_key = "SHOP_SECRET"', "secret_key = 1")], "[sources.shop]", id="a key that is no name"),
        pytest.param([("[engine]", "[engines]")], "engines", id="a misspelt table"),
        pytest.param([('source = "shop"', 'source = "shops"')], "[sources.shops]", id="an unknown source"),
        pytest.param([('destination = "production"', 'destination = "x"')], "'x'", id="an unknown destination"),
        pytest.param([('cohort = "abc123"\n', "")], "needs `cohort`", id="no cohort at an Amplitude source"),
        pytest.param([('source = "shop"', 'source = "exports"')], "no `cohort`", id="a cohort of files"),
        pytest.param([('kind = "cohort"', 'kind = "events"')], "no cohort", id="a key of the other kind"),
        pytest.param([('kind = "events"', 'kind = "cohort"')], "events or properties", id="keys of the other kind"),
        pytest.param([('amplitude = "eu"\n', "")], "either", id="a source of nothing"),
        pytest.param([('files = "exports/*.gz"', 'files = "x"\namplitude = "us"')], "either", id="a source of both"),
        pytest.param([('cohort = "abc123"', 'cohort = "abc"\nid_type = "auto"')], "one kind", id="ids of any kind"),
        pytest.param([('cohort = "abc123"', 'cohort = "abc"\nmax_removal_share = 2')], "0 and 1", id="a share of two"),
        pytest.param([('on = ["failed"]', 'on = ["never"]')], "notifications", id="an unknown status"),
        pytest.param([('events = ["order"]', 'where = ["country = US"]')], "country = US", id="no condition"),
        pytest.param([('events = ["order"]', 'max_depth = 0')], "max_depth", id="no depth at all"),
        pytest.param([("workers = 2", 'workers = "two"')], "workers", id="another type"),
        pytest.param([("workers = 2", "syncs_at_once = 0")], "syncs_at_once", id="no sync at a time"),
        pytest.param([("workers = 2", 'diff = "sql"')], "diff", id="an unknown way to compare"),
        pytest.param([('events = ["order"]', "events = []")], "names no event", id="no event at all"),
        pytest.param([('properties = ["total"]', "properties = []")], "names no property", id="no property at all"),
        pytest.param([('["order"]', '["order"]\nexclude = [" order"]')], "every event", id="all events left out again"),
        pytest.param([('events = ["order"]', 'events = ["a", " "]')], "`events` that is blank", id="a blank event"),
        pytest.param([('events = ["order"]', 'id_property = " "')], "`id_property`", id="a blank property"),
        pytest.param([('cohort = "abc123"', 'cohort = " "')], "`cohort` that is blank", id="a blank cohort"),
        pytest.param([('files = "exports/*.gz"', 'files = " "')], "`files` that is blank", id="a blank path"),
    ],
)
def test_a_mistake_is_told_with_its_place(changes: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_configuration(edited(*changes))
    assert says in refused.value.message
    assert refused.value.hint


TWO = """
[syncs.two]
kind = "cohort"
source = "exports"
destination = "{destination}"
enabled = {enabled}
name = "{name}"
{segment}
[destinations.twin]
[destinations.staging]
site_id = "OTHER_SITE_ID"
"""


@pytest.mark.parametrize(
    ("two", "refused"),
    [
        pytest.param({"name": "vip"}, True, id="the name of the other table"),
        pytest.param({"name": "x", "segment": "segment_id = 7"}, True, id="the same segment"),
        pytest.param({"name": "x", "segment": "segment_id = 8"}, False, id="another name and segment"),
        pytest.param({"name": "vip", "enabled": "false"}, False, id="one that is not enabled"),
        pytest.param({"name": "vip", "destination": "twin"}, True, id="the same workspace under another name"),
        pytest.param({"name": "vip", "destination": "staging"}, False, id="another workspace"),
    ],
)
def test_two_syncs_may_not_fill_one_segment(two: dict[str, str], refused: bool) -> None:
    plain = {"destination": "production", "enabled": "true", "segment": ""}
    table = TWO.format(**{**plain, **two})
    text = [('["failed"]', '["failed"]' + table), ('cohort = "abc123"', 'cohort = "a"\nsegment_id = 7')]
    if not refused:
        assert "two" in parse_configuration(edited(*text)).syncs
        return
    with pytest.raises(ConfigError) as error:
        parse_configuration(edited(*text))
    assert error.value.message.startswith("[syncs.two] fills the segment of [syncs.vip]")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [([], ["vip"]), (["orders"], ["orders"]), (["orders", "vip"], ["orders", "vip"])],
    ids=["all that are enabled", "a disabled one by its name", "in the order given"],
)
def test_syncs_are_chosen(names: list[str], chosen: list[str]) -> None:
    assert list(choose(parse_configuration(edited()), names)) == chosen


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as refused:
        choose(parse_configuration(edited()), ["vips"])
    assert "vip, orders" in refused.value.hint


def test_a_file_without_syncs_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as refused:
        choose(parse_configuration({}), [])
    assert "no syncs" in refused.value.message


def test_a_sync_of_user_properties_alone_may_leave_out_every_event() -> None:
    keys = 'events = ["order"]\nexclude = ["order"]\nuser_properties = "all"\nwhere = []\ndate_keys = []'
    assert parse_configuration(edited(('events = ["order"]', keys))).syncs["orders"].exclude == ["order"]


def test_an_edited_table_is_another_sync() -> None:
    before, after = (parse_configuration(edited(*changes)) for changes in ([], [("abc123", "abc124")]))
    assert before.syncs["vip"].digest() != after.syncs["vip"].digest()
    assert before.syncs["orders"].digest() == after.syncs["orders"].digest()


def test_the_keys_of_an_events_sync_are_the_flags_of_its_command() -> None:
    keys = """user_properties = ["b", "a"]
where = ["country is not US"]
date_keys = ["born"]
safe_ints = true
max_depth = 3
long_names = "hash"
properties = "none"
"""
    sync = parse_configuration(edited(('events = ["order"]\nproperties = ["total"]\n', keys))).syncs["orders"]
    assert rules_of(sync) == Rules(
        user_properties=("b", "a"), where=(Condition("", "country", "is not", "US"),), hash_long_names=True,
        conversions=Conversions(date_keys=frozenset({"born"}), safe_ints=True, max_depth=3), properties=Select.NONE,
    )  # fmt: skip
    assert rules_of(parse_configuration(tomllib.loads(WHOLE)).syncs["orders"]).user_properties is Select.NONE


def test_a_credential_that_stands_where_its_name_should_be_is_not_repeated() -> None:
    secret = "5e1f0c2d9b7a4c3e8f60"
    read = parse_configuration(edited(('region = "eu"', f'track_api_key = "{secret}"')))
    with pytest.raises(ConfigError) as refused:
        settings_of(read, read.destinations["production"], {"CIO_SITE_ID": "s"}, {})
    said = "(a name that is not in capitals) and CIO_APP_API_KEY are not set; nothing was sent"
    assert (refused.value.message, secret in refused.value.hint) == (said, False)
