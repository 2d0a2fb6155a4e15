"""Which embeddings are used, as settings and keys say."""

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from providers import minilm

if TYPE_CHECKING:
    from domain.protocols import Bucket, Embedder, Till

NONE = "none"
# For processes that may load the local model: as many threads as cores spin while they wait for each other.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")


def chosen(
    opened: AsyncExitStack,
    till: "Till",
    *,
    model: str | None = None,
    openai_key: str | None = None,
    openai_base_url: str | None = None,
    bucket: "Bucket | None" = None,
) -> "Embedder | None":
    """The named model (`none`: no embeddings); without a name OpenAI's where there is a key, else None. Raises
    ValueError where the named one cannot be had.

    The local one must be named: it reads some chunks a second, where words alone are indexed by the thousand, and what
    happens to be installed should not decide that.
    """
    if model == NONE or (model is None and not openai_key):
        return None
    if model == minilm.MODEL:
        if not minilm.installed():
            raise ValueError(f"{model} needs the extra `embeddings`")
        return minilm.MiniLM()
    if not openai_key:
        raise ValueError(f"no key is set for {model}")
    # it knows prices, which take a moment to load
    from providers.embeddings import MODEL, OpenAIEmbeddings

    openai = OpenAIEmbeddings(openai_key, till, bucket=bucket, model=model or MODEL, base_url=openai_base_url)
    opened.push_async_callback(openai.aclose)
    return openai
