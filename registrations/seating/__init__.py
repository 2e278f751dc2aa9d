"""The door of the seat protocol: nothing else of this package is imported from outside."""

from registrations.seating.annotate import annotate, check_in, check_out
from registrations.seating.services import leave, register

__all__ = ["annotate", "check_in", "check_out", "leave", "register"]
