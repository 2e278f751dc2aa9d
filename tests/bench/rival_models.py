"""What callers send to the rival, and what they are answered."""

from typing import Literal

from pydantic import BaseModel, Field


class Event(BaseModel):
    """What a caller sends."""

    title: str = Field(min_length=1, max_length=200)
    description: str = Field(max_length=2000)
    date: str = Field(pattern=r"\d{4}-\d{2}-\d{2}")
    location: str
    capacity: int = Field(ge=0)
    organizer: str
    status: Literal["draft", "active", "published", "cancelled"]
    waitlistEnabled: bool = True


class NewEvent(Event):
    """What a caller sends to create one."""

    eventId: str | None = None


class Changes(BaseModel):
    """A part of an event."""

    title: str = Field(min_length=1, max_length=200)


class StoredEvent(Event):
    """What a caller is answered."""

    eventId: str
    registeredCount: int = 0
    createdAt: str
    version: int = 1


class User(BaseModel):
    """A user."""

    userId: str
    name: str


class NewName(BaseModel):
    """What a user changes."""

    name: str


class Who(BaseModel):
    """Who registers."""

    userId: str


class Registration(BaseModel):
    """A seat, or a place in the queue."""

    eventId: str
    userId: str
    state: str
    registeredAt: str


class Attendance(Registration):
    """A seat, and whether its user has come."""

    checkedInAt: str | None = None
