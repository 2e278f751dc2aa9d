"""Signals of events for the apps that build on this one."""

from django.dispatch import Signal

event_edited = Signal()
"""The seats of an event were edited. It has `event_id`, and the number of promotions as `promoted`."""

event_deleted = Signal()
"""An event was deleted. It has `event_id` and `incarnation`.

`was_used` is False if no user has ever joined the event.
"""
