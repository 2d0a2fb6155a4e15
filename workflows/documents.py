"""Many documents indexed, or cut and indexed anew: each by itself, a few at a time."""

from dataclasses import replace

from temporalio import workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    from activities.documents import Indexer
    from domain.job import Job
    from domain.library import Chunking, DocumentsDone, Indexing, IndexPortion, ReindexPortion

PARSING = replace(policies.PORTION, queue="cpu")


@workflow.defn(name="bulk-document-processing")
class ProcessDocuments:
    """The documents are the job's items: what came of each stands in the ledger."""

    steps = (Step("index", PARSING),)

    @workflow.init
    def __init__(self, job: Job[Indexing]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[Indexing]) -> DocumentsDone:
        return await self.progress.to_the_end(self.process(job))

    async def process(self, job: Job[Indexing]) -> DocumentsDone:
        portion = IndexPortion(owner=job.owner or "", asked=job.payload, again=self.progress.again("index"))
        items = await self.progress.portions("index", Indexer.index, portion)
        return DocumentsDone(total=items.total, indexed=items.done, failed=items.failed)


@workflow.defn(name="document-reprocessing")
class ReprocessDocuments:
    """Each document is found by its old chunks until all of the new ones stand."""

    steps = (Step("index", PARSING),)

    @workflow.init
    def __init__(self, job: Job[Chunking]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[Chunking]) -> DocumentsDone:
        return await self.progress.to_the_end(self.process(job))

    async def process(self, job: Job[Chunking]) -> DocumentsDone:
        portion = ReindexPortion(owner=job.owner or "", asked=job.payload, again=self.progress.again("index"))
        items = await self.progress.portions("index", Indexer.reindex, portion)
        return DocumentsDone(total=items.total, indexed=items.done, failed=items.failed)
