"""FIT: what watches write. Read strictly: a file that is cut or whose checksum fails is refused, not guessed at."""

import io
import struct
from collections.abc import Iterator, Mapping
from datetime import datetime

import fitdecode
from fitdecode import CrcCheck, ErrorHandling, FitCRCError, FitEOFError, FitError, FitHeaderError

from domain.samples import MOST_SAMPLES, Samples, number
from domain.workout import ABSENT, Lap, Pause, Session, Workout, WorkoutRefused
from providers.workout_files.sports import both_feet, sport_of

_DEGREES = 180 / 2**31

# Beside samples a watch writes a few messages a minute; more of them only keep a core busy.
MOST_MESSAGES = 2 * MOST_SAMPLES

Fields = Mapping[str, object]


def read(content: bytes, content_hash: str, name: str) -> Workout:
    """Raises WorkoutRefused: `truncated_file`, `checksum_mismatch`, `broken_file`, `not_an_activity`, `no_samples`,
    `too_large`."""
    file = _Fit()
    try:
        for number, (kind, fields) in enumerate(_messages(content)):
            if number >= MOST_MESSAGES:
                raise WorkoutRefused(f"more than {MOST_MESSAGES:,} messages", code="too_large")
            file.take(kind, fields)
    except FitEOFError as error:
        raise WorkoutRefused("the FIT file ends in the middle", code="truncated_file") from error
    except FitCRCError as error:
        raise WorkoutRefused("the FIT file's checksum does not fit its content", code="checksum_mismatch") from error
    except FitHeaderError as error:
        raise WorkoutRefused("the FIT file's header is wrong", code="broken_file") from error
    except (FitError, ArithmeticError, AssertionError, LookupError, TypeError, ValueError, struct.error) as error:
        # The library meets fields of a wrong size or type with whatever Python raises there.
        raise WorkoutRefused("the FIT file's records cannot be read", code="broken_file") from error
    return file.workout(content_hash, name)


def _messages(content: bytes) -> Iterator[tuple[str, Fields]]:
    with fitdecode.FitReader(
        io.BytesIO(content), check_crc=CrcCheck.RAISE, error_handling=ErrorHandling.IGNORE
    ) as frames:
        for frame in frames:
            if isinstance(frame, fitdecode.FitDataMessage):
                yield frame.name, {field.name: field.value for field in frame.fields if field.value is not None}


class _Fit:
    """What the messages said so far."""

    def __init__(self) -> None:
        self.samples = Samples()
        self.sessions: list[Fields] = []
        self.laps: list[Fields] = []
        self.timer: list[tuple[float, bool]] = []
        self.profile: dict[str, object] = {}
        self.sport: Fields = {}

    def take(self, kind: str, fields: Fields) -> None:
        if kind == "record":
            self._record(fields)
        elif kind == "file_id" and fields.get("type", "activity") != "activity":
            raise WorkoutRefused(f"a FIT file of the type {fields['type']!s:.40}, no activity", code="not_an_activity")
        elif kind == "event" and fields.get("event") == "timer":
            at = _posix(fields.get("timestamp"))
            if at is not None:
                self.timer.append((at, fields.get("event_type") == "start"))
        elif kind == "session":
            self.sessions.append(fields)
        elif kind == "lap":
            self.laps.append(fields)
        elif kind == "sport":
            self.sport = fields
        elif kind in ("user_profile", "zones_target"):
            self.profile.update(fields)

    def _record(self, fields: Fields) -> None:
        at = _posix(fields.get("timestamp"))
        if at is None:
            return
        cadence = number(fields.get("cadence")) + number(fields.get("fractional_cadence", 0.0))
        self.samples.add(
            at,
            (
                number(fields.get("distance")),
                number(fields.get("enhanced_altitude", fields.get("altitude"))),
                number(fields.get("heart_rate")),
                cadence,
                number(fields.get("position_lat")) * _DEGREES,
                number(fields.get("position_long")) * _DEGREES,
            ),
        )

    def workout(self, content_hash: str, name: str) -> Workout:
        sports = {str(session.get("sport", "generic")) for session in self.sessions} or {
            str(self.sport.get("sport", "generic"))
        }
        sport = sport_of(sports.pop()) if len(sports) == 1 else "other"
        said = _posix(self.sessions[0].get("start_time")) if self.sessions else None
        began = self.samples.started_at(ABSENT if said is None else said)
        streams = self.samples.streams(began)
        # The FIT profile counts strides, one foot's steps.
        streams = both_feet(sport, streams, 2)
        start = began.timestamp()
        return Workout(
            sport=sport,
            name=name or str(self.sport.get("name", "")),
            started_at=began,
            source="fit",
            content_hash=content_hash,
            streams=streams,
            laps=tuple(_lap(lap, start) for lap in self.laps if _posix(lap.get("start_time")) is not None),
            pauses=tuple(_pauses(self.timer, start)),
            session=self._session(),
        )

    def _session(self) -> Session:
        profile = {
            "profile_max_heart_rate_bpm": _known(self.profile.get("max_heart_rate")),
            "profile_resting_heart_rate_bpm": _known(self.profile.get("resting_heart_rate")),
        }
        if len(self.sessions) != 1:
            return Session(**profile)
        said = self.sessions[0]
        cadence = _known(said.get("avg_running_cadence"))
        return Session(
            distance_m=_known(said.get("total_distance")),
            elapsed_seconds=_known(said.get("total_elapsed_time")),
            timer_seconds=_known(said.get("total_timer_time")),
            average_heart_rate_bpm=_known(said.get("avg_heart_rate")),
            max_heart_rate_bpm=_known(said.get("max_heart_rate")),
            average_cadence_spm=2 * cadence if cadence else None,
            ascent_m=_amount(said.get("total_ascent")),
            descent_m=_amount(said.get("total_descent")),
            **profile,
        )


def _lap(said: Fields, start: float) -> Lap:
    return Lap(
        start_seconds=max(0.0, (_posix(said["start_time"]) or start) - start),
        elapsed_seconds=_amount(said.get("total_elapsed_time")),
        timer_seconds=_amount(said.get("total_timer_time")),
        distance_m=_amount(said.get("total_distance")),
        average_heart_rate_bpm=_known(said.get("avg_heart_rate")),
    )


def _pauses(timer: list[tuple[float, bool]], start: float) -> Iterator[Pause]:
    stopped: float | None = None
    for at, runs in sorted(timer):
        if not runs:
            stopped = at if stopped is None else stopped
        elif stopped is not None:
            if at > stopped:
                yield Pause(start_seconds=max(0.0, stopped - start), end_seconds=max(0.0, at - start))
            stopped = None


def _posix(value: object) -> float | None:
    # A clock that was never set counts from its own zero: fitdecode then leaves the number as it is.
    return value.timestamp() if isinstance(value, datetime) else None


def _amount(value: object) -> float | None:
    found = number(value)
    return found if found >= 0 else None


def _known(value: object) -> float | None:
    return _amount(value) or None
