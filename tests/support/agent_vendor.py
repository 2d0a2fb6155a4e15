"""A vendor on loopback whose model reads job positions and then looks things up, turn by turn as a script has it.

It speaks as Anthropic and as OpenAI do. Of a request only what is in it counts, so that one which is repeated is
answered as it was: the turn stands in the ids of the calls that it tells of.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.model_server import ModelServer
from tests.support.site_server import Answer, Asked

# Tools that a turn asks for, the notes of a last answer, an answer that is none, or nothing ever.
Look = Sequence[tuple[str, Mapping[str, Any]]] | Mapping[str, Any] | Answer | None
JSON = {"content-type": "application/json"}
DONE: Mapping[str, Any] = {"notes": []}
READING = "isJobPosting"
TURN = re.compile(r"call_(\d+)_\d+")


def note(field: str, value: str, quote: str) -> tuple[str, dict[str, Any]]:
    """A call of `note` with one note."""
    return "note", {"notes": [{"field": field, "value": value, "quote": quote}]}


class AgentVendor(ModelServer):
    """`reads` answers who is to read a posting; `looks` is what each turn of the agent brings, the last one for all
    that follow. `tokens` are those of each answer. `turns` counts the requests by their turn, 0 for a reading, -1 for
    one at the door, which `glances` answers."""

    def __init__(self) -> None:
        super().__init__()
        self.routes |= {"/v1/messages": self.anthropic, "/responses": self.openai}
        self.forget({})

    def forget(self, reads: Mapping[str, Any]) -> None:
        self.reads, self.tokens, self.dropped = reads, 10, 0
        self.looks: Sequence[Look] = [DONE]
        self.glances: Look = {}
        self.turns: Counter[int] = Counter()
        self.bodies: list[tuple[int, dict[str, Any]]] = []
        self.reached = asyncio.Event()

    @property
    def of_jobs(self) -> dict[int, int]:
        """The same without those at the door: who comes early finds its model loading still."""
        return {turn: count for turn, count in self.turns.items() if turn >= 0}

    def offered(self, turn: int) -> set[str]:
        """The tools that the model could use in that turn."""
        body = next(body for at, body in self.bodies if at == turn)
        if body.get("tool_choice") in ("none", {"type": "none"}):
            return set()
        return {tool["name"] for tool in body.get("tools", ())}

    def told(self, turn: int) -> str:
        """All that the model was sent for that turn."""
        return next(json.dumps(body, ensure_ascii=False) for at, body in self.bodies if at == turn)

    async def anthropic(self, asked: Asked) -> Answer:
        look = await self._look(asked)
        if isinstance(look, Answer):
            return look
        if isinstance(look, Mapping):
            content, why = [{"type": "text", "text": json.dumps(look)}], "end_turn"
        else:
            content = [
                {"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": given}
                for at, (name, given) in enumerate(look)
            ]
            why = "tool_use"
        usage = {"input_tokens": self.tokens, "output_tokens": self.tokens}
        said = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "content": content}
        return _sent({**said, "stop_reason": why, "stop_sequence": None, "usage": usage})

    async def openai(self, asked: Asked) -> Answer:
        look = await self._look(asked)
        if isinstance(look, Answer):
            return look
        if isinstance(look, Mapping):
            text = [{"type": "output_text", "text": json.dumps(look), "annotations": []}]
            output = [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": text}]
        else:
            output = [
                {
                    "type": "function_call",
                    "id": f"fc_{at}",
                    "call_id": f"c{at}",
                    "name": name,
                    "arguments": json.dumps(to),
                }
                for at, (name, to) in enumerate(look)
            ]
        usage = {"input_tokens": self.tokens, "output_tokens": self.tokens, "total_tokens": 2 * self.tokens}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        said = {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o", "status": "completed"}
        more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        return _sent({**said, **more, "output": output, "usage": usage})

    async def _look(self, asked: Asked) -> Answer | Mapping[str, Any] | Sequence[tuple[str, Mapping[str, Any]]]:
        body = json.loads(asked.body)
        text = asked.body.decode()
        turn = 1 + max(map(int, TURN.findall(text)), default=0) if body.get("tools") else -(READING not in text)
        self.turns[turn] += 1
        self.bodies.append((turn, body))
        one = self.glances if turn else self.reads
        look = self.looks[min(turn, len(self.looks)) - 1] if turn > 0 else one
        if turn > 0 and not isinstance(look, Answer | Mapping | None) and not self.offered(turn):
            look = DONE
        if look is None:
            self.reached.set()
            return await asyncio.get_running_loop().create_future()
        return look


def _sent(said: dict[str, Any]) -> Answer:
    return Answer(200, JSON, json.dumps(said))
