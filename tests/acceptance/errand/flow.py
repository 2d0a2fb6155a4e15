"""An errand fetches two words, one after the other; a test decides when they come."""

from temporalio import activity, workflow

from workflows import policies
from workflows.steps import Step, Steps

with workflow.unsafe.imports_passed_through():
    import httpx

    from domain.job import Job
    from domain.model import Model, Request


class ErrandRequest(Request):
    first: str
    then: str


class Word(Model):
    said: str


class ErrandResult(Model):
    said: tuple[str, str]


@activity.defn(name="fetch_word")
async def fetch_word(url: str) -> Word:
    info = activity.info()
    headers = {"longrun-job-id": info.workflow_id or "", "longrun-step": info.activity_id}
    async with httpx.AsyncClient(timeout=60) as http:
        return Word(said=(await http.get(url, headers=headers)).text)


@workflow.defn(name="errand")
class Errand:
    steps = (Step("ask", policies.FETCH), Step("tell", policies.FETCH))

    @workflow.init
    def __init__(self, job: Job[ErrandRequest]) -> None:
        self.progress = Steps(job, type(self).steps)

    @workflow.run
    async def run(self, job: Job[ErrandRequest]) -> ErrandResult:
        return await self.progress.to_the_end(self.go(job.payload))

    async def go(self, asked: ErrandRequest) -> ErrandResult:
        first = await self.progress.run("ask", fetch_word, asked.first)
        then = await self.progress.run("tell", fetch_word, asked.then)
        return ErrandResult(said=(first.said, then.said))
