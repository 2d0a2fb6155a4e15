"""Tokens for browsers, minted by servers."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from api.dependencies import Auth, Given
from api.grants import SCOPES, meaningful
from api.wire import reply
from domain.model import Model, Request
from domain.options import Duration

router = APIRouter(prefix="/api", tags=["tokens"])
LONGEST = timedelta(days=30)


def _scope(text: str) -> str:
    if not meaningful(text):
        raise ValueError(f"a scope is one of {', '.join(f'{scope}:<name>' for scope in SCOPES)}")
    return text


def _short(lifetime: timedelta) -> timedelta:
    if not timedelta(0) < lifetime <= LONGEST:
        raise ValueError("a token lives from a second to 30 days")
    return lifetime


class TokenRequest(Request):
    """What the token's bearer may see and do, for how long, and on whose behalf."""

    owner: str | None = Field(default=None, min_length=1, max_length=256, examples=["user_1"])
    scopes: list[Annotated[str, AfterValidator(_scope)]] = Field(
        min_length=1, max_length=100, examples=[["read:owner:user_1", "write:owner:user_1"]]
    )
    expires_in: Annotated[Duration, AfterValidator(_short)] = Field(default=timedelta(minutes=15), examples=["15m"])


class Token(Model):
    token: str
    expires_at: datetime


@router.post("/tokens", status_code=201, response_model=Token)
async def mint_token(asked: TokenRequest, given: Given, caller: Auth) -> Response:
    """Mint a token for a browser. Only for servers, which hold a secret key.

    `write:owner` starts and cancels that owner's jobs and shows them; the other scopes show jobs.
    """
    caller.server_only()
    expires_at = datetime.now(UTC).replace(microsecond=0) + asked.expires_in
    token = given.credentials.mint(asked.owner, asked.scopes, expires_at)
    return reply(Token(token=token, expires_at=expires_at), 201, Cache_Control="no-store")
