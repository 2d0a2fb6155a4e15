"""What is done with pages and texts of strangers in a process of its own: functions of values.

What reads pages is imported there alone: it takes seconds, and most processes never read a posting.
"""

from domain.posting import Finding
from domain.postings.enriching import MOST_CHARACTERS, Reading
from providers.postings.ats import Answered, read_answer


def read_page(html: str, url: str) -> tuple[Reading, bool, bool]:
    """What a page says, whether it says nothing without JavaScript, and whether it asks for a password."""
    from providers.postings.structured import read_posting_page

    page = read_posting_page(html, url)
    reading = Reading(
        text=page.text[:MOST_CHARACTERS],
        headings=tuple(page.headings[:20]),
        shown=page.shown[:MOST_CHARACTERS],
        tiers=tuple(dict(tier) for tier in page.tiers),
    )
    return reading, page.needs_javascript, page.asks_password


def read_board(answer: Answered) -> Reading:
    """What a board says. Raises VendorError `gone`, `bad_response`."""
    listed = read_answer(answer)
    title = listed.findings["title"].value
    return Reading(text=listed.text[:MOST_CHARACTERS], headings=(title,), tiers=(dict(listed.findings),))


def read_words(text: str, headings: tuple[str, ...]) -> dict[str, Finding]:
    """What the words of a posting say by themselves."""
    from domain.postings.reading import read_text

    return dict(read_text(text, headings=headings))
