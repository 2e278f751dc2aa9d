"""Records of other services in the form of their tables, and how a scan prints them."""

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

A_EVENT = {
    "eventId": "614b345c-5114-4788-bd81-f792d59463b5",
    "title": "Glazing day",
    "description": "Ash and salt.",
    "date": "2083-05-01",
    "location": "Studio 4",
    "capacity": 30,
    "organizer": "The clay club",
    "status": "scheduled",
}

B_EVENT = A_EVENT | {"eventId": "conf.2083", "status": "active", "capacity": 2, "waitlistEnabled": True}


def b_user(user: str) -> Record:
    return {"PK": f"USER#{user}", "SK": "METADATA", "entity_type": "user", "user_id": user, "name": user.title()}


def b_row(user: str, position: int | None = None, event: str = "conf.2083") -> Record:
    """A seat, or with a position a place in the queue."""
    shared = {"PK": f"EVENT#{event}", "GSI1PK": f"USER#{user}", "user_id": user, "event_id": event}
    if position is None:
        return shared | {"SK": f"REG#{user}", "GSI1SK": "REGISTERED", "entity_type": "registration"}
    key = {"SK": f"WAIT#{position:05d}#{user}", "GSI1SK": "WAITLISTED", "entity_type": "waitlist"}
    return shared | key | {"position": position, "status": "waitlisted"}


def b_counters(registered: int, waiting: int) -> Record:
    keys = {"PK": "EVENT#conf.2083", "SK": "METADATA", "entity_type": "event", "event_id": "conf.2083"}
    counts = {"registered_count": registered, "waitlist_count": waiting}
    return keys | counts | {"name": "Conference", "capacity": 2, "waitlist_enabled": True}


C_EVENT = A_EVENT | {
    "eventId": "8745643b-1ad6-45cf-b0e9-ee9060e99c3d",
    "status": "active",
    "capacity": 2,
    "hasWaitlist": True,
    "registeredCount": 2,
    "waitlistCount": 2,
}


def c_user(user: str) -> Record:
    return {"userId": user, "name": user.title(), "createdAt": "2025-12-04T03:29:40.395842Z"}


def c_row(user: str, status: str, second: int, position: int | None = None) -> Record:
    return {
        "registrationId": f"4df2fd3d-1afc-4012-bba9-cfd4cbe3{second:04d}",
        "userId": user,
        "eventId": C_EVENT["eventId"],
        "status": status,
        "registeredAt": f"2025-12-04T03:29:{second:02d}.983733Z",
        "waitlistPosition": position,
    }


D_EVENT = {
    "eventId": "b9f1a0de-33e5-4a4e-8f5e-0f6bd1f6ce43",
    "eventName": "Spring fair",
    "description": None,
    "eventDate": "2083-05-01 18:30:00+02:00",
    "location": "Market",
    "capacity": 100,
    "organizerId": "5c1e3f0a-7b11-4a5c-9f10-0f7a0b8f2f11",
    "registeredAttendeesCount": 0,
    "status": "Active",
    "createdAt": "2025-06-01T10:00:00.000001+00:00",
    "updatedAt": "2025-06-02T10:00:00.000001+00:00",
}

FIRST_RELEASE: list[dict[str, Any]] = [
    {
        "eventId": "party",
        "item": "event",
        "title": "Spring party",
        "description": "Music.",
        "date": "2083-04-01",
        "location": "Garden",
        "organizer": "The garden club",
        "status": "published",
        "sort": "2083-04-01#party#event",
        "organizerId": "olivia",
        "organizerStatus": "olivia#published",
        "version": 3,
        "createdAt": "2026-10-01T08:00:00.000000Z",
        "updatedAt": "2026-10-02T08:00:00.000000Z",
    },
    {
        "eventId": "party",
        "item": "seats",
        "status": "published",
        "sort": "2083-04-01#party#seats",
        "organizerId": "olivia",
        "organizerStatus": "olivia#published",
        "capacity": 1,
        "waitlistEnabled": True,
        "open": True,
        "registered": 1,
        "waiting": 2,
        "lastJoinedAt": "2026-10-03T08:00:04.000000Z",
    },
    {"eventId": "k" * 40, "item": "idempotency-key", "body": "x", "outcome": "[]", "expiresAt": 1800000000},
    *(
        {
            "eventId": "party",
            "userId": user,
            "standing": standing,
            "registrationId": f"f55a094e-c536-4d83-8cd4-e0bbd8c77d{number:02d}",
            "registeredAt": f"2026-10-03T08:00:0{number}.000000Z",
            **more,
        }
        for number, (user, standing, more) in enumerate(
            [
                ("old", "cancelled#2026-10-03T08:00:09.000000Z", {"cancelledAt": "2026-10-03T08:00:09.000000Z"}),
                (
                    "alice",
                    "registered#2026-10-03T08:00:09.000000Z#2026-10-03T08:00:01.000000Z",
                    {"promotedAt": "2026-10-03T08:00:09.000000Z"},
                ),
                ("zoe", "waitlisted#2026-10-03T08:00:03.000000Z", {}),
                ("bob", "waitlisted#2026-10-03T08:00:04.000000Z", {}),
            ]
        )
    ),
    *({"userId": user, "name": user.title(), "createdAt": "2026-10-01T09:00:00.000000Z"} for user in ("alice", "bob")),
]


def typed(value: Any) -> Record:
    """A value as DynamoDB writes it."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def scan(path: Path, records: list[Record]) -> Path:
    """A file with what a scan of a table with these records prints."""
    items = [{name: typed(value) for name, value in record.items()} for record in records]
    path.write_text(json.dumps({"Items": items, "Count": len(items), "ScannedCount": len(items)}, indent=4))
    return path
