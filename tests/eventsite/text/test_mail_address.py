"""Which texts are addresses, and which form of them mail servers take."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsite.text.mail_address import NotAnAddress, in_ascii, is_address
from tests.api import Api, problem

IMPOSSIBLE = [
    "\u017fx@example.org",  # a long s, which upper case makes an S of
    "\u212ax@example.org",  # the Kelvin sign
    '"a\x01b"@example.org',
    '"a b"@example.org',
    "u@\u200d.com",
    f"u@{'a' * 64}.com",
    f"u@{'ü' * 60}.com",
    f"u@{'a.' * 127}com",
    "=?utf-8?q?x?=@example.org",
    "a=?b@example.org",
    f"{'x' * 65}@example.org",
    f"u@{'bü.' * 60}example",
    "u@xn--a.com",
    "u@[127.0.0.1]",
    "u@127.0.0.1",
    "u@localhost",
    "u@example.org\n",
    "u@exam\nple.org",
    "u@-a.com",
    "u@a-.com",
    "u@a..com",
    ".u@example.org",
    "u.@example.org",
    "u..v@example.org",
    "u v@example.org",
    "u@@example.org",
    "@example.org",
    "u@",
    "u",
    "",
]


@pytest.mark.parametrize("text", IMPOSSIBLE, ids=ascii)
def test_what_no_mail_can_have_is_no_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize("text", IMPOSSIBLE, ids=ascii)
def test_the_api_refuses_what_no_mail_can_have(api: Api, text: str) -> None:
    answer = api.post("/users", {"name": "Alice", "email": text})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("p@straße.example", "p@xn--strae-oqa.example"),  # IDNA 2003 would make strasse.example of it
        ("p@βόλος.example", "p@xn--nxasmm1c.example"),
        ("p@BÜCHER.example", "p@xn--bcher-kva.example"),
        ("p@bücher。example", "p@xn--bcher-kva.example"),
        ("Dot.Ted+tag@Example.ORG", "Dot.Ted+tag@Example.ORG"),
        ("p@xn--bcher-kva.example", "p@xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_the_one_that_was_typed(api: Api, typed: str, sent: str) -> None:
    assert in_ascii(typed) == sent
    assert api.post("/users", {"name": "Alice", "email": typed}).json()["email"] == typed


@given(local=st.text(max_size=70), domain=st.text(max_size=20) | st.just("bücher.example"), typed=st.text(max_size=20))
def test_whatever_passes_is_a_plain_mailbox(local: str, domain: str, typed: str) -> None:
    for text in (f"{local}@{domain}", f"u@{typed}.example", f"{typed}@example.org"):
        try:
            address = in_ascii(text)
        except NotAnAddress:
            continue
        assert re.fullmatch(r"[!-~]{1,64}@[A-Za-z0-9.-]{4,}", address)
        assert not set('"(),:;<>[\\]') & set(address) and "=?" not in address
        assert len(address) <= 254 and all(len(label) <= 63 for label in address.partition("@")[2].split("."))
        assert in_ascii(address) == address
