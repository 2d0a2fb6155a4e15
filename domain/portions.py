"""A job's items, done a portion at a time: what a portion answers, and when an item that failed is offered again."""

from domain.job import Items, Ongoing
from domain.model import Model


class Portion(Ongoing):
    """How far the job is after a portion of its items. While some are `left` the step goes on: the next portion may
    begin in `wait_seconds`."""

    items: Items
    left: bool
    wait_seconds: float = 0.0

    @property
    def goes_on(self) -> bool:
        return self.left


class Again(Model):
    """How often an item is tried, and how long it rests in between. Times in seconds."""

    attempts: int
    first_wait: float
    factor: float
    longest_wait: float

    def wait(self, failures: int) -> float:
        """Seconds to rest after so many failures."""
        return min(self.longest_wait, self.first_wait * self.factor ** (failures - 1))
