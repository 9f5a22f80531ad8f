"""Workspace settings and the switches for what nobody knows for sure, as rows.

A row of kind `setting` is something a real workspace owner can choose. A row of kind `switch` is a rule the vendor
does not publish, or states twice differently: its default is our best reading and its grade says how good that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DOCUMENTED, RECORDED, CLIENT_TESTED, ASSUMED = "documented", "recorded", "client-tested", "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting. `choices` lists its values; empty means a number from 0 to LARGEST (see `says` for the unit).

    Such a number is whole, but for seconds: the names of those end in `_s`.
    """

    name: str
    kind: str  # setting | switch
    default: Any
    choices: tuple[Any, ...]
    says: str
    grade: str
    source: str


def _setting(name: str, default: Any, choices: tuple[Any, ...], says: str, source: str, grade: str = DOCUMENTED) -> Row:
    return Row(name=name, kind="setting", default=default, choices=choices, says=says, grade=grade, source=source)


def _switch(name: str, default: Any, choices: tuple[Any, ...], says: str, source: str, grade: str = ASSUMED) -> Row:
    return Row(name=name, kind="switch", default=default, choices=choices, says=says, grade=grade, source=source)


_IDENTIFYING = "Workspace settings > identifying people"
_SILENT = "the vendor's pages are silent"
_ON_OFF = (True, False)
_YES_NO = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
LARGEST = 1_000_000_000  # of a number: 31 years in seconds. What falls due later than clocks reach is never read back

