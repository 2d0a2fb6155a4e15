"""The outside of the running diary's kinds, answering from a script: only the order of work is recorded."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity

from domain.errors import JobError
from domain.job import Items
from domain.portions import Portion
from domain.running.imports import ImportRequest, ImportResult, RefigureRequest, RefigureResult


class Import:
    """An export of two files in two portions; `refused`: its table of contents is broken; `hangs`: in the second."""

    def __init__(self, *, refused: bool = False, hangs: bool = False) -> None:
        self._refused, self._hangs, self._portions = refused, hangs, 0
        self.reached = asyncio.Event()

    @activity.defn(name="list_export")
    async def list_export(self, asked: ImportRequest) -> Items:
        if self._refused:
            raise JobError("the archive's table of contents is broken", code="broken_file")
        return Items(total=2)

    @activity.defn(name="import_files")
    async def import_files(self, asked: ImportRequest) -> Portion:
        self._portions += 1
        if self._hangs and self._portions == 2:
            self.reached.set()
            await asyncio.Event().wait()
        return Portion(items=Items(done=self._portions, total=2), left=self._portions < 2)

    @activity.defn(name="end_import")
    async def end_import(self, asked: ImportRequest) -> ImportResult:
        return ImportResult(total=2, imported=2)

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.list_export, self.import_files, self.end_import]


class Refigure:
    """The workouts of a runner, counted again; `fails`: their runner is not to be found; `hangs` for ever."""

    def __init__(self, *, fails: bool = False, hangs: bool = False) -> None:
        self._fails, self._hangs = fails, hangs
        self.reached = asyncio.Event()

    @activity.defn(name="refigure_runs")
    async def refigure(self, asked: RefigureRequest) -> RefigureResult:
        if self._fails:
            raise JobError("reading it takes more time or memory than any workout's file needs", code="too_large")
        if self._hangs:
            self.reached.set()
            await asyncio.Event().wait()
        return RefigureResult(refigured=3)

    @property
    def activities(self) -> list[Callable[..., Any]]:
        return [self.refigure]
