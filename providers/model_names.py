"""Whose a model is, by its name: from the vendors' own ways to name models, and an offline table of prices."""

import re
from typing import Literal

VendorName = Literal["anthropic", "openai"]
DEFAULTS: dict[VendorName, str] = {"anthropic": "claude-haiku-5-5", "openai": "gpt-6-luna"}
# Newer models than the table are taken at their name, if it has a number as all have: their vendor answers for them.
ANTHROPICS = re.compile(r"claude-(?=\D*\d)[a-z0-9][a-z0-9.@-]*", re.IGNORECASE)
# They answer with something else than text, or to something else.
OTHERS = re.compile(r"embed|whisper|tts|dall-e|image|audio|moderation|realtime|transcri|search|sora|babbage|davinci")
OPENAIS = re.compile(r"(?:gpt-\d|o\d|chatgpt-\d|ft:gpt-\d)[a-z0-9.:_-]*", re.IGNORECASE)


def vendor_of(model: str) -> VendorName:
    """Anthropic's if it begins with `claude`, else OpenAI's."""
    return "anthropic" if model.startswith("claude") else "openai"


def answering(model: str | None, *, anthropic_key: str | None, openai_key: str | None) -> str | None:
    """The model that answers with these settings; None where its vendor has no key, and the twin does."""
    name = model or DEFAULTS["anthropic" if anthropic_key or not openai_key else "openai"]
    return name if {"anthropic": anthropic_key, "openai": openai_key}[vendor_of(name)] else None


def quick(wanted: str | None, model: str | None, *, anthropic_key: str | None, openai_key: str | None) -> str | None:
    """The model for who waits: the wanted one (`none`: none), else the small one of the vendor who answers with these
    settings; None where its vendor has no key."""
    if wanted == "none":
        return None
    answers = answering(model, anthropic_key=anthropic_key, openai_key=openai_key)
    name = wanted or (DEFAULTS[vendor_of(answers)] if answers else None)
    return name and answering(name, anthropic_key=anthropic_key, openai_key=openai_key)


def known(model: str) -> bool:
    """Whether Anthropic or OpenAI has a model of that name, as far as can be known here."""
    if OTHERS.search(model.lower()):
        return False
    if ANTHROPICS.fullmatch(model) or OPENAIS.fullmatch(model):
        return True
    # It takes some tenths of a second to read the table: only odd names pay for it.
    from genai_prices.data_snapshot import get_snapshot

    try:
        get_snapshot().find_provider_model(model, None, vendor_of(model), None)
    except LookupError:
        return False
    return True