ROWS: tuple[Row, ...] = (
    _setting("identifiers", "email_or_id", ("email_or_id", "id", "email"), "what identifies a person", _IDENTIFYING),
    _setting("phone_identifier", False, _ON_OFF, "phone numbers in E.164 identify people too, v2 only", _IDENTIFYING),
    _setting("email_updates_by_id", False, _ON_OFF, "an id path may change an email that is already set", _IDENTIFYING),
    _setting("auto_merge", True, _ON_OFF, "an id-only and an email-only profile named in one identify become one",
             "Workspace settings > multi-identifier profile merge"),
    _setting("anonymous_merge", True, _ON_OFF, "identify with an anonymous_id adopts its events", "Anonymous events"),
    _setting("trim_event_names", True, _ON_OFF, "white space around event names goes; workspaces of before 2021-09-21 "
             "keep it", "Track API > Events"),
    _setting("sending", "allowed", ("allowed", "owner_unconfirmed", "account_unapproved", "do_not_send"),
             "whether the account and the workspace may send at all", "App API > Transactional > errors"),
    _setting("sender_domains", "verified", ("verified", "unverified"), "the domains of sender addresses",
             "App API > Transactional > errors"),
    _setting("push_enabled", True, _ON_OFF, "the workspace sends push messages", "App API > Transactional > errors"),
    _setting("sms_enabled", True, _ON_OFF, "the workspace sends SMS", "App API > Transactional > errors"),
    _setting("in_app_authorized", True, _ON_OFF, "the account may send transactional in-app and inbox messages",
             "App API > Transactional > errors"),
    _setting("send_creates_person", False, _ON_OFF, "a transactional message to somebody unknown creates the person",
             "Workspace settings > transactional messages", ASSUMED),
    _setting("app_key_scope", "all", ("all", "read", "send", "no_people"), "what the App API key may do; else 403",
             "App API > Authentication; a connector is refused people", CLIENT_TESTED),
    _setting("fetch_from", "loopback", ("loopback", "anywhere", "nowhere"),
             "where files named by URL come from; loopback includes file:", "this project"),
    _switch("rate_limits", "enforced", ("enforced", "off"), "whether any rate limit answers 429",
            "App API > Rate limits", DOCUMENTED),
    _switch("app_rate_limit", 10, (), "App API requests a second (0: none)", "App API > Rate limits", DOCUMENTED),
    _switch("track_rate_limit", 0, (), "Track API requests a second before 429 (0: none)",
            "Track API > Rate Limits: 1000 or 100 a second, not strictly enforced; no 429 is described"),
    _switch("send_rate_limit", 0, (), "transactional sends a second before 429 (0: none)",
            "App API > Rate limits: 3000 in 3 seconds, not strictly enforced; older text: 100 a second"),
    _switch("send_body_kb", 2048, (2048, 2548), "the largest body of a send, and what its refusal says",
            "App API > Transactional; a public report quotes 2548", DOCUMENTED),
    _switch("send_email_identifiers", "optional", ("optional", "required"), "an email that names no person",
            "the contract requires `to` alone; clients always send identifiers", DOCUMENTED),
    _switch("delivery_visible_s", 0, (), "seconds until a message that was accepted can be read",
            "a client polls and takes 404 for not yet", CLIENT_TESTED),
    _switch("broadcast_s", 0, (), "seconds until a broadcast that was triggered is sent",
            "App API > Broadcasts: asynchronous, no figure"),
    _switch("export_s", 0, (), "seconds an export takes", "App API > Exports: asynchronous, no figure"),
    _switch("export_empty_list", "null", ("null", "list"), "the list of exports when there are none",
            "a recorded answer", RECORDED),
    _switch("export_link_key", "url", ("url", "link"), "the name of an export's link",
            "the contract says url, a client's comment link", DOCUMENTED),
    _switch("export_pending_download", "404", ("404", "400"), "a link for an export that is not done", _SILENT),
    _switch("import_s", 0, (), "seconds an import takes", "App API > Imports: asynchronous, no figure"),
    _switch("import_event_only_new", "400", ("400", "failed"), "an import of events for new people only",
            "App API > Imports says what is allowed, not how the rest fails"),
    _switch("limits_reading", "lenient", ("lenient", "strict"), "how `32kb` and `500kb` are read",
            "Track API > Rate Limits, which contradicts its own operations"),
    _switch("event_creates_person", True, _ON_OFF, "an event for an unknown id or email creates the person",
            "hinted at by Track API > Delete; reported from production", CLIENT_TESTED),
    _switch("device_creates_person", True, _ON_OFF, "a device for an unknown id or email creates the person",
            "as other writes by identifier do; nothing is published"),
    _switch("segment_unknown_person", "ignore", ("ignore", "create"), "an unknown person in an add call",
            "Manual segments guide; editions before 2020 say `create`", DOCUMENTED),
    _switch("segment_unknown_id", "accept", ("accept", "400", "404"), "an add or remove call on no known segment",
            _SILENT),
    _switch("segment_dynamic_write", "accept", ("accept", "400"), "an add or remove call on a data-driven segment",
            "Manual segments guide says it is not possible, not how it fails"),
    _switch("batch_all_invalid", "207", ("207", "400"), "a v2 batch in which every item is invalid",
            "Track API > v2 batch, read literally", CLIENT_TESTED),
    _switch("batch_empty", "400", ("400", "200"), "a v2 batch of no items", _SILENT),
    _switch("identify_relabel", "when_unset", ("when_unset", "replace"),
            "a new id in the path with an email whose owner already has another id",
            "Track API > Identify: the tip and the rule disagree"),
    _switch("event_blank_name_text", "name cannot be blank", ("name cannot be blank", "event name must not be blank"),
            "the words for an event without a name", "Invalid requests shows both", DOCUMENTED),
    _switch("integer_body_id", "accept", ("accept", "refuse"), "an identify whose body has a number as id",
            "Invalid requests lists a message; Ruby callers send numbers"),
    _switch("track_wrong_region", "pass", ("pass", "redirect_307", "redirect_301", "401"),
            "EU credentials on the US Track host", "Track API > Regions says redirected or passed on"),
    _switch("app_wrong_region", "401", ("401", "redirect_301"), "EU credentials on the US App host",
            "connectors expect 401", CLIENT_TESTED),
    _switch("event_dedupe_key", "any_text", ("any_text", "ulid_only"), "which event ids de-duplicate",
            "Track API > Events says ULID; clients send message ids"),
    _switch("event_dedupe_scope", "workspace", ("workspace", "person"), "among whose events an id is new", _SILENT),
    _switch("event_dedupe_window_s", 0, (), "seconds for which an event's id is remembered (0: for ever)", _SILENT),
    _switch("event_error_key", "error", ("error", "errors"), "where a refused event's words stand below `meta`",
            "Invalid requests shows `error`, the contract `errors`", DOCUMENTED),
    _switch("event_name_limit", "100_bytes", ("100_bytes", "500_characters"), "how long an event name may be",
            "Invalid requests says both; 100 bytes is the newer", DOCUMENTED),
    _switch("event_timestamp_text", "accept", ("accept", "refuse"), "an event whose timestamp is text or has a point",
            "the contract says integer; one client sends digits in quotes"),
    _switch("unpublished_texts", "worded", ("worded", "opaque"),
            "errors whose words nobody has published say what is wrong, or just `invalid`", _SILENT),
    _switch("v2_error_reason", "by_rule", ("by_rule", "invalid"),
            "`reason` of v2 errors: required, invalid or parse_error, or the only one ever seen",
            "Track API > v2 batch names the key, not its words"),
    _switch("v2_null_identifier_text", "not_text", ("not_text", "null"),
            "a null v2 identifier: `id must be a string value` or `Invalid identifier: id cannot be null`",
            "the second stands in a client's tests"),
    _switch("batch_too_large_status", "400", ("400", "413"), "a v2 batch that is too large",
            "Track API > v2 batch has the limit, not how it fails"),
    _switch("track_rate_limited_body", "json", ("json", "text"), "the body of a 429 of the Track API",
            "none is described; one client's tests have the text `rate limited`"),
    _switch("region_answer", "region", ("region", "both", "data_center"), "the key of the region in accounts/region",
            "Track API > Account; clients of 2021 read data_center", CLIENT_TESTED),
    _switch("suppressed_in_body", "drop_call", ("drop_call", "drop_identifier"),
            "an identify of somebody free whose body has a suppressed id or email", _SILENT),
    _switch("identify_two_people", "path", ("path", "body"),
            "who gets the attributes when path and body name two people", _SILENT),
    _switch("failed_identifier_rest", "apply", ("apply", "drop"),
            "attributes beside an identifier that could not be set", _SILENT),
    _switch("email_case", "last_written", ("last_written", "first_written"),
            "the spelling of an email that is written again in another case", _SILENT),
    _switch("email_malformed", "fails", ("fails", "store"), "an email in the body of an identify that is no address",
            f"the rest is written, the activity log has a failed change; {_SILENT}"),
    _switch("person_empty_value", "remove", ("remove", "keep"), "null or empty text as the value of an attribute",
            "said of objects and relationships only"),
    _switch("person_attributes", 300, (), "attributes that one person may have in all (0: any number)",
            "Track API > Identify: 300 a person or an identify call; what becomes of more is not said", DOCUMENTED),
    _switch("person_attributes_kb", 0, (), "kB of JSON that one person's attributes may take in all (0: any number)",
            "100 KB is said of objects and relationships, nothing of people"),
    _switch("person_devices", 0, (), "devices that one person may have (0: any number)", _SILENT),
    _switch("device_token_taken", "move", ("move", "keep_both"), "a device token that another person has", _SILENT),
    _switch("anonymous_late_events", "never", ("never", "identify_again"),
            "whether another identify picks up anonymous events that came more than five minutes after the first",
            "Anonymous events; editions before say that it does", DOCUMENTED),
    _switch("merge_identifiers", "fill_gaps", ("fill_gaps", "primary_only"),
            "a merge hands over an identifier that the primary lacks", _SILENT),
    _switch("merge_devices", "union", ("union", "primary_only"), "a merge hands over devices", _SILENT),
    _switch("merge_preferences", "primary", ("primary", "per_topic"),
            "topics of which the primary of a merge says nothing, though it has preferences",
            "Merge people guide; practitioners write an empty map to keep the other's out", CLIENT_TESTED),
    _switch("merge_event_history", "all", ("all", "30_days"), "events that a merge hands over",
            "Merge people guide says all, in an hour; Track API > Merge says 30 days", DOCUMENTED),
    _switch("form_identifiers", "one", ("one", "several"), "a form with both id and email",
            "Track API > Forms: one paragraph says at least one, another exactly one", DOCUMENTED),
    _switch("unsubscribe_false", "resubscribe", ("resubscribe", "ignore"), "`unsubscribe: false` of a delivery's link",
            "one client offers it; its effect is not said"),
    _switch("relationship_creates_object", True, _ON_OFF, "a relationship with an unknown object makes the object",
            _SILENT),
    _switch("object_type_unknown", "accept", ("accept", "400"), "an object of a type that nobody has made", _SILENT),
    _switch("segment_remove_id_type", "honoured", ("honoured", "ids_only"), "id_type of remove_customers",
            "its parameters have it, its prose says that people need an id", DOCUMENTED),
    _switch("track_segment_id_malformed", "400", ("400", "404"), "a Track segment path whose id is no number", _SILENT),
    _switch("future_event_triggers", "at_receipt", ("at_receipt", "never"),
            "whether an event dated in the future may trigger campaigns", _SILENT),
    _switch("object_type_id_shape", "text", ("text", "number"), "the object_type_id of a person's relationships",
            "App API > Relationships says a number; text was read from the service", CLIENT_TESTED),
    _switch("customers_attributes_shape", "flat", ("flat", "wrapped"), "items of POST /v1/customers/attributes",
            "reference and working connectors disagree", CLIENT_TESTED),
    _switch("attributes_ids_empty", "200", ("200", "400"), "POST /v1/customers/attributes that names nobody",
            "the contract asks for at least one id, a connector is answered with nobody", CLIENT_TESTED),
    _switch("activity_type_unknown", "400", ("400", "empty"), "activities of a type that is not published",
            "App API > Activities lists the types, not what another one leads to"),
    _switch("error_reference", "off", ("off", "on"), "errors of the App API end with a support reference",
            "most published texts have one, recorded answers have none", RECORDED),
    _switch("empty_lists", "list", ("list", "null"), "empty lists of the App API, but for exports and people by email",
            "both are recorded, of different lists", RECORDED),
    _switch("pipelines_limits", "32_kb", ("32_kb", "64_kb"),
            "how much one Pipelines call takes, a batch 500 kB or 1 MB; decides nothing while none is imitated",
            "Pipelines API > Limits; texts of others say 64 kB and 1 MB", DOCUMENTED),
    _switch("delete_segment_in_use", "allow", ("allow", "reject"), "deleting a segment that something uses", _SILENT),
    _switch("delete_segment_dynamic", "allow", ("allow", "reject"), "deleting a data-driven segment",
            "App API > Segments > delete speaks of manual ones only"),
    _switch("segment_name_duplicate", "allow", ("allow", "400"), "creating a second segment of one name", _SILENT),
    _switch("segment_id_malformed", "404", ("404", "400"), "a segment id in the path that is not a number", _SILENT),
    _switch("page_limit_over", "clamp", ("clamp", "400"), "a page size above the published largest", _SILENT),
    _switch("bad_filter_status", "422", ("422", "400"), "a people search whose filter is malformed",
            "the contract lists neither; a connector maps 422", CLIENT_TESTED),
    _switch("segment_build_s", 0, (), "seconds a data-driven segment takes to build", "App API > Segments > state"),
    _switch("propagation_delay_s", 0, (), "seconds until an accepted write can be read",
            "reading at once may be stale; no figure is published", CLIENT_TESTED),
)
CATALOGUE: Mapping[str, Row] = {row.name: row for row in ROWS}


