"""Hostile requests, drawn at random: each class of them is a function that makes one."""

import json
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.api import EVENT
from tests.eventsite.auth import issuing

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PATHS = [
    "/",
    "/health",
    "/schema",
    "/docs",
    "/events",
    "/events/party",
    "/events/party/registrations",
    "/events/party/waitlist",
    "/events/party/registrations/alice",
    "/events/party/register",
    "/events/party/register/alice",
    "/users",
    "/users/alice",
    "/users/me",
    "/users/alice/registrations",
    "/users/alice/waitlists",
    "/login",
    "/login/callback",
    "/logout",
    "/acting",
]
WRITES = [
    ("POST", "/events"),
    ("POST", "/users"),
    ("PUT", "/events/party"),
    ("PATCH", "/events/party"),
    ("PATCH", "/users/alice"),
    ("POST", "/events/party/registrations"),
    ("POST", "/events/party/register"),
    ("POST", "/acting"),
]
LISTS = ["/events", "/users", "/events/party/registrations", "/events/party/waitlist", "/users/alice/registrations"]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ODD = [
    "\x00",
    "\x7f",
    "\x85",
    "\xa0",
    "\u200b",
    "\u202e",
    "\u3164",
    "é",
    "活",
    "🎉",
    "\ud800",
    "\udfff",
    "<",
    '"',
    "'",
    "&",
    "\\",
    "%",
]
ODD += ["{", "[", "$", "#", ";", ",", "..", "/", "\u2028", "\ufeff", "\ufffe"]


