"""Running: what reads workout files, and what keeps them."""

from activities.importing import Importing
from activities.workouts import Keeping
from assembly.parts import Activities, Parts
from ledger.exports import Exports
from ledger.items import JobItems
from ledger.users import Users
from ledger.workouts import Workouts
from providers.workouts import WorkoutFiles


async def activities(parts: Parts) -> Activities:
    database, reader = parts.database, WorkoutFiles()
    parts.opened.push_async_callback(reader.close)
    keeping = Keeping(Workouts(database), Users(database), reader)
    importing = Importing(Exports(database), JobItems(database), keeping, reader)
    return {"io": [importing.list_export, importing.import_files, importing.end_import, importing.refigure]}
