"""Signals of events for the apps that build on this one."""

from django.dispatch import Signal

event_edited = Signal()
"""The seats of an event were edited. Carries `event_id`, and as `promoted` how many people moved up by it."""

event_deleted = Signal()
"""An event is gone. Carries `event_id`, its `incarnation`, and as `event` its description."""

settling_wanted = Signal()
"""Whatever was committed in these `seats` must be written everywhere else, because the event is going to be deleted."""
