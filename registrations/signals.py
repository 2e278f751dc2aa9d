"""Signals of registrations."""

from django.dispatch import Signal

seats_changed = Signal()
"""Registrations were committed. Carries how many people: `registered`, `waitlisted`, `promoted`, `cancelled`."""
