"""The seats: registering, leaving, and what else changes a registration. Nothing else of this package is imported.

rules            what each operation does to the seats, and under which condition
register, leave  the steps of a request
commit, apply    how an operation is committed once, and written everywhere else
trim             how the seats stay short
keyed            requests with an Idempotency-Key
ends             what a deleted event or user leaves behind
annotate         check-in, and answers that are given later
"""

from registrations.seating.annotate import annotate, check_in, check_out
from registrations.seating.ends import drain, forget_event, forget_user
from registrations.seating.services import leave, register

__all__ = ["annotate", "check_in", "check_out", "drain", "forget_event", "forget_user", "leave", "register"]
