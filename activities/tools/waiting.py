"""`ask_person` and `external`: somebody outside answers, by a URL or by a callback."""

from typing import Any

from pydantic import Field, HttpUrl

from activities.tools.tool import Spec
from domain.model import Request
from domain.plan import EXTERNAL
from domain.tasks import Timeout
from domain.telling import EMAIL


class Question(Request):
    """`to`: who is sent the question, with the URL that takes the answer; without it the URL is told by API alone."""

    question: str = Field(min_length=1, max_length=10_000)
    to: str | None = Field(default=None, pattern=EMAIL, max_length=320)
    timeout: Timeout | None = None


class Outside(Request):
    """`url`: who is told to begin, by a POST of `body`; without it somebody knows."""

    url: HttpUrl | None = None
    body: Any = None
    timeout: Timeout | None = None


ASK_PERSON = Spec(
    "ask_person",
    "Ask a person and wait for the answer.",
    Question,
    way="wait",
    by_model=False,
    own_means=lambda asked: asked.get("to") is not None,
)
OUTSIDE = Spec(EXTERNAL, "Wait for somebody outside to do the step.", Outside, way="wait", by_model=False)
