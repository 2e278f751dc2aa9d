"""The list of people, for each role that may search it."""

from tests.pages import Browser
from tests.signing_in import As, adam, alice, olivia


def test_an_organizer_finds_a_person_by_address_and_sees_no_more(cognito: None) -> None:
    As(adam().access).post("/users", {"userId": "dave", "name": "Dave", "email": "dave@example.com"})
    path = "/users?q=dave@example.com"
    page = Browser(token=olivia().access).open(path)
    assert page.status == 200 and "Dave" in page.text and "Dave" not in page.links
    assert Browser(token=adam().access).open(path).links["Dave"] == "/users/dave"
    assert Browser(token=alice().access).open(path).status == 403