@dataclass
class Sent:
    """One request. `long` holds what of it must not come back whole."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    long: list[str] = field(default_factory=list)


def mark(draw: Random, size: int) -> str:
    """A text of this size that occurs nowhere else."""
    return "".join(draw.choices(string.ascii_letters, k=size))


def odd_text(draw: Random, longest: int = 40) -> str:
    """A text with something odd in it."""
    parts = draw.choices([*ODD, "a", " ", "1", "-", "x" * 8], k=draw.randint(1, 8))
    return "".join(parts)[:longest]


def header_text(draw: Random) -> str:
    """What can be sent as the value of a header: any byte but the ends of lines and NUL."""
    text = (
        odd_text(draw)
        if draw.random() < 0.5
        else "".join(chr(draw.randint(32, 255)) for _ in range(draw.randint(0, 60)))
    )
    return "".join(character for character in text if character not in "\r\n\0\x85\u2028" and ord(character) < 256)


def content_types(draw: Random) -> Sent:
    """A media type, a charset and other parameters, most of them wrong."""
    kind = draw.choice([JSON, FORM, "multipart/form-data", "text/plain", "image/png", "*/*", "json", "", ";", "a/b/c"])
    name = draw.choice(["charset", "charset*", "charset*0", "boundary", "boundary*", "q", "x*", ""])
    codecs = [
        "hex",
        "zlib",
        "bz2",
        "base64",
        "rot13",
        "undefined",
        "punycode",
        "utf-16",
        "utf-7",
        "idna",
        "utf-8",
        "latin-1",
    ]
    ends = ["foo''x", "utf-8''%00", "''", "utf-8''%ff", '"', "x" * 200, "\xff", "=", ";" * 20, *codecs]
    value = draw.choice(ends)
    method, path = draw.choice([*WRITES, ("GET", "/events"), ("DELETE", "/events/party")])
    query = draw.choice(["", "?x=1", "?limit=2", "?status=%ff"])
    body = draw.choice([b"", b"{}", json.dumps(EVENT | {"capacity": -1}).encode(), b"title=x", b"--x\r\n"])
    header = f"{kind}; {name}={value}" if draw.random() < 0.9 else header_text(draw)
    return Sent(method, path + query, {"Content-Type": header} | _accept(draw), body)


HEADERS = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Encoding",
    "Cookie",
    "Forwarded",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Unmodified-Since",
    "Origin",
    "Range",
    "Referer",
    "User-Agent",
    "X-Correlation-Id",
    "X-Csrftoken",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Http-Method-Override",
    "X-Requested-With",
]
VALUES: dict[str, list[str]] = {
    "If-Match": ['"037"', 'w/"37"', 'foo"37"bar', '*,"37"', '"', '""', ",", 'W/"1"'],
    "If-None-Match": ["*", '"1"', 'W/"x"', '"', ","],
    "Cookie": [
        'sessionid="' + "\\" * 9000 + '"',
        'csrftoken="' + "\\1" * 2000,
        "sessionid=x",
        "sessionid=a:b:c",
        "csrftoken=x",
        "=",
        ";;;",
        "sessionid=" + "x" * 4000,
        "acting=x",
        "acting=alice:x:y",
        'acting="eyJzdWIiOiJhbGljZSJ9:1x:' + "x" * 3000,
    ],
    "Accept": [
        "application/json; a*=foo''x",
        "text/html; q*=\xff''%00",
        ";" * 9000,
        "text/html",
        "a/b/c",
        "*/*;q=x",
        "application/json;q=9",
        "text/html;" * 50,
        "application/yaml",
        ";",
    ],
    "Authorization": ["Bearer", "Bearer ", "Basic eDp4", "Bearer a.b.c", "Bearer e30.e30.e30", "Bearer " + "x" * 9000],
    "Origin": ["null", "http://[", "https://a@b", "x", "https://page.example"],
    "Idempotency-Key": ["", " ", "x" * 256, "é", "k"],
    "Host": ["evil.example", "localhost:x", "a b", "[::1", "localhost\\x"],
}


def headers(draw: Random) -> Sent:
    """Any header, with what its grammar does not know."""
    method, path = draw.choice([*WRITES, *[(draw.choice(METHODS), path) for path in PATHS]])
    chosen = {}
    for name in draw.sample(HEADERS, draw.randint(1, 3)):
        known = VALUES.get(name, [])
        chosen[name] = draw.choice(known) if known and draw.random() < 0.6 else header_text(draw)
    body = (
        json.dumps({"title": odd_text(draw), "capacity": "many"}).encode()
        if method in ("POST", "PUT", "PATCH")
        else None
    )
    return Sent(method, path, {"Content-Type": JSON} | chosen, body, list(chosen.values()))


def broken_bodies(draw: Random) -> Sent:
    """Bodies that are no JSON, or not of our shape."""
    method, path = draw.choice(WRITES)
    whole = json.dumps(EVENT | {"title": mark(draw, 150)}).encode()
    cut, flipped = draw.randrange(len(whole)), bytearray(whole)
    flipped[cut] ^= draw.randint(1, 255)
    body = draw.choice(
        [
            whole[:cut],
            bytes(flipped).replace(b'"capacity"', b'"capacity": -1, "x"'),
            draw.randbytes(draw.randint(1, 60)),
            b'{"title": "a", "title": "b"}',
            b'{"capacity": NaN}',
            b'{"capacity": 1e999}',
            b'{"capacity": ' + b"9" * draw.randint(1, 5000) + b"}",
            b'\xef\xbb\xbf{"name": ""}',
            '{"name": ""}'.encode("utf-16"),
            b"[]",
            b"null",
            b'""',
            b"0",
        ]
    )
    return Sent(method, path, {"Content-Type": JSON} | _accept(draw), body)


NAMES = [
    *EVENT,
    "eventId",
    "hasWaitlist",
    "startTime",
    "endTime",
    "timeZone",
    "userId",
    "name",
    "email",
    "x",
    "__proto__",
]


def odd_values(draw: Random) -> Sent:
    """JSON whose values are of all types, long, and hard to encode."""
    method, path = draw.choice(WRITES)
    long = mark(draw, draw.choice([150, 2500, 20_000]))
    body: dict[str, Any] = {"capacity": -1, "name": "", "userId": "no id"}  # so that it is refused in any case
    for name in draw.sample(NAMES, draw.randint(1, 6)):
        body[name] = draw.choice(
            [
                long,
                odd_text(draw),
                f"{long}\ud800",
                [long],
                {"a": long},
                None,
                True,
                -1,
                1e308,
                10**40,
                "",
                " ",
                "\u200b",
            ]
        )
    if draw.random() < 0.8:
        body |= {"capacity": -1, "name": "", "userId": long}
    return Sent(method, path, {"Content-Type": JSON} | _accept(draw), json.dumps(body).encode(), [long])


def nesting(draw: Random) -> Sent:
    """Arrays and objects in one another."""
    method, path = draw.choice(WRITES)
    depth = draw.choice([1, 10, 63, 64, 65, 100, 500, 925, 943, 1000, 5000, 100_000])
    opening, closing = draw.choice([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
    text = opening * depth + "1" + (closing * depth if draw.random() < 0.8 else "")
    body = (
        text if draw.random() < 0.5 else f'{{"{draw.choice(NAMES)}": {text}, "name": "", "capacity": -1, "userId": ""}}'
    )
    return Sent(method, path, {"Content-Type": JSON} | _accept(draw), body.encode())


def paths(draw: Random) -> Sent:
    """Paths that lead nowhere, or to an id that cannot be one."""
    piece = quote(odd_text(draw).encode(errors="replace"), safe="")
    shapes = [
        "/events/{}",
        "/events/{}/registrations",
        "/users/{}",
        "/events/party/registrations/{}",
        "/{}",
        "/static/{}",
    ]
    shapes += [
        "//{}",
        "/events/../{}",
        "/events//{}",
        "/events/{}/waitlist?limit=1",
        "/{0}/{0}",
        "/events/{}?format={}",
    ]
    return Sent(draw.choice(METHODS), draw.choice(shapes).replace("{0}", "{}").format(piece, piece), _accept(draw))


def queries(draw: Random) -> Sent:
    """Parameters of lists: wrong, doubled, endless."""
    names = [
        "limit",
        "cursor",
        "status",
        "from",
        "to",
        "order",
        "organizerId",
        "format",
        "expand",
        "next",
        "code",
        "state",
        "x",
    ]
    long = mark(draw, draw.choice([120, 1000, 3999, 4500]))
    pairs = []
    for name in draw.choices(names, k=draw.randint(1, 5)):
        text = draw.choice(
            [
                long,
                odd_text(draw),
                "0",
                "-1",
                "1001",
                "5.0",
                "9" * 50,
                "9" * 4301,
                "1e3",
                "",
                "json",
                "api",
                "csv",
                "ics",
                "draft",
            ]
        )
        pairs.append((name, text.encode(errors="replace")))
    raw = draw.choice(["", "&" * 30, "&%", "&a%ffb", "&=", ";limit=1", "&" + "&".join(["x=1"] * 1200)])
    path = draw.choice([*LISTS, "/events/party", "/schema", "/login", "/login/callback", "/"])
    return Sent("GET", f"{path}?{urlencode(pairs)}{raw}", _accept(draw), long=[long])


def sizes(draw: Random) -> Sent:
    """Bodies around and far above the limit, in every format."""
    method, path = draw.choice(WRITES)
    size = draw.choice([999_000, 1_000_001, 1_500_000, 3_000_000])
    kind, body = draw.choice(
        [
            (JSON, b'{"title": "' + b"x" * size + b'", "capacity": -1, "name": 1, "userId": 1}'),
            (FORM, b"title=" + b"x" * size + b"&capacity=-1&name=&userId=+"),
            ("multipart/form-data; boundary=b", _part("title", b"x" * size) + _part("name", b"") + b"--b--\r\n"),
            (JSON, b" " * size),
            (JSON, b'{"status": "' + b"y" * size + b'"}'),
        ]
    )
    return Sent(method, path, {"Content-Type": kind} | _accept(draw), body, ["x" * 3000, "y" * 3000])


def _part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def forms(draw: Random) -> Sent:
    """Forms as browsers send them, and as they do not."""
    method, path = draw.choice(WRITES)
    long = mark(draw, draw.choice([150, 3000, 50_000]))
    fields = [
        (name, draw.choice([long, odd_text(draw), "-1", ""])) for name in draw.choices(NAMES, k=draw.randint(1, 6))
    ]
    fields += [("capacity", "-1"), ("name", ""), ("userId", "no id")]
    if draw.random() < 0.3:
        fields += [("_method", draw.choice(METHODS)), ("_version", draw.choice(["0", "x", "9" * 4301]))]
        fields += [("_before", draw.choice(['{"capacity": "2"}', "[]", '{"title": {}}', "{", "null"]))]
        fields += [("capacity", draw.choice(["9" * 4301, "5.0", "²", "-1"])), ("name", ""), ("title", "")]
    if draw.random() < 0.1:
        fields += [("x", "1")] * 1200
    if draw.random() < 0.5:
        body = urlencode([(name, value.encode(errors="replace")) for name, value in fields]).encode()
        kind = FORM
    else:
        file = draw.choice(["", '; filename="a"', "; filename*=x", '"', "; filename=\x00"])
        body = b"".join(_part(name, value.encode(errors="replace"), file) for name, value in fields)
        body += draw.choice([b"--b--\r\n", b"", b"--b", b"--c--"])
        kind = draw.choice(["multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary="])
    accept = {"Accept": "text/html"} if draw.random() < 0.8 else {}
    return Sent(method, path, {"Content-Type": kind} | accept, body, [long])


def methods(draw: Random) -> Sent:
    """Methods that are not there."""
    method = draw.choice([*METHODS, "TRACE", "BREW", "PROPFIND", "get", "Post", "X" * 60, "QUERY"])
    return Sent(method, draw.choice([*PATHS, "*", "/nothing"]), _accept(draw))


def tokens(draw: Random) -> Sent:
    """Tokens with good and bad signatures over odd claims. Without sign-in they mean nothing."""
    method, path = draw.choice(
        [*WRITES, ("GET", "/users"), ("GET", "/events?status=draft"), ("GET", "/users/me"), ("GET", "/")]
    )
    changes: Any = draw.choice(
        [
            {"sub": odd_text(draw)},
            {"sub": 7},
            {"username": "\ud800", "cognito:groups": "x,Admins"},
            {"username": mark(draw, 5000)},
            {"cognito:groups": draw.choice(["Admins,x", {"a": 1}, [1], ["x"] * 500, 9, True, ["Admins\x00"]])},
            {"exp": draw.choice([0, -1, 1e308, "soon", None])},
            {"iss": odd_text(draw)},
            {"token_use": draw.choice([None, 1, ["access"], "refresh"])},
            {"name": "\udfff" * 300, "email": odd_text(draw)},
        ]
    )
    token = issuing.token(**changes)
    if draw.random() < 0.2:
        token = token[: draw.randrange(len(token))]
    body = json.dumps({"name": "", "capacity": -1, "userId": "no id"}).encode() if method != "GET" else None
    return Sent(method, path, {"Authorization": f"Bearer {token}", "Content-Type": JSON} | _accept(draw), body, [token])


def _accept(draw: Random) -> dict[str, str]:
    chosen = draw.choice(
        ["", "", "application/json", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "text/csv"]
    )
    return {"Accept": chosen} if chosen else {}


CLASSES: dict[str, tuple[Callable[[Random], Sent], int]] = {
    "content types": (content_types, 1200),
    "headers": (headers, 1200),
    "broken bodies": (broken_bodies, 800),
    "odd values": (odd_values, 950),
    "nesting": (nesting, 400),
    "paths": (paths, 700),
    "queries": (queries, 950),
    "sizes": (sizes, 50),
    "forms": (forms, 700),
    "methods": (methods, 325),
    "tokens": (tokens, 270),
}
"""What there is, and how many of each are sent over each way and in each mode."""
