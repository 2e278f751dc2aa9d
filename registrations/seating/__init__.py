"""Everything that changes a registration. Other packages use only the names that are exported here.

rules            how each operation changes the seats, and under which condition
register, leave  the steps of a request
commit, apply    commit an operation once, and write it to the other items
trim             keep the commit log short
keyed            requests with an Idempotency-Key
ends             delete what a removed event or user leaves behind
annotate         check-in, and answers that are given later
"""

from registrations.seating.annotate import Annotation, annotate, annotate_in_steps
from registrations.seating.ends import drain, forget_event, forget_user, give_up_all
from registrations.seating.services import leave, register, repeat

__all__ = [
    "Annotation",
    "annotate",
    "annotate_in_steps",
    "drain",
    "forget_event",
    "forget_user",
    "give_up_all",
    "leave",
    "register",
    "repeat",
]
