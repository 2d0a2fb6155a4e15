"""What PostgreSQL cannot store in JSON is taken out: NUL, and halves of surrogate pairs."""

from typing import Any

NUL = "\0"


def storable(value: Any) -> Any:
    """A JSON value without them, in keys and strings."""
    if isinstance(value, str):
        return value.replace(NUL, "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    return [storable(part) for part in value] if isinstance(value, (list, tuple)) else value
