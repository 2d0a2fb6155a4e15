"""What was told of a job, as lines of its history."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.wire import entry

if TYPE_CHECKING:
    from ledger.deliveries import Delivery
    from ledger.rows import Event


def with_deliveries(events: "Sequence[Event]", deliveries: "Iterable[Delivery]") -> list[dict[str, Any]]:
    """Entries in order of time: the job's events, and each attempt to tell of it under the number of the event before.

    Attempts have no numbers of their own: streams count by those, and a job's end is the last thing they bring.
    """
    attempts = [_attempt(delivery, made) for delivery in deliveries for made in delivery.log]
    lines: list[dict[str, Any]] = []
    left = sorted(attempts, key=lambda line: line["at"])
    for event in events:
        while left and left[0]["at"] < event.at:
            lines.append(left.pop(0) | {"seq": event.seq - 1})
        lines.append(entry(event))
    last = events[-1].seq if events else 0
    return lines + [line | {"seq": last} for line in left]


def _attempt(delivery: "Delivery", made: dict[str, Any]) -> dict[str, Any]:
    return {
        **made,
        "type": "delivery",
        "at": datetime.fromisoformat(made["at"]),
        "event": delivery.event,
        "eventId": delivery.event_id,
        "channel": delivery.channel,
        "webhookId": delivery.webhook_id,
        "deliveryId": delivery.id,
    }
