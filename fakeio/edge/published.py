"""Every published operation beside Track's, so that the table of routes is complete and honest.

One that has no handler answers as an unknown route of its product does, and the tape says why. Source: Track API, App
API and Pipelines API > endpoint lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fakeio.core.settings import CLIENT_TESTED, DOCUMENTED
from fakeio.edge.directory import not_imitated
from fakeio.edge.routing import APP, KEY, OPEN, PIPELINES, SEND, TRACK, Route
from fakeio.edge.track_v2_items import ACTIONS

_PARAMETER = re.compile(r"\{[^}]*\}")

# method, path, operation, tier
_APP = """
POST   /v1/customers/attributes                                      get_attributes_of_many          1
GET    /v1/customers/{customer_id}/activities                        list_activities_of_person       1
GET    /v1/customers/{customer_id}/messages                          list_messages_of_person         2
GET    /v1/customers/{customer_id}/relationships                     list_relationships_of_person    2
GET    /v1/customers/{customer_id}/subscription_preferences          get_preferences                 2
GET    /v1/activities                                                list_activities                 1
GET    /v1/exports                                                   list_exports                    2
GET    /v1/exports/{export_id}                                       get_export                      2
GET    /v1/exports/{export_id}/download                              download_export                 2
POST   /v1/exports/customers                                         export_people                   2
POST   /v1/exports/deliveries                                        export_deliveries               2
POST   /v1/imports                                                   import_file                     2
GET    /v1/imports/{import_id}                                       get_import                      2
POST   /v1/campaigns/{broadcast_id}/triggers                         trigger_broadcast               1
GET    /v1/campaigns/{broadcast_id}/triggers/{trigger_id}            get_trigger                     2
GET    /v1/campaigns/{broadcast_id}/triggers/{trigger_id}/errors     list_trigger_errors             2
GET    /v1/campaigns                                                 list_campaigns                  3
GET    /v1/campaigns/{campaign_id}                                   get_campaign                    3
GET    /v1/campaigns/{campaign_id}/actions                           list_campaign_actions           3
GET    /v1/campaigns/{campaign_id}/actions/{action_id}               get_campaign_action             3
PUT    /v1/campaigns/{campaign_id}/actions/{action_id}               update_campaign_action          3
GET    /v1/campaigns/{campaign_id}/metrics                           get_campaign_metrics            3
GET    /v1/campaigns/{campaign_id}/metrics/links                     get_campaign_link_metrics       3
GET    /v1/campaigns/{campaign_id}/journey_metrics                   get_journey_metrics             3
GET    /v1/campaigns/{campaign_id}/messages                          list_campaign_messages          3
GET    /v1/broadcasts                                                list_broadcasts                 2
GET    /v1/broadcasts/{broadcast_id}                                 get_broadcast                   2
GET    /v1/broadcasts/{broadcast_id}/triggers                        list_triggers                   2
GET    /v1/broadcasts/{broadcast_id}/messages                        list_broadcast_messages         3
GET    /v1/broadcasts/{broadcast_id}/metrics                         get_broadcast_metrics           3
GET    /v1/broadcasts/{broadcast_id}/metrics/links                   get_broadcast_link_metrics      3
GET    /v1/broadcasts/{broadcast_id}/actions                         list_broadcast_actions          3
GET    /v1/messages                                                  list_messages                   2
GET    /v1/messages/{message_id}                                     get_message                     2
GET    /v1/messages/{message_id}/archived_message                    get_archived_message            2
GET    /v1/transactional                                             list_transactional              2
GET    /v1/transactional/{message_id}                                get_transactional               2
GET    /v1/transactional/{message_id}/contents                       list_transactional_contents     2
GET    /v1/transactional/{message_id}/messages                       list_transactional_messages     2
GET    /v1/transactional/{message_id}/metrics                        get_transactional_metrics       2
GET    /v1/transactional/{message_id}/metrics/links                  get_transactional_link_metrics  2
GET    /v1/transactional/{message_id}/language/{language}            get_transactional_language      2
PUT    /v1/transactional/{message_id}/language/{language}            update_transactional_language   2
PUT    /v1/transactional/{message_id}/content/{content_id}           update_transactional_content    2
GET    /v1/newsletters                                               list_newsletters                3
POST   /v1/newsletters                                               create_newsletter               3
GET    /v1/newsletters/{newsletter_id}                               get_newsletter                  3
DELETE /v1/newsletters/{newsletter_id}                               delete_newsletter               3
POST   /v1/newsletters/{newsletter_id}/schedule                      schedule_newsletter             3
POST   /v1/newsletters/{newsletter_id}/send                          send_newsletter                 3
GET    /v1/newsletters/{newsletter_id}/contents                      list_newsletter_contents        3
GET    /v1/newsletters/{newsletter_id}/metrics                       get_newsletter_metrics          3
GET    /v1/newsletters/{newsletter_id}/messages                      list_newsletter_messages        3
GET    /v1/reporting_webhooks                                        list_webhooks                   2
POST   /v1/reporting_webhooks                                        create_webhook                  2
GET    /v1/reporting_webhooks/{webhook_id}                           get_webhook                     2
PUT    /v1/reporting_webhooks/{webhook_id}                           update_webhook                  2
DELETE /v1/reporting_webhooks/{webhook_id}                           delete_webhook                  2
GET    /v1/esp/suppression/{type}                                    list_esp_suppressions           2
POST   /v1/esp/suppression/{type}/{email}                            add_esp_suppression             2
DELETE /v1/esp/suppression/{type}/{email}                            remove_esp_suppression          2
GET    /v1/esp/search_suppression/{email}                            find_esp_suppression            2
GET    /v1/esp/domains/{domain}/suppression/{type}                   list_domain_suppressions        2
GET    /v1/collections                                               list_collections                2
POST   /v1/collections                                               create_collection               2
GET    /v1/collections/{collection_id}                               get_collection                  2
PUT    /v1/collections/{collection_id}                               update_collection               2
DELETE /v1/collections/{collection_id}                               delete_collection               2
GET    /v1/collections/{collection_id}/content                       get_collection_content          2
PUT    /v1/collections/{collection_id}/content                       update_collection_content       2
GET    /v1/snippets                                                  list_snippets                   2
POST   /v1/snippets                                                  create_snippet                  2
PUT    /v1/snippets                                                  update_snippet                  2
DELETE /v1/snippets/{name}                                           delete_snippet                  2
GET    /v1/sender_identities                                         list_senders                    3
GET    /v1/sender_identities/{sender_id}                             get_sender                      3
GET    /v1/sender_identities/{sender_id}/used_by                     get_sender_uses                 3
GET    /v1/subscription_topics                                       list_topics                     2
GET    /v1/subscription_channels                                     list_channels                   3
GET    /v1/subscription_center/{customer_id}/token                   get_center_token                3
GET    /v1/object_types                                              list_object_types               2
POST   /v1/objects                                                   search_objects                  2
GET    /v1/objects/{object_type_id}/{object_id}/attributes           get_object_attributes           2
GET    /v1/objects/{object_type_id}/{object_id}/relationships        list_object_relationships       2
POST   /v1/data_index/attributes                                     update_attribute_metadata       3
POST   /v1/data_index/events                                         update_event_metadata           3
POST   /v1/design_studio/folders                                     create_design_folder            3
POST   /v1/design_studio/emails                                      create_design_email             3
POST   /v1/design_studio/components                                  create_design_component         3
GET    /v1/assets                                                    list_assets                     3
POST   /v1/assets/files                                              create_asset                    3
POST   /v1/assets/folders                                            create_asset_folder             3
POST   /v1/live_notifications/start                                  start_live_notification         3
POST   /v1/live_notifications/update                                 update_live_notification        3
POST   /v1/live_notifications/end                                    end_live_notification           3
GET    /v1/live_notifications/{instance_id}                          get_live_notification           3
"""
_SENDS = ("email", "push", "sms", "whatsapp", "in_app", "inbox_message")
_PIPELINES = ("identify", "track", "page", "screen", "group", "alias", "batch")
_PIPELINES_SHORT = ("i", "t", "p", "s", "g", "a", "b")


def not_imitated_routes(imitated: Iterable[Route]) -> Iterator[Route]:
    """Every published operation that has no handler among those imitated."""
    handled = {_key(route) for route in imitated}
    return (route for route in _published_routes() if _key(route) not in handled)


def _key(route: Route) -> tuple[str, str]:
    return route.method, _PARAMETER.sub("{}", route.path)


def _published_routes() -> Iterator[Route]:
    for line in _APP.split("\n")[1:-1]:
        method, path, operation, tier = line.split()
        yield _route(APP, method, path, operation, KEY, tier=int(tier))
    yield _route(APP, "GET", "/v1/info/ip_addresses", "list_ip_addresses", OPEN)
    for channel in _SENDS:
        yield _route(APP, "POST", f"/v1/send/{channel}", f"send_{channel}", SEND)
    for kind in _PIPELINES:
        yield _route(PIPELINES, "POST", f"/v1/{kind}", f"pipelines_{kind}", OPEN)
    for kind in _PIPELINES_SHORT:
        yield _route(PIPELINES, "POST", f"/v1/{kind}", f"pipelines_{kind}", OPEN, grade=CLIENT_TESTED, tier=3)


def entity_actions() -> Iterator[Route]:
    """What one path of v2 can do, a row each: rows of the table, not routes of their own."""
    for kind, action in ACTIONS:
        operation = f"{kind}_{action}"
        grade = CLIENT_TESTED if action.endswith("_content") else DOCUMENTED
        yield Route(
            method="POST", path=f"/api/v2/entity#{kind}.{action}", api=TRACK, operation=operation, grade=grade,
            tier=1 if kind == "person" else 2, handler=not_imitated(TRACK, operation), routed=False,
        )  # fmt: skip


def _route(
    api: str, method: str, path: str, operation: str, auth: str, *, grade: str = DOCUMENTED, tier: int = 2
) -> Route:
    return Route(
        method=method, path=path, api=api, operation=operation, grade=grade, tier=tier, imitated=False, auth=auth,
        handler=not_imitated(api, operation), limited=False,
    )  # fmt: skip
