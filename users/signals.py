"""Signals of users for the apps that build on this one."""

from django.dispatch import Signal

address_entered = Signal()
"""A user entered an address that is not verified. It has `user`, with the pending `confirmation`."""
user_leaves = Signal()
"""A user will be deleted, and all data of the user first. It has `user_id`, and may be sent again."""
