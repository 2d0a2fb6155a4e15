"""The row of the catalogue, named by the entry point."""

from workflows.kind import Kind

from .flow import Errand, ErrandRequest, ErrandResult, fetch_word

KIND = Kind(
    name="errand",
    aliases=("fetch-words",),
    workflow=Errand,
    payload=ErrandRequest,
    result=ErrandResult,
    title=lambda _: "Run an errand",
    activities=(fetch_word,),
)
