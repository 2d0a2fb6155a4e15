"""What single words of a posting say: where, how remote, which employment, how senior, in which languages, when."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from importlib.resources import files

from domain.posting import EmploymentType, Remote, Seniority

REMOTE = re.compile(
    r"\b(?:100\s?%|fully|full)[- ]?remote\b|\bremote(?:[- ]first|[- ]only)?\b|\bvirtual\b|\btele(?:commut\w*|work\w*)\b"
    r"|\bwork(?:ing)? from (?:home|anywhere)\b|\banywhere\b|\bdistributed\b|\bhome[- ]office\b",
    re.IGNORECASE,
)
HYBRID = re.compile(r"\bhybrid\b|\bpartly remote\b|\b[1-4] days? (?:a|per) week (?:in|at) (?:the|our) office\b", re.I)
ONSITE = re.compile(r"\bon[- ]?site\b|\bin[- ](?:the[- ])?office\b|\bin[- ]person\b|\bnot remote\b|\bno remote\b", re.I)
# A label's value or a whole statement about this position, not a word about some others.
STATED = re.compile(
    r"(?<!if )\b(?:this is an?|(?:this|the) (?:position|role|job|opportunity) is)\b(?! not|n)[^.\n]{0,40}"
    r"|\bin this [^.\n]{0,20}(?:position|role)\b",
    re.IGNORECASE,
)
WORDS = tomllib.loads(files("domain.postings").joinpath("words.toml").read_text(encoding="utf-8"))
REGIONS = frozenset(WORDS["regions"])
TITLES: tuple[tuple[Seniority, str], ...] = (
    (Seniority.INTERN, r"\b(?:intern|internship|trainee|apprentice|working student|werkstudent\w*)\b"),
    (Seniority.EXECUTIVE, r"\b(?:chief|c[tefo]o|president|vp|vice president|executive director)\b"),
    (Seniority.DIRECTOR, r"\b(?:director|head of)\b"),
    (Seniority.PRINCIPAL, r"\b(?:principal|staff|distinguished|fellow)\b"),
    (Seniority.LEAD, r"\b(?:lead|manager|supervisory)\b"),
    (Seniority.SENIOR, r"\b(?:senior|sr\.?|expert)(?:\s|$|,)"),
    (Seniority.ENTRY, r"\b(?:junior|jr\.?|entry[- ]level|graduate|associate)\b"),
    (Seniority.MID, r"\b(?:mid[- ]level|intermediate|mid)\b"),
)
# Grades of the General Schedule of the United States, as its own levels of work describe them.
GRADES = (
    (15, Seniority.PRINCIPAL),
    (14, Seniority.LEAD),
    (13, Seniority.SENIOR),
    (9, Seniority.MID),
    (1, Seniority.ENTRY),
)
YEARS = ((10, Seniority.PRINCIPAL), (5, Seniority.SENIOR), (2, Seniority.MID), (0, Seniority.ENTRY))
TYPES: tuple[tuple[EmploymentType, str], ...] = (
    (EmploymentType.INTERNSHIP, r"\b(?:internship|intern)\b"),
    (EmploymentType.VOLUNTEER, r"\bvolunteer\b"),
    (EmploymentType.PART_TIME, r"\bpart[-_ ]?time\b|\bteilzeit\b"),
    (EmploymentType.CONTRACT, r"\b(?:contract(?:or)?|freelance|per[-_ ]diem)\b"),
    (EmploymentType.TEMPORARY, r"\b(?:temporary|temp|fixed[- ]term|seasonal|term appointment|befristet)\b"),
    (EmploymentType.FULL_TIME, r"\bfull[-_ ]?time\b|\bvollzeit\b|\bpermanent\b|\bregular\b"),
)
LANGUAGES = "|".join(WORDS["languages"])
SPOKEN = re.compile(
    rf"\b(?:fluen\w+|proficien\w+|native|business|working knowledge|command|speak\w*|written and spoken|language)\b"
    rf"[^.\n]{{0,40}}?\b({LANGUAGES})\b|\b({LANGUAGES})\b[- ](?:speak\w+|fluency|language skills)",
    re.IGNORECASE,
)
WRITTEN_DATE = re.compile(
    r"\d{1,2}(?:st|nd|rd|th)?\.?\s+\w{3,9}\.?,?\s+\d{4}|\w{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}"
    r"|\d{1,2}/\d{1,2}/\d{4}"
)
CLOSED = re.compile(
    r"\b(?:this )?(?:job|position|posting|role|vacancy|opening|job posting)\b[^.\n]{0,30}\b(?:has closed|is closed|"
    r"(?:has been|is|was) (?:filled|closed)|no longer (?:available|accepting|open)|has expired|closed)\b"
    r"|\bno longer accepting applications\b|\bapplications? (?:are|is) closed\b",
    re.IGNORECASE,
)


def locations_in(value: str) -> tuple[str, ...]:
    """The places that a location's label names, in order; words that say how remote are no place."""
    places: list[str] = []
    for part in re.split(r"\s*(?:;|\||\n|\bor\b|/(?!\w*\d))\s*", value):
        pieces = [piece for piece in (_place(one) for one in part.split(",")) if piece]
        for piece in pieces:
            if places and pieces[0] != piece and (piece.upper() in REGIONS or _is_region(piece, pieces)):
                places[-1] = f"{places[-1]}, {piece}"
            else:
                places.append(piece)
    return tuple(dict.fromkeys(places))


