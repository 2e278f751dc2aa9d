"""The pages that ask before an edit, and their outcomes, promise a mail only where one is sent."""

import pytest

from events.browsable.consequences import WITHOUT_MAIL, before_deleting, before_editing, outcome_of
from tests.api import EVENT

EXPECTED = {**EVENT, "registeredCount": 3, "waitlistCount": 1}
OVER = EXPECTED | {"date": "2020-01-01"}
MAILED = "4 people will be told."


@pytest.mark.parametrize(
    ("event", "edit", "notice"),
    [
        (EXPECTED, {"status": "cancelled"}, MAILED),
        (EXPECTED, {"status": "draft"}, WITHOUT_MAIL),
        (OVER, {"status": "cancelled"}, WITHOUT_MAIL),
        (EXPECTED, {"location": "Hall"}, MAILED),
        (EXPECTED, {"endDate": ""}, MAILED),
        (OVER, {"date": "2083-01-01"}, MAILED),
        (OVER, {"location": "Hall"}, None),
        (EXPECTED | {"status": "cancelled"}, {"location": "Hall"}, None),
        (EXPECTED | {"status": "draft"}, {"location": "Hall"}, None),
        (EXPECTED | {"status": "cancelled"}, {"location": "Hall", "status": "published"}, MAILED),
    ],
)
def test_a_question_promises_the_mails_that_are_sent(
    event: dict[str, object], edit: dict[str, str], notice: str | None
) -> None:
    question = before_editing(event, edit)
    assert (question and question.facts[-1]) == notice


@pytest.mark.parametrize(
    ("event", "notice"), [(EXPECTED, MAILED), (OVER, WITHOUT_MAIL), ({**OVER, "status": "draft"}, WITHOUT_MAIL)]
)
def test_a_deletion_shows_whether_people_are_mailed(event: dict[str, object], notice: str) -> None:
    assert before_deleting(event).facts[-1] == notice


def test_an_event_that_is_on_again_is_no_new_one() -> None:
    assert outcome_of("status", "cancelled", EXPECTED) == "The event is on again; 4 people will be told."
    assert outcome_of("status", "cancelled", OVER) == "The event is on again."
    assert outcome_of("status", "draft", EXPECTED) == "Published; 4 people will be told."
    assert outcome_of("status", "draft", EXPECTED | {"status": "active"}) == "Saved; 4 people will be told."
    assert outcome_of("status", "draft", EXPECTED | {"registeredCount": 0, "waitlistCount": 0}) == "Published."
    assert outcome_of("status", "completed", EXPECTED) == "Published; 4 people will be told."
    assert outcome_of("status", "active", EXPECTED) == "Published."
    assert outcome_of("status", "published", OVER | {"status": "cancelled"}) == "The event is cancelled."


@pytest.mark.parametrize(
    ("seats", "yes", "until"),
    [
        ("0", "Set 0 seats", "No one moves up."),
        ("1", "Set 1 seat", "No one moves up until no one has a seat."),
        ("2", "Set 2 seats", "No one moves up until fewer than 2 people have a seat."),
    ],
)
def test_fewer_seats_than_people_are_counted_as_people_count(seats: str, yes: str, until: str) -> None:
    question = before_editing(EXPECTED, {"capacity": seats})
    assert question and question.yes == yes
    assert question.facts[-1] == f"No one loses a seat. {until}"
