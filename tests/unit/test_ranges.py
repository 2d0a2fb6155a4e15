"""Ranges of bytes as players ask for them."""

import pytest

from api.ranges import Part, RangeNotSatisfiable, part_of

WHOLE = Part(0, 100, 100, partial=False)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (None, WHOLE),
        ("", WHOLE),
        ("bytes=0-", Part(0, 100, 100, partial=True)),
        ("bytes=10-19", Part(10, 20, 100, partial=True)),
        ("Bytes = 99-500", Part(99, 100, 100, partial=True)),
        ("bytes=-5", Part(95, 100, 100, partial=True)),
        ("bytes=-500", Part(0, 100, 100, partial=True)),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=9-1", WHOLE),
        ("bytes=-", WHOLE),
        ("seconds=0-1", WHOLE),
    ],
)
def test_a_part_of_a_file(asked: str | None, part: Part) -> None:
    assert part_of(100, asked) == part


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_where_nothing_lies(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        part_of(100, asked)


def test_what_headers_say() -> None:
    assert part_of(100, "bytes=10-19").headers == {
        "Accept-Ranges": "bytes",
        "Content-Length": "10",
        "Content-Range": "bytes 10-19/100",
    }
    assert "Content-Range" not in WHOLE.headers
