"""Cron as people write it becomes calendars whose every field has to match."""

import pytest

from domain.cron import calendars


def without_comment(cron: str) -> list[str]:
    told = [one.split(" # ") for one in calendars(cron)]
    assert {comment for _, comment in told} == {" ".join(cron.split())}
    return [fields for fields, _ in told]


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("30 9 * * MON-FRI", ["30 9 * * MON-FRI"]),
        ("  0  0 1 1 * ", ["0 0 1 1 *"]),
        ("@daily", ["@daily"]),
        ("@every 90m", ["@every 90m"]),
        ("0 8 * * MON#1", ["0 8 1-7 * MON"]),
        ("0 8 * 3 fri#5", ["0 8 29-31 3 fri"]),
        ("0 8 * * 2#2,4#4", ["0 8 8-14 * 2", "0 8 22-28 * 4"]),
        ("0 8 * * SAT,SUN,MON#3", ["0 8 * * SAT,SUN", "0 8 15-21 * MON"]),
        # as in crontab: either of the two, unless one begins with a star
        ("0 0 13 * FRI", ["0 0 13 * *", "0 0 * * FRI"]),
        ("0 0 */2 * FRI", ["0 0 */2 * FRI"]),
        ("0 0 13 * *", ["0 0 13 * *"]),
        # Temporal's to refuse
        ("0 0 L * *", ["0 0 L * *"]),
    ],
)
def test_an_expression_becomes_calendars(cron: str, expected: list[str]) -> None:
    assert without_comment(cron) == expected


@pytest.mark.parametrize(
    "cron",
    [
        "* * * *",
        "0 * * * * *",
        "0 0 * * * * 2030",
        "TZ=UTC 0 9 * * *",
        "0 9 * * * # nine",
        "0#1 9 * * *",
        "0 9 * * MON#0",
        "0 9 * * MON#6",
        "0 9 * * MON-FRI#1",
        "0 9 1 * MON#1",
        "@daily # noon",
        "",
    ],
)
def test_what_could_only_be_misread_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"five fields|day of the week|MON#1"):
        calendars(cron)