class BadSetting(ValueError):
    """A name nobody knows or a value that is no choice; the message says what is allowed, or what may be meant."""


class Settings:
    """The settings of one workspace, read as attributes: `settings.auto_merge`. Immutable: `with_` makes another."""

    email_identifies: bool
    id_identifies: bool

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        merged = {row.name: row.default for row in ROWS}
        for name, value in (values or {}).items():
            merged[name] = _checked(name, value)
        self._values = merged
        self.__dict__.update(merged)  # some are read several times a request; `__getattr__` is ten times slower
        self.email_identifies = merged["identifiers"] != "id"
        self.id_identifies = merged["identifiers"] != "email"

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def with_(self, changes: Mapping[str, Any]) -> Settings:
        """These settings with some replaced; raises BadSetting."""
        return Settings({**self.changed(), **changes})

    def as_dict(self) -> dict[str, Any]:
        """Every setting by name, as JSON values."""
        return dict(self._values)

    def changed(self) -> dict[str, Any]:
        """Only those that differ from their default."""
        return {name: value for name, value in self._values.items() if value != CATALOGUE[name].default}


def _unknown(name: Any) -> str:
    from difflib import get_close_matches  # here, since every start of a server would pay for it

    meant = get_close_matches(str(name), CATALOGUE, n=3, cutoff=0.5)
    hint = f"perhaps {' or '.join(meant)} is meant; " if meant else ""
    return f"there is no setting {name!r:.60}; {hint}`fakeio settings` lists all {len(CATALOGUE)}"


