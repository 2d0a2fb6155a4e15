"""Which model answers who waits at the door."""

import pytest

from providers.model_names import DEFAULTS, quick

ANTHROPIC, OPENAI = DEFAULTS["anthropic"], DEFAULTS["openai"]


@pytest.mark.parametrize(
    ("wanted", "model", "keys", "answers"),
    [
        (None, None, "", None),
        (None, None, "a", ANTHROPIC),
        (None, None, "o", OPENAI),
        (None, None, "ao", ANTHROPIC),
        (None, "gpt-4o", "ao", OPENAI),
        (None, "claude-opus-4-5", "ao", ANTHROPIC),
        (None, "gpt-4o", "a", None),
        ("gpt-4o-mini", "claude-opus-4-5", "ao", "gpt-4o-mini"),
        ("gpt-4o-mini", None, "a", None),
        ("none", None, "ao", None),
    ],
)
def test_the_small_one_of_the_vendor_who_answers(
    wanted: str | None, model: str | None, keys: str, answers: str | None
) -> None:
    found = quick(wanted, model, anthropic_key="k" if "a" in keys else None, openai_key="k" if "o" in keys else None)
    assert found == answers
