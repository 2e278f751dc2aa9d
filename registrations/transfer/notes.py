"""The report of what an import changed or left out, counted by kind."""

from collections.abc import Iterator

from eventsite.text.humanize import number

IDS = "Ids changed to fit our rule"
NEW_IDS = "Ids made for records without one"
NAMES = "Names repaired"
NAMELESS = "People without a name, who are called by their id"
ADDRESSES = "E-mail addresses repaired"
NO_ADDRESSES = "Texts left out that are no e-mail address"
VERSIONS = "Versions that are no number, set to 1"
TIMES = "Times that are not understood, left out"
ANSWERS = "Answers left out that do not fit their question"
TWICE = "Registration ids that came twice, replaced"
HALF_CHARACTERS = "Texts with half a character, replaced by \N{REPLACEMENT CHARACTER}"
ENCODINGS = "Files that are no UTF-8, read as Windows-1252"
ORGANIZERS = "Events without an organizer's name, where the organizer's id stands in"
DRAFTS = "Events made drafts, because their status is none of ours"
MOMENTS = "Times turned into UTC"
REPEATED = "People with several registrations for one event, of which the best counts"
UNKNOWN_PEOPLE = "People who are in none of the files, called by their id"
COUNTS = "Counters that were wrong, counted again"
OVERSOLD = "Oversold events, where everyone keeps the seat"
MOVED_UP = "People who got a seat that was free while they waited"
EARLIER = "Registrations of an earlier event of the same id, left out"
ORPHANS = "Registrations left out, because their event is in none of the files"
BOOKKEEPING = "Records left out that only the old service needs"
COLUMNS = "Columns left out"
DECLINED = "Guests left out, because they are not coming"
COMPANIONS = "Companions without a name, left out"
LISTED_TWICE = "Guests left out, because their address or id is on another line too"
DIFFERENT = "Records of one id with different values, of which the last counts"
STATUSES = "Words for a status that are not known, read as registered"
WAITING = "Guests who had a seat there and wait here: raise the capacity"
SEATED = "Guests who waited there and have a seat here, because one was free"
FULL = "Guests left out, because the event is full and keeps no waitlist"
ALREADY = "Guests who are here already"

DETAILED = 2  # the lowest verbosity that shows all details


class Notes:
    def __init__(self) -> None:
        self.details: dict[str, list[str]] = {}
        """A sentence or a few words for each case, by kind."""

    def __bool__(self) -> bool:
        return bool(self.details)

    def add(self, kind: str, detail: str) -> None:
        self.details.setdefault(kind, []).append(detail)

    def lines(self, verbosity: int = 1) -> Iterator[str]:
        """Return a line for each kind, with its count and an example, or with all details."""
        for kind, details in self.details.items():
            if verbosity >= DETAILED:
                yield f"{kind}: {number(len(details))}."
                yield from (f"  {detail}" for detail in details)
            else:
                count = number(len(details))
                yield f"{kind}: {count}, such as: {details[0]}" if len(details) > 1 else f"{kind}: {details[0]}"