def _place(piece: str) -> str:
    """A piece without what says how remote; empty when nothing else is left."""
    bare = re.sub(
        r"\([^)]*\)", lambda inner: "" if REMOTE.search(inner[0]) or HYBRID.search(inner[0]) else inner[0], piece
    )
    if re.fullmatch(
        r"\W*(?:100\s?%\W*)?(?:fully\W+)?(?:remote|virtual|hybrid|on-?site|tele\w+)\W*(?:first|only|friendly)?\W*",
        bare,
        re.I,
    ):
        return ""
    bare = re.sub(r"^\W*(?:remote|hybrid|virtual)\s*(?:[-–—:,]|\bin\b|\bwithin\b)\s*", "", bare, flags=re.I)
    bare = " ".join(bare.split()).strip(" :*_-–—•")
    return bare if re.search(r"\b\w\.\w\.$", bare) else bare.rstrip(".")


def _is_region(piece: str, pieces: Sequence[str]) -> bool:
    """`Berlin, Germany`: two words with a comma are a place and where it lies; longer lists are places."""
    return len(pieces) == 2 and piece == pieces[1]


def remote_in(value: str) -> Remote:
    """How remote a label's value, or a statement, says the work is."""
    for pattern, remote in ((HYBRID, "hybrid"), (ONSITE, "onsite"), (REMOTE, "remote")):
        if pattern.search(value):
            return remote  # pyright: ignore[reportReturnType]
    return "unknown"


def remote_stated(text: str) -> tuple[Remote, str]:
    """What a running text says of this very position, with the words that say it."""
    for found in STATED.finditer(text):
        if (remote := remote_in(found.group())) != "unknown":
            return remote, found.group().strip()
    return "unknown", ""


def seniority_of(title: str) -> Seniority | None:
    """By the words of a title; a grade in it is read when no word says more."""
    for seniority, pattern in TITLES:
        if re.search(pattern, title, re.IGNORECASE):
            return seniority
    return None


def seniority_by_grade(text: str) -> tuple[Seniority, str] | None:
    found = re.search(r"\bGS[-\s\u00a0]?(\d{1,2})\b", text)
    if not found or not 1 <= int(found[1]) <= 15:
        return None
    return next(seniority for least, seniority in GRADES if int(found[1]) >= least), found.group()


def seniority_by_years(text: str) -> tuple[Seniority, str] | None:
    """By the years of experience asked for: the first that are named."""
    found = re.search(
        r"(\d{1,2})\s*(?:\+|plus|or more|(?:-|–|to)\s*\d{1,2})?\s*(?:\(\w+\)\s*)?years?[^.\n]{0,40}experience",
        text,
        re.I,
    )
    if not found or int(found[1]) > 25:
        return None
    return next(seniority for least, seniority in YEARS if int(found[1]) >= least), " ".join(found.group().split())


def employment_in(value: str) -> EmploymentType | None:
    return next((kind for kind, pattern in TYPES if re.search(pattern, value, re.IGNORECASE)), None)


def languages_in(text: str) -> tuple[str, ...]:
    """Languages that somebody is to speak, as the text names them."""
    return tuple(dict.fromkeys((found[1] or found[2]).capitalize() for found in SPOKEN.finditer(text)))


def date_in(value: str) -> date | None:
    """The one date that a value names, in English or as ISO 8601; a number of applicants is none."""
    if re.search(r"\bapplica(?:nt|tion)s\b", value, re.I) and not re.search(r"\d{4}", value):
        return None
    if found := re.search(r"\d{4}-\d{2}-\d{2}", value):
        return _date(found.group())
    found = WRITTEN_DATE.search(value)
    return _date(found.group()) if found else None


def _date(words: str) -> date | None:
    # imported here: it takes long, and most processes never read a posting
    import dateparser

    parsed = dateparser.parse(words, languages=["en"], settings={"REQUIRE_PARTS": ["day", "month", "year"]})
    return parsed.date() if parsed else None


def is_closed(text: str) -> str | None:
    """The words that say that nobody can apply any more."""
    found = CLOSED.search(text)
    return found.group() if found else None
