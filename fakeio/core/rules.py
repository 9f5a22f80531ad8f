"""Every rule that an outcome can carry: its id, what it says, how sure we are and where that comes from.

An `Ignored` or `Refused` whose rule is not listed here is a bug that the tests catch. `effect` tells readers of the
ignored list what kind of nothing happened: `dropped` (somebody meant something and it is gone), `partial` (the rest of
the operation was applied) or `unchanged` (the state was already so).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fakeio.core import limits
from fakeio.core.settings import ASSUMED, CLIENT_TESTED, DOCUMENTED, RECORDED

DROPPED, PARTIAL, UNCHANGED, REFUSED = "dropped", "partial", "unchanged", "refused"


@dataclass(frozen=True, slots=True)
class Rule:
    """One behaviour of the service, in our words."""

    id: str
    says: str
    grade: str
    source: str
    effect: str


_INVALID = "Track API > Invalid requests"
_IDENTIFY = "Track API > Identify"
_SEGMENTS = "Manual segments guide"
_SUPPRESS = "Track API > Suppress"
_V2 = "Track API > v2"
_METRICS = "Track API > Metrics"
_BROADCASTS = "App API > Broadcasts"
_SENDS = "App API > Transactional"
_SILENT = "the vendor's pages are silent"

_ROWS = (
    # accepted, and nothing came of it
    Rule("person.suppressed", "calls that name a suppressed identifier are accepted and dropped",
         DOCUMENTED, _SUPPRESS, DROPPED),
    Rule("person.unknown", "nobody has this identifier, and this call creates nobody", DOCUMENTED, _IDENTIFY, DROPPED),
    Rule("person.unknown_cio_id", "a cio_id that belongs to nobody drops the whole call",
         DOCUMENTED, _IDENTIFY, DROPPED),
    Rule("person.unchanged", "the person already has these values", DOCUMENTED, _IDENTIFY, UNCHANGED),
    Rule("person.update_only", "`_update: true` never creates a person", DOCUMENTED, _IDENTIFY, DROPPED),
    Rule("person.email_required", "a workspace that identifies by email creates people by email only", DOCUMENTED,
         "Workspace settings > identifying people", DROPPED),
    Rule("person.already_suppressed", "the identifier is suppressed already", ASSUMED, _SUPPRESS, UNCHANGED),
    Rule("person.not_suppressed", "the identifier is not suppressed", ASSUMED, _SUPPRESS, UNCHANGED),
    Rule("identifier.taken", "an identifier that belongs to another person is not moved", RECORDED,
         "activity log: The identifier is already associated with a different profile.", PARTIAL),
    Rule("identifier.fixed", "a set identifier changes only when the person is addressed by cio_id",
         DOCUMENTED, _IDENTIFY, PARTIAL),
    Rule("identifier.malformed", "an email that is no address is not set", ASSUMED,
         "the vendor's pages are silent; switch `email_malformed`", PARTIAL),
    Rule("attribute.stale", "a value older than the attribute's last write by `_timestamp` is skipped",
         DOCUMENTED, _IDENTIFY, PARTIAL),
    Rule("attribute.no_room", "a person has at most 300 attributes; further ones are dropped",
         DOCUMENTED, _IDENTIFY, PARTIAL),
    Rule("anonymous.used", "an anonymous id serves one person once", DOCUMENTED, "Anonymous events", PARTIAL),
    Rule("event.duplicate", "an event whose id was seen before is accepted and dropped",
         DOCUMENTED, "Track API > Events", UNCHANGED),
    Rule("event.person_unknown", "an event for an unknown person, where events create nobody",
         CLIENT_TESTED, "Track API > Events", DROPPED),
    Rule("event.trigger.nobody", "an event that is nobody's triggers no campaigns, unless it is an invite",
         DOCUMENTED, "Anonymous events", PARTIAL),
    Rule("event.trigger.merged", "events that come with a merge trigger no campaigns",
         DOCUMENTED, "Merge people guide", PARTIAL),
    Rule("event.trigger.future", "an event of the future triggers no campaigns (by switch)",
         ASSUMED, "the vendor's pages are silent", PARTIAL),
    Rule("device.unknown", "the person has no such device", RECORDED, "Track API > Devices", UNCHANGED),
    Rule("device.unchanged", "the device is known and nothing about it is new",
         ASSUMED, "Track API > Devices", UNCHANGED),
    Rule("device.no_room", "a person has as many devices as the switch allows", ASSUMED, _SILENT, DROPPED),
    Rule("merge.primary_unknown", "a merge into an unknown person does nothing",
         DOCUMENTED, "Track API > Merge", DROPPED),
    Rule("merge.secondary_unknown", "a merge of an unknown person does nothing",
         ASSUMED, "Track API > Merge", UNCHANGED),
    Rule("merge.same_person", "merging a person into itself does nothing", ASSUMED, "Track API > Merge", UNCHANGED),
    Rule("segment.unknown", "add and remove calls on an unknown segment are accepted and dropped",
         ASSUMED, _SILENT, DROPPED),
    Rule("segment.dynamic", "a data-driven segment can't be changed by add and remove calls",
         DOCUMENTED, _SEGMENTS, DROPPED),
    Rule("segment.person_unknown", "ids that belong to nobody are ignored", DOCUMENTED, _SEGMENTS, DROPPED),
    Rule("segment.wrong_id_type", "ids that are not of the call's id_type are ignored", DOCUMENTED, _SEGMENTS, DROPPED),
    Rule("segment.already_member", "the person is a member already", ASSUMED, _SEGMENTS, UNCHANGED),
    Rule("segment.not_member", "the person is no member", ASSUMED, _SEGMENTS, UNCHANGED),
    Rule("object.unknown", "an object named by cio_object_id exists", DOCUMENTED, _V2, DROPPED),
    Rule("object.type_unknown", "an object's type exists beforehand", ASSUMED, _V2, DROPPED),
    Rule("object.unchanged", "the object already has these values", ASSUMED, _V2, UNCHANGED),
    Rule("object.no_room", "attributes beyond what an object may have are dropped, with their operation",
         ASSUMED, _V2, DROPPED),
    Rule("relationship.no_room", "attributes beyond what a relationship may have are dropped, with their operation",
         ASSUMED, _V2, DROPPED),
    Rule("relationship.unknown", "there is no such relationship", ASSUMED, _V2, UNCHANGED),
    Rule("relationship.unchanged", "the relationship is as it was", ASSUMED, _V2, UNCHANGED),
    Rule("form.connected", "a form is connected once", ASSUMED, "Track API > Forms", UNCHANGED),
    Rule("delivery.unknown", "metrics of unknown deliveries are accepted and dropped", ASSUMED, _METRICS, DROPPED),
    Rule("delivery.metric", "a channel has its own metrics; others are dropped", ASSUMED, _METRICS, DROPPED),
    Rule("address.unchanged", "the address is on the provider's list already, or was not on it", ASSUMED,
         "App API > ESP suppression", UNCHANGED),
    Rule("delivery.unchanged", "the metric was reported before", ASSUMED, _METRICS, UNCHANGED),
    Rule("relationships.shape", "relationships in the other dialect's shape are dropped", ASSUMED, _IDENTIFY, PARTIAL),
    # refused: the caller is told
    Rule("track.person.id.missing", "a person needs an identifier", DOCUMENTED, _INVALID, REFUSED),
    Rule("track.person.id.empty", "an identifier is not empty", DOCUMENTED, _INVALID, REFUSED),
    Rule("track.person.id.not_text", "an id is text", DOCUMENTED, _INVALID, REFUSED),
    Rule("track.person.id.mismatch", "where people have ids only, the body's id equals the path's",
         RECORDED, _INVALID, REFUSED),
    Rule("track.person.cio_id.malformed", "a cio_id is letters and digits",
         CLIENT_TESTED, "reported by a payments vendor", REFUSED),
    Rule("track.identifiers.several", "a v2 operation names its person by one identifier", DOCUMENTED, _V2, REFUSED),
    Rule("track.identifiers.disabled", "an identifier that the workspace does not use", ASSUMED, _V2, REFUSED),
    Rule("track.object.type_unknown", "an object's type exists beforehand (by switch)", ASSUMED, _V2, REFUSED),
    Rule("track.event.name.blank", "an event has a name", DOCUMENTED, _INVALID, REFUSED),
    Rule("track.event.data.not_object", "event data is an object", DOCUMENTED, _INVALID, REFUSED),
    Rule("track.event.timestamp", "a timestamp is whole seconds", ASSUMED, "Track API > Events", REFUSED),
    Rule("track.device", "a device has a token and a platform, ios or android",
         DOCUMENTED, "Track API > Devices", REFUSED),
    Rule("track.segment.ids.invalid", "an add or remove call carries a list of ids",
         DOCUMENTED, "Track API > Manual segments", REFUSED),
    Rule("track.segment.id.malformed", "a segment id is a whole number", ASSUMED, _SILENT, REFUSED),
    Rule("track.segment.id_type", "id_type is id, email or cio_id", DOCUMENTED, "Track API > Manual segments", REFUSED),
    Rule("track.segment.unknown", "the segment does not exist (by switch)", ASSUMED, _SILENT, REFUSED),
    Rule("track.segment.dynamic", "the segment is data-driven (by switch)", ASSUMED, _SILENT, REFUSED),
    Rule("track.metric.field", "a metric names its delivery and itself", DOCUMENTED, _METRICS, REFUSED),
    Rule("track.unsubscribe", "an unsubscribe is JSON, of a delivery, true or false", DOCUMENTED, _METRICS, REFUSED),
    Rule("track.form", "a form's values are text and name one person", DOCUMENTED, "Track API > Forms", REFUSED),
    Rule("track.body", "a body is a JSON object", ASSUMED, _INVALID, REFUSED),
    Rule("track.v2.type", "type is person, object or delivery", DOCUMENTED, _V2, REFUSED),
    Rule("track.v2.action", "the type knows the action", DOCUMENTED, _V2, REFUSED),
    Rule("track.v2.field", "an operation has the fields that its action needs", DOCUMENTED, _V2, REFUSED),
    Rule("track.v2.empty", "a batch holds at least one operation (by switch)", ASSUMED, _SILENT, REFUSED),
    Rule("app.body", "a body has the documented shape", DOCUMENTED, "App API", REFUSED),
    Rule("app.not_found", "what the path names exists", DOCUMENTED, "App API", REFUSED),
    Rule("app.id_type", "id_type names an identifier that the workspace uses",
         DOCUMENTED, "App API > Customers", REFUSED),
    Rule("app.parameter", "a query parameter has the documented form", ASSUMED, "App API", REFUSED),
    Rule("app.filter", "a filter follows the grammar", DOCUMENTED, "App API > Customers > search", REFUSED),
    Rule("app.scope", "the key may do what is asked (by switch)", CLIENT_TESTED, "App API > Authentication", REFUSED),
    Rule("app.unknown_key", "a body has known keys alone, where the request says `X-Validate: strict`",
         CLIENT_TESTED, "App API > Error shapes", REFUSED),
    Rule("app.segment.dynamic", "a data-driven segment is not deleted (by switch)", ASSUMED,
         "App API > Segments > delete speaks of manual ones only", REFUSED),
    Rule("app.segment.in_use", "a segment in use is not deleted (by switch)", ASSUMED, _SILENT, REFUSED),
    Rule("app.segment.name", "a segment has a name", DOCUMENTED, "App API > Segments", REFUSED),
    Rule("app.send.body", "a send is JSON of at most 2048 KB", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.field", "a send has the fields that its channel needs, each of the right kind",
         DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.template", "the message that a send names exists on its channel", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.template_channel", "a message that is to be created is not one of another channel",
         DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.sender", "the domain of a sender's address is verified", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.attachment", "attachments are base64 by name", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.attachment.forbidden", "an attachment is not a program", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.account", "account and workspace may send on this channel", DOCUMENTED, _SENDS, REFUSED),
    Rule("app.send.workspace", "a service account says for which workspace it sends", CLIENT_TESTED, _SENDS, REFUSED),
    Rule("app.broadcast.audience", "a trigger names one audience, with the flags that go with it",
         DOCUMENTED, _BROADCASTS, REFUSED),
    Rule("app.broadcast.people", "everybody on a trigger's list can be found, unless flags forgive it",
         DOCUMENTED, _BROADCASTS, REFUSED),
    Rule("app.snippet", "a snippet has a name of its own and a text that uses no other snippet",
         DOCUMENTED, "App API > Snippets", REFUSED),
    Rule("app.snippet.in_use", "a snippet that a message uses is not deleted",
         DOCUMENTED, "App API > Snippets", REFUSED),
    Rule("app.export.pending", "an export that is not done has no link", ASSUMED, "App API > Exports", REFUSED),
    Rule("app.export.link", "a link to an export works for 15 minutes", DOCUMENTED, "App API > Exports", REFUSED),
    Rule("app.quota", "some operations have a limit of their own", DOCUMENTED, "App API > Rate limits", REFUSED),
    Rule("route.unknown", "no published operation has this method and path", RECORDED, "Track API, App API", REFUSED),
    Rule("route.not_imitated", "the operation exists, but this fake does not imitate it",
         ASSUMED, "this project", REFUSED),
    Rule("route.region", "credentials of one region do not work on a host of the other",
         DOCUMENTED, "Track API > Regions", REFUSED),
    Rule("track.path", "a path is percent-encoded UTF-8", ASSUMED, _SILENT, REFUSED),
    Rule("track.rate", "more requests in a second than the workspace allows (by switch)",
         ASSUMED, "Track API > Rate Limits", REFUSED),
    Rule("auth", "credentials choose a workspace", RECORDED, "Track API and App API > Authentication", REFUSED),
)  # fmt: skip

RULES: Mapping[str, Rule] = {
    **{rule.id: rule for rule in _ROWS},
    **{
        row.rule: Rule(row.rule, row.says, DOCUMENTED, row.source, REFUSED)
        for row in limits.LIMITS
        if row.breach == limits.REFUSED
    },
}
