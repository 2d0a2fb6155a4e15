"""What a caller may see and do. What is not granted does not exist for the caller: 404, never 403."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, Self
from uuid import UUID

from api.errors import NotFound
from domain.errors import JobNotFound
from ledger.jobs import JobFilter

# The last three are the Trigger.dev client's words.
SCOPES = ("read:jobs", "read:owner", "write:owner", "read:tags", "read:runs", "read:batch", "trigger:tasks")


class Seen(Protocol):
    """What of a job decides who sees it."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def batch_id(self) -> UUID | None: ...


@dataclass(frozen=True)
class Grants:
    """The scopes of a token, read. `kinds` may be started; `shown` are kinds of which any job's id is enough."""

    owner: str | None = None
    jobs: frozenset[UUID] = frozenset()
    owners: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    batches: frozenset[UUID] = frozenset()
    kinds: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()

    @classmethod
    def of(cls, scopes: Iterable[str], owner: str | None) -> Self:
        """Read scopes; those that are unknown grant nothing."""
        named: dict[str, set[str]] = {scope: set() for scope in SCOPES}
        for scope in scopes:
            action, _, rest = scope.partition(":")
            word, _, name = rest.partition(":")
            if name and f"{action}:{word}" in named:
                named[f"{action}:{word}"].add(name)
        return cls(
            owner=owner,
            jobs=_ids(named["read:jobs"] | named["read:runs"]),
            owners=frozenset(named["read:owner"] | named["write:owner"]),
            writes=frozenset(named["write:owner"]),
            tags=frozenset(named["read:tags"]),
            batches=_ids(named["read:batch"]),
            kinds=frozenset(named["trigger:tasks"]),
        )


@dataclass(frozen=True)
class Caller:
    """Who asks. `name` is what the audit says: a key's fingerprint, an owner.

    Without grants it is a server with a secret key, which may do all.
    `address` is that of somebody without credentials, where that is allowed.
    """

    name: str
    grants: Grants | None = None
    address: str | None = None

    def sees(self, job: Seen) -> bool:
        may = self.grants
        return may is None or (
            job.id in may.jobs
            or (bool(job.owner) and job.owner in may.owners)
            or job.batch_id in may.batches
            or job.kind in may.shown
            or not may.tags.isdisjoint(job.tags)
        )

    def changes(self, job: Seen) -> bool:
        """Whether the caller may cancel or replay the job."""
        return self.grants is None or (bool(job.owner) and job.owner in self.grants.writes)

    def starts(self, kind: str, aliases: Iterable[str], owner: str | None, *, by_name: bool = False) -> str | None:
        """The owner that a new job of the kind gets; raises NotFound when the caller may not start it.

        What is granted `by_name` alone is not among what an owner may start.
        """
        may = self.grants
        if may is None:
            return owner
        if self.address is not None:
            owner = None  # nobody vouches for the name
        asked = owner or may.owner or (next(iter(may.writes)) if len(may.writes) == 1 else None)
        if asked in may.writes and not by_name:
            return asked
        if not may.kinds.isdisjoint((kind, *aliases)) and owner in (None, may.owner):
            return may.owner
        if asked in may.writes:
            raise NotFound(f"a token starts this only with the scope trigger:tasks:{kind}")
        raise NotFound("there is no such kind to start here")

    def reads_of(self, owner: str | None) -> str:
        """The owner whose things are asked for; raises NotFound when they are somebody else's or nobody's."""
        may = self.grants
        if may is not None and owner is None:
            owner = may.owner or (next(iter(may.owners)) if len(may.owners) == 1 else None)
        if owner is None or (may is not None and owner not in may.owners):
            raise NotFound
        return owner

    def writes_of(self, owner: str | None) -> str:
        """The owner whose things are to be changed, "" for everybody's; raises NotFound where the caller must not."""
        may = self.grants
        if may is None:
            return owner or ""
        owner = owner or may.owner or (next(iter(may.writes)) if len(may.writes) == 1 else None)
        if owner is None or owner not in may.writes:
            raise NotFound
        return owner

    def narrow(self, asked: JobFilter) -> list[JobFilter]:
        """The filters whose jobs together are what the caller sees of those asked for; raises JobNotFound if none."""
        may = self.grants
        if may is None:
            return [asked]
        found = [replace(asked, owner=owner) for owner in may.owners if asked.owner in (None, owner)]
        found += [replace(asked, tag=tag) for tag in may.tags if asked.tag in (None, tag)]
        found += [replace(asked, batch_id=batch) for batch in may.batches if asked.batch_id in (None, batch)]
        if not found:
            raise JobNotFound("there are no such jobs, or they are not yours to see")
        return found

    def acting_for(self, owner: str | None) -> str:
        """What the audit says of who changed a thing of that owner."""
        if self.grants is None or self.address is not None or not owner:
            return self.name
        return f"owner:{owner}"

    def server_only(self) -> None:
        """Raises NotFound for everybody but servers."""
        if self.grants is not None:
            raise NotFound


def as_id(text: str) -> UUID | None:
    """A UUID, also as the Trigger.dev client spells it (`run_…`, `batch_…` without dashes)."""
    try:
        return UUID(text.removeprefix("run_").removeprefix("batch_"))
    except ValueError:
        return None


def meaningful(scope: str) -> bool:
    """Whether the scope can grant anything."""
    return any(scope.startswith(f"{known}:") and len(scope) > len(known) + 1 for known in SCOPES)


def _ids(names: Iterable[str]) -> frozenset[UUID]:
    return frozenset(found for name in names if (found := as_id(name)))
