"""What is known of an owner of jobs beyond them."""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from domain.job import Tier
from domain.model import Model, Request
from domain.schedule import Timezone
from domain.telling import EMAIL


class HeartRate(Request):
    """Beats a minute, at rest and at most: what training zones are counted from."""

    resting: int | None = Field(default=None, ge=20, le=150)
    max: int | None = Field(default=None, ge=80, le=250)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.resting is not None and self.max is not None and self.resting >= self.max:
            raise ValueError("the heart rate at rest must be below the highest one")
        return self


class UserRequest(Request):
    """A user as the application knows them; what is left out has its default."""

    tier: Tier = "free"
    timezone: Timezone | None = Field(default=None, examples=["Europe/Berlin"])
    email: str | None = Field(default=None, max_length=320, pattern=EMAIL, examples=["ann@example.com"])
    auto_generate: bool = False
    heart_rate: HeartRate | None = None


class User(Model):
    """A user as the ledger has them."""

    id: str
    tier: Tier
    timezone: str | None
    email: str | None
    auto_generate: bool
    heart_rate: HeartRate | None
    created_at: datetime
    updated_at: datetime
