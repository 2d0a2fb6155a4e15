"""Money and tokens, counted where they are spent."""

from decimal import Decimal
from uuid import UUID

from pydantic import Field

from domain.model import Model


class Usage(Model):
    """Tokens of one call; `input_tokens` is the total, cached part included."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class Call(Model):
    """Which paid call this is: the same key is never paid twice once its answer is in the ledger.

    `unpaid`: no turn of it is there, as who prepared it has seen; nobody needs to look again.
    """

    job_id: UUID
    step: str
    item: str = ""
    turn: int = 0
    attempt: int = 1
    unpaid: bool = Field(default=False, exclude=True)


class Spent(Model):
    """One row of the ledger's `spend`: what a call cost, whatever became of its answer. Unknown price: None.

    `audio_seconds`: how much sound was listened to.
    """

    call: Call
    vendor: str
    model: str
    usage: Usage = Usage()
    audio_seconds: float = 0
    cost_usd: Decimal | None = None


class Totals(Model):
    """A job's spend so far and its budget (None: no limit)."""

    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    max_tokens: int | None = None
    max_cost_usd: Decimal | None = None
