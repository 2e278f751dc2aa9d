"""What this app tells the apps above it, which it does not import."""

from django.dispatch import Signal

seats_freed = Signal()
"""Seats of an event may have become free: its capacity was raised or it was opened. Carries `event_id`."""

event_deleted = Signal()
"""An event is gone. Carries `event_id`, and as `at` a time at which it still was there."""
