"""What this app tells whoever wants to know."""

from django.dispatch import Signal

seats_changed = Signal()
"""Registrations were committed. Carries how many people: `registered`, `waitlisted`, `promoted`, `cancelled`."""
