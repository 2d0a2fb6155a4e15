"""Markdown made plain: what is written stays, how it was marked goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.markdown import unmarked
from tests.support.run_oracle import marks

MARKED = """\
# Your *Sunday* run

You ran **10.02 km** in `52:10`, at ~~5:30~~ [5:12/km](https://example.com "pace").

- an easy run
- a long run
  1. with hills
  2. without

| split | pace |
|---|---|
| 1 | 5:10 |

> Well done.

***

```text
cadence 172 spm
```

<b>Rest</b> well.<br>
\\*\\*really\\*\\*
"""


def test_every_mark_goes_and_every_word_stays() -> None:
    assert unmarked(MARKED).split("\n\n") == [
        "Your Sunday run",
        "You ran 10.02 km in 52:10, at 5:30 5:12/km.",
        "an easy run",
        "a long run",
        "with hills",
        "without",
        "split pace",
        "1 5:10",
        "Well done.",
        "cadence 172 spm",
        "Rest well. really",
    ]


@pytest.mark.parametrize(
    "plain",
    [
        "You ran 10.02 km at 5:12/km, 4.5% faster (or so): well done!",
        "Easy days, hard days - and rest.\n\nThen again.",
        "Your pace was 5:10-5:20/km; heart rate 152 bpm.",
    ],
)
def test_plain_text_stays_as_it_is(plain: str) -> None:
    assert unmarked(plain) == plain


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("~10 km", "10 km"),
        ("\\# no heading", "no heading"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("&#42;&#42;bold&#42;&#42;", "bold"),
        ("* * *", ""),
        ("---|", ""),
        ("Title\n=====\n\ntext", "Title\n\ntext"),
        ("    indented code", "indented code"),
        ("• one\n\n• two", "one\n\ntwo"),
        ("![a picture](x.png) of 5 km", "a picture of 5 km"),
        ("unclosed **bold", "unclosed bold"),
        ("snake_case and *half", "snake case and half"),
    ],
)
def test_what_hides_is_found(marked: str, plain: str) -> None:
    assert unmarked(marked) == plain


@given(st.text(alphabet=st.sampled_from("ab1 .:-*_`#~|<>[]()!\\&;=+\n\t•"), max_size=60))
def test_nothing_is_left_of_any_text_that_is_made_of_marks(text: str) -> None:
    plain = unmarked(text)
    assert marks(plain) == []
    assert unmarked(plain) == plain
