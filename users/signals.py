"""Signals of users for the apps that build on this one."""

from django.dispatch import Signal

address_entered = Signal()
"""A user entered an address that is not verified. Carries `user`, with the `confirmation` that is pending."""
user_leaves = Signal()
"""A user is being deleted: whatever is theirs has to go first. Carries `user_id`. Sent again when it was cut off."""
