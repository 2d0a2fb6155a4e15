"""Proper names in a claim, and whether the cited sentences hold them."""

import re
from collections.abc import Collection, Iterator, Sequence

from domain.text import NUMBER, STOP, WORD, bare, folded, plain, stem

# Words that may open a sentence of ours without being anybody's name.
_OPENERS = """
according additionally although among another anyone apply approach around ask asked based become begin believe beyond
bring build built candidates care check choose clearly clients code come common companies company compare connect
consider continue core create created culture currently customers data decide deliver delivery demonstrate describe
design designers despite developers development different discuss employees engineering engineers ensure especially
established everyone everything expect experience explain explore finally find first five focus follow formed founded
four frequently generally give given good great growing headquartered help highlight hiring hosted identify imagine
impact important improve include including internally interview interviewers join key know large last late latest lead
leaders learn least leave list look lots main maintain major manage management managers mention mission modern name
new note offer offers often one open openly ops outline overall part partners people perhaps pick plan point position
practice practise prepare present product products projects provide publicly question questions read ready recent
recently recruiters reflect refresh rehearse relate research review revisit role say second security see services
several share show software speak specifically staff start started stay still story study suggest sure systems take
talk talking teach team teams tell testing their think third three today together tools topics toward towards try two
type typically understand unlike user users usually value values walk want ways web work workers working works write
years yes
"""
_TRADE = "api apis ci cd ui ux qa hr cv ceo cto star url urls http faq kpi kpis okr okrs slo slos q&a"
OPENERS = frozenset(stem(word) for word in _OPENERS.split()) | frozenset(map(stem, STOP))
# A lone capitalised word with such an ending opens a sentence; hardly any name ends so.
ORDINARY_ENDING = re.compile(r".{3,}(?:ing|ed|ity|tion|sion|ment|ness|ance|ence|ship|ery|ers|ists)")
# What any engineer says in a question or a tip without saying anything about the company.
TRADE = frozenset(_TRADE.split())
# After these a capital says nothing.
OPENING = re.compile(r"""(?:^|[.!?:;-])[\s"'(\[-]*$""")


def is_name(word: str) -> bool:
    """Whether a word looks like a name wherever it stands: Alec, FEC, CamelCase, 18F, cloud.gov, C++."""
    if NUMBER.fullmatch(word) or not any(letter.isalpha() for letter in word):
        return False
    letters_and_digits = any(sign.isdigit() for sign in word) and "'" not in word
    return any(letter.isupper() for letter in word) or letters_and_digits or bool(re.search(r"[.+#]", word))


def runs(text: str, ordinary: Collection[str]) -> Iterator[list[str]]:
    """Names as runs of adjacent words. `ordinary` are stems that do not make a name of a word that opens a sentence."""
    text = plain(text)
    run: list[str] = []
    end = -1
    for match in WORD.finditer(text):
        word = bare(match.group())
        opens = bool(OPENING.search(text[: match.start()])) and word[1:].islower()
        alone = not text[match.end() : match.end() + 2].strip()[:1].isupper()
        named = is_name(word) and len(word) > 1 and not (opens and _ordinary(word, ordinary, alone=alone))
        if run and (not named or text[end : match.start()] not in (" ", "-", "/")):
            yield run
            run = []
        if named:
            run.append(word)
            end = match.start() + len(word)
    if run:
        yield run


def _ordinary(word: str, ordinary: Collection[str], *, alone: bool) -> bool:
    """Whether a word that opens a sentence is no name; `alone` when no other capitalised word follows."""
    return stem(word) in ordinary or stem(word) in OPENERS or (alone and bool(ORDINARY_ENDING.fullmatch(word)))


def unknown_name(text: str, quotes: Sequence[str], known: Collection[str], ordinary: Collection[str]) -> str | None:
    """The first name of `text` that no quote holds, or None. `known` are lower-case words that need no source."""
    sources = [folded(quote) for quote in quotes]
    for run in runs(text, ordinary):
        for part in _without(run, known):
            if not _held(part, sources):
                return " ".join(part)
    return None


def _without(run: list[str], known: Collection[str]) -> Iterator[list[str]]:
    """`run` cut at the words that are known."""
    part: list[str] = []
    for word in run:
        if word.lower() in known:
            if part:
                yield part
            part = []
        else:
            part.append(word)
    if part:
        yield part


def _held(run: list[str], sources: Sequence[str]) -> bool:
    """Whether `run` is made of pieces that the sources hold word by word.

    A piece of one word counts only as the whole run or as an acronym: "Emily Palmer" is not held by sentences that
    name Emily Read and Alec Palmer.
    """
    whole = len(run)
    reached = {0}
    for start in range(whole):
        if start not in reached:
            continue
        for stop in range(start + 1, whole + 1):
            piece = run[start:stop]
            alone = len(piece) == 1 and whole > 1 and piece[0][1:].islower()
            if not alone and _stands(piece, sources):
                reached.add(stop)
    return whole in reached


def _stands(piece: list[str], sources: Sequence[str]) -> bool:
    wanted = " ".join(piece).lower()
    forms = (f" {wanted} ", f" {wanted.removesuffix('s')} ", f" {wanted}s ")
    return any(form in source for form in forms for source in sources)
