"""Signals of users for the apps that build on this one."""

from django.dispatch import Signal

address_entered = Signal()
"""A user entered an address that is not verified. It has `user`, with the pending `confirmation`."""
