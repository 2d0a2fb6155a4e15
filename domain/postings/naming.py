"""What a posting is called, and who posts it: from headings, page titles and the first lines of a pasted text."""

import re
from typing import NamedTuple

# Words that the name of a job ends in or holds.
ROLE = re.compile(
    r"\b(?:engineer|developer|manager|director|designer|analyst|architect|scientist|specialist|strategist|lead|expert|"
    r"consultant|administrator|officer|assistant|coordinator|researcher|writer|editor|recruiter|accountant|nurse|"
    r"teacher|technician|operator|representative|executive|president|head|chief|intern|advisor|adviser|associate|"
    r"programmer|product owner|scrum master|sre|devops|counsel|attorney|economist|statistician|entwickler\w*|"
    r"ingenieur\w*|berater\w*|leiter\w*|fellow|agent|buyer|planner|marketer|partner|clerk|driver|chef|cook)s?\b",
    re.IGNORECASE,
)
# Grades, genders and requisition numbers are no part of a name.
TRIM = re.compile(
    r"\s*[-–—,(]?\s*\b(?:GS|GG|SES)[-\s\u00a0]?\d{0,2}\)?$|\s*\((?:[mwfdx]\s*/\s*){1,3}[mwfdx]\)|\s*\((?:remote|hybrid)\)$"
    r"|\s*[-–—(#]?\s*(?:req(?:uisition)?|job)?\s*(?:id|no\.?|#)\s*:?\s*[\w-]*\d[\w-]*\)?$",
    re.IGNORECASE,
)
SPLIT = re.compile(r"\s*:\s+|\s+[-–—|]\s+")
AT = re.compile(r"(.+?)\s+(?:at|@)\s+([A-Z0-9].*)")
WORD = r"[A-Z0-9](?:[\w&'’-]|\.(?=\w))*"
HIRES = re.compile(
    r"(?:^|[.!?\n*#]\s*|\b[Aa]t |\b[Jj]oin |\b[Aa]bout )"
    rf"((?:the )?{WORD}(?: (?:{WORD}|&|of|and|for|the)){{0,5}}?)"
    r"(?=,? (?:is|are) (?:hiring|looking|seeking|recruiting|searching|a |an |the ))"
)
SENTENCE = re.compile(r"[.!?]$|\b(?:we|you|our|will|are|is)\b", re.IGNORECASE)
NOBODY = {"we", "this", "it", "you", "the", "our", "there", "that", "who", "what", "role", "job", "position", "remote"}


class Named(NamedTuple):
    """Title and company, each None where the words do not say it, and the line they stand in."""

    title: str | None
    company: str | None
    quote: str


def named(line: str, text: str) -> Named:
    """Title and company of a heading such as `Acme - Data Engineer` or `Data Engineer at Acme`.

    Behind `at` stands the company; another part is it when the text speaks of it elsewhere and it does not name a job.
    """
    whole = _trimmed(line.strip(" #*_\t"))
    if (said := AT.match(whole)) and ROLE.search(said[1]) and not ROLE.search(said[2]):
        return Named(_trimmed(said[1]), said[2], line)
    parts = [part.strip() for part in SPLIT.split(whole) if part.strip()]
    jobs = [part for part in parts if ROLE.search(part)]
    others = [part for part in parts if part not in jobs and _spoken_of(part, text, besides=line)]
    if len(parts) < 2 or not jobs or not others:
        return Named(whole if ROLE.search(whole) or len(whole.split()) <= 8 else None, None, line)
    kept = [part for part in parts if part != others[0]]
    title = jobs[0] if len(kept) > 1 and kept[0] != jobs[0] else " - ".join(kept)
    return Named(_trimmed(title), others[0], line)


def hiring(text: str) -> tuple[str, str] | None:
    """Who hires, as a sentence says it (`Acme is hiring`), and its words."""
    for found in HIRES.finditer(text):
        name = re.sub(r"^[Tt]he ", "", found[1]).strip()
        if name.lower() not in NOBODY and not ROLE.search(name):
            return name, found[1]
    return None


def is_title(line: str) -> bool:
    """Whether a line names a job and is no sentence."""
    bare = line.strip(" #*_\t")
    return 3 < len(bare) <= 120 and bool(ROLE.search(bare)) and not SENTENCE.search(bare)


def _trimmed(name: str) -> str:
    before = None
    while before != name:
        before, name = name, TRIM.sub("", name).strip(" -–—|,")
    return name


def _spoken_of(name: str, text: str, *, besides: str) -> bool:
    """Whether the text names it outside the headings that repeat the line."""
    if len(name) < 2 or name.lower() in NOBODY:
        return False
    rest = "\n".join(line for line in text.splitlines() if besides not in line)
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", rest) is not None
