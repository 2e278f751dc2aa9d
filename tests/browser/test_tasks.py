"""The tasks of three roles, each with the most clicks and typed fields that it may take.

They are counted from the page where the task begins, by a user who is signed in. A choice in a file dialog or in the
browser's own windows is no click, and neither is the Enter that ends a login.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.api import EVENT
from tests.browser.conftest import make_season
from tests.browser.person import Person
from tests.signing_in import As, adam, alice, olivia


class Hands:
    """The hands of a user: they count what they do."""

    def __init__(self, person: Person, password: str) -> None:
        self.person, self.page, self.password = person, person.page, password
        self.clicks = self.typed = 0

    def click(self, name: str, role: str = "button") -> None:
        """Click what has this name."""
        self.clicks += 1
        self.person.click(name, role)

    def follow(self, name: str) -> None:
        """Click a link."""
        self.click(name, "link")

    def unfold(self, name: str) -> None:
        """Click what opens a section."""
        self.clicks += 1
        self.page.locator("summary", has_text=name).click()

    def fill(self, label: str, text: str) -> None:
        """Type into a field."""
        self.typed += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def log_in(self, name: str) -> None:
        """Log in, where the provider does not know the browser any more."""
        if "127.0.0.1" in self.page.url:
            self.typed += 2
            self.person.fill_in(name, self.password)

    def download(self, name: str) -> str:
        """Click a link to a file. Returns: the name of the file."""
        self.clicks += 1
        with self.page.expect_download() as file:
            self.page.get_by_role("link", name=name, exact=True).click()
        return str(file.value.suggested_filename)

    def sees(self, text: str) -> None:
        """Fail if the page does not show a text."""
        self.page.get_by_text(text).first.wait_for()


class Task(NamedTuple):
    """A task: how many clicks and typed fields it may take, where it begins, and how it is done."""

    what: str
    clicks: int
    typed: int
    begins: Callable[[], str]
    do: Callable[[Hands], object]


def run_by_olivia(**changes: Any) -> str:
    """Make an event. Returns: its page."""
    return f"/events/{As(olivia().access).event(**changes)}"


def with_dave(**changes: Any) -> str:
    """Make an event with Dave in it. Returns: its page."""
    page = run_by_olivia(**changes)
    As(adam().access).post(f"{page}/registrations", {"userId": "dave"})
    return page


def full() -> str:
    """Make an event with Alice in it and Dave on its waitlist. Returns: its page."""
    page = run_by_olivia(capacity=1)
    As(alice().access).post(f"{page}/registrations", {})
    As(adam().access).post(f"{page}/registrations", {"userId": "dave"})
    return page


def people(page: str) -> str:
    return f"{page}/registrations"


def find(hands: Hands) -> None:
    hands.follow("Evening 11")
    hands.sees("Music and cake")


def sign_up(hands: Hands) -> None:
    hands.click("Sign up")
    hands.sees("You have a seat.")


def sign_up_after_the_session(hands: Hands) -> None:
    hands.person.lose_session()
    hands.person.context.clear_cookies(domain="127.0.0.1")
    hands.click("Sign up")
    hands.log_in("alice")
    hands.click("Sign up")
    hands.sees("You have a seat.")


def give_up_what_others_wait_for(hands: Hands) -> None:
    hands.click("Give up my seat")
    hands.click("Give up my seat")
    hands.sees("You have given up your seat.")


def new_event(hands: Hands) -> None:
    hands.unfold("New event")
    for label, text in (("Title", "Choir"), ("Date", "2083-04-01"), ("Place", "Church"), ("Seats", "5")):
        hands.fill(label, text)
    hands.click("Publish")
    hands.sees("“Choir” is published. Share it:")


def publish(hands: Hands) -> None:
    hands.click("Publish")
    hands.sees("Published.")


def copy_the_address(hands: Hands) -> None:
    hands.click("Copy link")
    hands.sees("Copied")


def see_who_comes(hands: Hands) -> None:
    hands.follow("1 in")
    hands.sees("Dave")


def find_among_the_people(hands: Hands) -> None:
    hands.fill("Find by name or e-mail", "dav")
    hands.click("Find")
    hands.sees("1 person matches “dav”.")


def add(hands: Hands) -> None:
    hands.fill("Add a person: e-mail", "erin@example.com")
    hands.click("Add")
    hands.sees("Erin has a seat.")


def cancel_a_registration(hands: Hands) -> None:
    hands.click("Cancel the registration of Dave")
    hands.click("Cancel the registration")
    hands.sees("Dave is not registered any more.")


def edit(label: str, text: str, outcome: str, *confirmed: str) -> Callable[[Hands], None]:
    """Return a task that edits one field, and confirms it with these buttons."""

    def do(hands: Hands) -> None:
        hands.unfold("Edit")
        hands.fill(label, text)
        hands.click("Save")
        for name in confirmed:
            hands.click(name)
        hands.sees(outcome)

    return do


def switch_the_waitlist_off(hands: Hands) -> None:
    hands.unfold("Edit")
    hands.click("Switch the waitlist off")
    hands.sees("The waitlist is off.")


def cancel_the_event(hands: Hands) -> None:
    hands.click("Cancel event")
    hands.click("Cancel the event")
    hands.sees("The event is cancelled; 1 person will be told.")


def print_the_door_list(hands: Hands) -> None:
    hands.page.evaluate("sessionStorage.printed = ''")
    hands.follow("Print")
    hands.page.wait_for_function("sessionStorage.printed === 'yes'")


def copy_the_addresses(hands: Hands) -> None:
    hands.click("Copy addresses")
    hands.sees("Copied")


def check_in(hands: Hands) -> None:
    hands.fill("Find by name or e-mail", "dav")
    hands.click("Check in Dave")
    hands.sees("Dave is checked in.")


def undo_the_check_in(hands: Hands) -> None:
    hands.click("Undo the check-in of Dave")
    hands.sees("Dave is not checked in any more.")


def checked_in() -> str:
    page = with_dave()
    As(olivia().access).put(f"{page}/registrations/dave/check-in")
    return people(page)


def duplicate(hands: Hands) -> None:
    hands.follow("Duplicate")
    hands.fill("Date", "2083-05-01")
    hands.click("Publish")
    hands.sees("is published.")


def write_to_all(hands: Hands) -> None:
    hands.follow("Message")
    hands.fill("Subject", "Rain")
    hands.fill("Message", "Bring a coat.")
    hands.click("Send")
    hands.sees("The message is on its way.")


def find_a_person(hands: Hands) -> None:
    hands.fill("Find a person by name or e-mail", "erin@example.com")
    hands.click("Find")
    hands.sees("Erin")


def correct_an_address(hands: Hands) -> None:
    hands.page.get_by_role("textbox", name="E-mail").fill("dave@example.org")
    hands.typed += 1
    hands.click("Save")
    hands.sees("Saved.")


def delete_a_person(hands: Hands) -> None:
    hands.click("Delete")
    hands.click("Delete")
    hands.sees("Frank was deleted.")


def see_what_happened(hands: Hands) -> None:
    hands.follow("History")
    hands.page.get_by_role("heading", name="History").first.wait_for()


SEATS = "Seats"
TASKS = {
    "alice": [
        Task("find an event next month", 1, 0, lambda: "/events", find),
        Task("see whether there is room", 0, 0, lambda: "/events", lambda hands: hands.sees("2 left")),
        Task("sign up", 1, 0, run_by_olivia, sign_up),
        Task("sign up after the session expired", 2, 2, run_by_olivia, sign_up_after_the_session),
        Task("add to the calendar", 1, 0, run_by_olivia, lambda hands: hands.download("Add to calendar")),
        Task("give up a seat that others wait for", 2, 0, full, give_up_what_others_wait_for),
    ],
    "olivia": [
        Task("create and publish an event", 2, 4, lambda: "/events", new_event),
        Task("publish a draft", 1, 0, lambda: run_by_olivia(status="draft"), publish),
        Task("share the address", 1, 0, run_by_olivia, copy_the_address),
        Task("see who is coming", 1, 0, with_dave, see_who_comes),
        Task("find among the people", 1, 1, lambda: people(with_dave()), find_among_the_people),
        Task("add by e-mail", 2, 1, lambda: people(run_by_olivia()), add),
        Task("cancel a person", 2, 0, lambda: people(with_dave()), cancel_a_registration),
        Task("raise the capacity", 2, 1, with_dave, edit(SEATS, "9", "Seats 2 → 9.")),
        Task("lower the capacity", 3, 1, with_dave, edit(SEATS, "0", "Seats 2 → 0.", "Set 0 seats")),
        Task("switch the waitlist off", 2, 0, run_by_olivia, switch_the_waitlist_off),
        Task("move the date", 3, 1, with_dave, edit("Date", "2083-05-01", "Saved: Date.", "Save and tell them")),
        Task("cancel the event", 2, 0, with_dave, cancel_the_event),
        Task(
            "the people as a sheet", 1, 0, lambda: people(with_dave()), lambda hands: hands.download("Download as CSV")
        ),
        Task("print the door list", 1, 0, lambda: people(with_dave()), print_the_door_list),
        Task("copy the addresses", 1, 0, lambda: people(with_dave()), copy_the_addresses),
        Task("check a person in", 1, 1, lambda: people(with_dave()), check_in),
        Task("undo a check-in", 1, 0, checked_in, undo_the_check_in),
        Task("duplicate for next month", 2, 1, run_by_olivia, duplicate),
        Task("write to everybody", 3, 2, with_dave, write_to_all),
    ],
    "adam": [
        Task("find a person over all", 1, 1, lambda: "/users", find_a_person),
        Task("correct an e-mail", 1, 1, lambda: "/users/dave", correct_an_address),
        Task("delete a person", 2, 0, lambda: "/users/frank", delete_a_person),
        Task("see what happened to a seat", 1, 0, with_dave, see_what_happened),
    ],
}


@pytest.mark.parametrize("role", TASKS)
def test_the_tasks_take_no_more_than_they_may(signing_in: str, person: Any, role: str) -> None:
    service = As(adam().access)
    make_season(service)
    for user in ("dave", "erin"):
        service.patch(f"/users/{user}", {"email": f"{user}@example.com"})
    someone = person()
    someone.context.grant_permissions(["clipboard-write"])
    someone.context.add_init_script("window.print = () => (sessionStorage.printed = 'yes')")
    someone.open("/events")
    someone.log_in(role, signing_in)
    too_many = []
    for task in TASKS[role]:
        hands = Hands(someone, signing_in)
        someone.open(task.begins())
        task.do(hands)
        if hands.clicks > task.clicks or hands.typed > task.typed:
            too_many.append(f"{task.what}: {hands.clicks}/{hands.typed}, not {task.clicks}/{task.typed}")
    assert too_many == []


assert EVENT["capacity"] == 2, "the tasks count on two seats"
