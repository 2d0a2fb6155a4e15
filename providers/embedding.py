"""Which embeddings are used, as settings and keys say."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from providers import minilm

if TYPE_CHECKING:
    from domain.protocols import Bucket, Embedder, Till

NONE = "none"


def chosen(
    opened: AsyncExitStack,
    till: "Till",
    *,
    model: str | None = None,
    openai_key: str | None = None,
    openai_base_url: str | None = None,
    bucket: "Bucket | None" = None,
) -> "Embedder | None":
    """The named model (`none`: no embeddings); without a name OpenAI's where there is a key, else the local one where
    it is installed, else None. Raises ValueError where the named one cannot be had."""
    if model == NONE:
        return None
    if model == minilm.MODEL or (model is None and not openai_key):
        if minilm.installed():
            return minilm.MiniLM()
        if model:
            raise ValueError(f"{model} needs the extra `embeddings`")
        return None
    if not openai_key:
        raise ValueError(f"no key is set for {model}")
    # it knows prices, which take a moment to load
    from providers.embeddings import MODEL, OpenAIEmbeddings

    openai = OpenAIEmbeddings(openai_key, till, bucket=bucket, model=model or MODEL, base_url=openai_base_url)
    opened.push_async_callback(openai.aclose)
    return openai
