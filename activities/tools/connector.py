"""Tools that read from REST services: one class for all that connectors.toml describes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from activities.tools.tool import Spec, Use
from domain.connectors import Connector, connectors
from domain.model import Request

if TYPE_CHECKING:
    from domain.outside import RowReader


def spec_of(connector: Connector) -> Spec:
    return Spec(
        connector.name,
        connector.description,
        connector.shape,
        timeout=timedelta(minutes=5),
        own_means=lambda _: True,
    )


SPECS = {name: spec_of(connector) for name, connector in connectors().items()}


class ReadRows:
    """One connector; without credentials its reader raises JobError `not_configured`."""

    def __init__(self, connector: Connector, reader: "RowReader") -> None:
        self.spec, self._connector, self._reader = SPECS[connector.name], connector, reader
        self.ready = reader.knows(connector)

    async def use(self, asked: Request, use: Use) -> dict[str, Any]:
        given = asked.model_dump(exclude_none=True)
        limit: int = given.pop("limit")
        rows, more = await self._reader.rows(self._connector, given, limit)
        return {"rows": rows, "count": len(rows), "more": more}
