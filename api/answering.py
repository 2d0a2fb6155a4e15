"""The page behind a waitpoint's URL, for people: what is asked, and a form that answers.

To look changes nothing, since mail programs look at every link. The page needs no script and nothing from elsewhere.
"""

from base64 import b64encode
from datetime import UTC
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.dependencies import Given, Services
from api.errors import NotFound
from api.waitpoints import resolve, seen
from domain.errors import NotWaiting
from domain.storable import storable
from ledger.waitpoints import Verdict, Waitpoint

# not in the API's description: it answers browsers
router = APIRouter(prefix="/api/waitpoints", include_in_schema=False)
PAGE = files("api").joinpath("answer.html").read_text(encoding="utf-8")
STYLE = PAGE.split("<style>", 1)[1].split("</style>", 1)[0]
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # the address is what gives the right to answer
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LONGEST = 10_000
EMPTY = "Please write an answer, or say that you cannot answer."
GONE = "Nobody waits at this address. Is it complete? It may be broken over two lines of a letter."
STANDS = {
    "completed": "Thank you: this is answered.",
    "failed": "Thank you: this will not be answered.",
    "timed_out": "The time to answer is over.",
    "canceled": "Nobody waits for an answer any more.",
}
Token = Annotated[str, Query(max_length=200)]


@router.get("/{waitpoint_id}/complete", response_class=HTMLResponse)
async def show_question(waitpoint_id: str, given: Given, token: Token = "") -> Response:
    """What is asked, with a form while somebody waits."""
    try:
        point = await seen(waitpoint_id, given, token)
    except NotFound:
        return _page("There is no such question", f"<p>{GONE}</p>", 404)
    return await _shown(point, given, token)


@router.post("/{waitpoint_id}/answer", response_class=HTMLResponse)
async def answer_question(
    waitpoint_id: str,
    given: Given,
    token: Token = "",
    answer: Annotated[str, Form(max_length=2 * LONGEST)] = "",
    status: Annotated[Verdict, Form()] = "completed",
) -> Response:
    """End the wait with what the form says: the step's output is the text."""
    try:
        point = await seen(waitpoint_id, given, token)
    except NotFound:
        return _page("There is no such question", f"<p>{GONE}</p>", 404)
    text = storable(answer).replace("\r\n", "\n").strip()
    if not text and status == "completed" and point.status == "waiting":
        return await _shown(point, given, token, wrong=EMPTY, code=422)
    try:
        await resolve(point, given, "token", status, output=text, error=text[:1000] or "the person cannot answer")
    except NotWaiting:
        stands = await given.waitpoints.get(point.id)
        return await _shown(stands or point, given, token, wrong="Your answer came too late.", code=409)
    # so that to load the page again sends nothing again
    return RedirectResponse(f"complete?token={quote(token)}", 303, HEADERS)


async def _shown(point: Waitpoint, given: Services, token: str, *, wrong: str = "", code: int = 200) -> HTMLResponse:
    asked, step = await _asked(point, given)
    content = f'<p class="asked" dir="auto">{escape(asked)}</p>' if asked else ""
    content += f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    if point.status == "waiting":
        content += _form(point, token)
    else:
        content += f'<p role="status">{STANDS[point.status]}</p>'
    return _page(step or "A question for you", content, code)


async def _asked(point: Waitpoint, given: Services) -> tuple[str, str | None]:
    """What is asked, in the words of who asks; and the step that does."""
    if point.job_id is None or point.step is None:
        return point.about, None
    steps = {view["name"]: view["input"] for view in await given.plans.view(point.job_id)}
    said: Any = steps.get(point.step)
    question = said.get("question") if isinstance(said, dict) else None
    return question if isinstance(question, str) else point.about, point.step


def _form(point: Waitpoint, token: str) -> str:
    until = point.expires_at.astimezone(UTC)
    return f"""<form method="post" action="answer?token={quote(token)}">
<label for="answer">Your answer, until <time datetime="{until.isoformat()}">{until:%Y-%m-%d %H:%M} UTC</time></label>
<textarea id="answer" name="answer" rows="6" maxlength="{LONGEST}" dir="auto"></textarea>
<button name="status" value="completed">Send the answer</button>
<button name="status" value="failed">I cannot answer</button>
</form>"""


def _page(title: str, content: str, code: int = 200) -> HTMLResponse:
    return HTMLResponse(Template(PAGE).substitute(title=escape(title), content=content), code, HEADERS)