def _checked(name: str, value: Any) -> Any:
    """`value` as the setting keeps it; raises BadSetting."""
    row = CATALOGUE.get(name)
    if row is None:
        raise BadSetting(_unknown(name))
    found = _chosen(row, value) if row.choices else _measured(row, value)
    if found is None:
        raise BadSetting(f"{name} is {_allowed(row)}, not {value!r:.60}")
    return found


def _chosen(row: Row, value: Any) -> Any:
    """The choice that is meant: 400 stands for "400" and "yes" for true, as people write them in TOML and JSON."""
    spelled = _YES_NO.get(value, value) if isinstance(value, str) and row.choices == _ON_OFF else value
    number = str(spelled) if isinstance(spelled, int) and not isinstance(spelled, bool) else None
    # True == 1 in Python: compare types as well, so that 1 is not taken for True
    same = (choice for choice in row.choices if choice in (spelled, number) and type(choice) in (type(spelled), str))
    return next(same, None)


def _measured(row: Row, value: Any) -> Any:
    """The number that is meant; none is 0, which is how every row without choices says that there is no limit."""
    if value is None or value == "none":
        return 0
    if isinstance(value, float) and value.is_integer():
        return _measured(row, int(value))
    kinds = (int, float) if row.name.endswith("_s") else (int,)
    fits = isinstance(value, kinds) and not isinstance(value, bool) and 0 <= value <= LARGEST
    return value if fits else None


def _allowed(row: Row) -> str:
    if row.choices:
        return f"one of {', '.join(map(repr, row.choices))}"
    return f"a {'number' if row.name.endswith('_s') else 'whole number'} from 0 to {LARGEST}"
