"""Cron as people write it, in the words that Temporal takes.

Temporal wants every field of a calendar to match and knows no `MON#1`, so an expression may become several of its
calendars; the earliest of their times is next. Everything else is passed on: what Temporal refuses, it explains.
"""

import re

FIELDS = "a cron expression has five fields: minute, hour, day of month, month, day of week"
NTH = re.compile(r"(\d|[a-z]+)#([1-5])", re.IGNORECASE)
# the first Monday is the Monday among the first seven days
DAYS_OF_WEEK = {"1": "1-7", "2": "8-14", "3": "15-21", "4": "22-28", "5": "29-31"}


def calendars(cron: str) -> tuple[str, ...]:
    """Temporal's cron strings for `cron` (five fields, `@daily` and its like, `@every 90m`), which is their comment.

    As in crontab, a day of the month and a day of the week mean either, unless one of them begins with `*`.
    ValueError for what could only be misread; the rest is Temporal's to judge.
    """
    cron = " ".join(cron.split())
    if cron.startswith("@"):
        if "#" in cron:
            raise ValueError("`#` stands behind a day of the week, as in MON#1")
        return (f"{cron} # {cron}",)
    fields = cron.split(" ")
    if len(fields) != 5:
        raise ValueError(FIELDS)
    minute, hour, day, month, weekday = fields
    if "#" in "".join(fields[:4]):
        raise ValueError("`#` stands behind a day of the week, as in MON#1")
    return tuple(f"{minute} {hour} {on} {month} {of} # {cron}" for on, of in _days(day, weekday))


def _days(day: str, weekday: str) -> list[tuple[str, str]]:
    """Pairs of day of the month and day of the week that both have to match."""
    if "#" in weekday:
        if day != "*":
            raise ValueError("a day of the month and one like MON#1 do not go together")
        return _counted(weekday.split(","))
    if day.startswith("*") or weekday.startswith("*"):
        return [(day, weekday)]
    return [(day, "*"), ("*", weekday)]


def _counted(weekdays: list[str]) -> list[tuple[str, str]]:
    plain = ",".join(one for one in weekdays if "#" not in one)
    pairs = [("*", plain)] if plain else []
    for one in weekdays:
        if "#" in one:
            if not (found := NTH.fullmatch(one)):
                raise ValueError("the first to fifth of a day of the week in a month is written MON#1 to MON#5")
            pairs.append((DAYS_OF_WEEK[found[2]], found[1]))
    return pairs
