"""TCX: laps of tracks, with the device's own distance."""

import math

from domain.samples import Samples, number
from domain.workout import ABSENT, Lap, Pause, Session, Workout, WorkoutRefused
from providers.workout_files.elements import Elements, degrees, time_of
from providers.workout_files.sports import both_feet, sport_of

_OF_POINT = {
    "Time": "time",
    "LatitudeDegrees": "lat",
    "LongitudeDegrees": "lon",
    "AltitudeMeters": "altitude",
    "DistanceMeters": "distance",
    "Cadence": "cadence",
    "RunCadence": "cadence",
}
_OF_LAP = {"TotalTimeSeconds": "timer", "DistanceMeters": "distance"}


class Tcx(Elements):
    def __init__(self) -> None:
        super().__init__()
        self._samples = Samples()
        self._activities = self._courses = 0
        self._sport = self._name = ""
        self._laps: list[dict[str, float]] = []
        self._tracks: list[tuple[float, float]] = []
        self._pauses: list[tuple[float, float]] = []
        self._point: dict[str, float] | None = None

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Activity":
            self._activities += 1
            self._sport = attributes.get("Sport", "")
        elif name == "Course":
            self._courses += 1
        elif name == "Lap" and "Activity" in self.path:
            self._laps.append({"start": time_of(attributes.get("StartTime", ""))})
            self._tracks.clear()
        elif name == "Track":
            self._tracks.append((ABSENT, ABSENT))
        elif name == "Trackpoint" and "Activity" in self.path:
            self._point = {}

    def closed(self, name: str, text: str) -> None:
        parent = self.path[-2] if len(self.path) > 1 else ""
        if self._point is not None:
            if name == "Trackpoint":
                self._keep(self._point)
                self._point = None
            elif name == "Value" and parent == "HeartRateBpm":
                self._point["heart_rate"] = number(text)
            elif name in _OF_POINT:
                self._point[_OF_POINT[name]] = time_of(text) if name == "Time" else number(text)
        elif self._laps and parent == "Lap" and name in _OF_LAP:
            self._laps[-1][_OF_LAP[name]] = number(text)
        elif self._laps and name == "Value" and parent == "AverageHeartRateBpm":
            self._laps[-1]["heart_rate"] = number(text)
        elif name == "Track" and len(self._tracks) > 1:
            (_, stopped), (again, _) = self._tracks[-2:]
            if again > stopped:
                self._pauses.append((stopped, again))
        elif name == "Notes" and parent == "Activity":
            self._name = text[:200]

    def _keep(self, point: dict[str, float]) -> None:
        at = point.get("time", ABSENT)
        if math.isnan(at):
            return
        lat, lon = degrees(point.get("lat"), point.get("lon"))
        told = (point.get(name, ABSENT) for name in ("distance", "altitude", "heart_rate", "cadence"))
        self._samples.add(at, (*told, lat, lon))
        if self._tracks:
            first, _ = self._tracks[-1]
            self._tracks[-1] = (at if math.isnan(first) else first, at)

    def workout(self, content_hash: str, name: str) -> Workout:
        if self._activities > 1:
            raise WorkoutRefused("several activities in one file: send each alone", code="not_an_activity")
        if not self._activities:
            raise WorkoutRefused("a course or a plan, no activity", code="not_an_activity")
        sport, began = sport_of(self._sport), self._samples.started_at(self._laps[0]["start"] if self._laps else ABSENT)
        start, streams = began.timestamp(), self._samples.streams(began)
        # Garmin's extension counts one foot, as FIT does.
        streams = both_feet(sport, streams, 2)
        return Workout(
            sport=sport,
            name=self._name or name,
            started_at=began,
            source="tcx",
            content_hash=content_hash,
            streams=streams,
            laps=tuple(_lap(lap, start) for lap in self._laps if not math.isnan(lap["start"])),
            pauses=tuple(
                Pause(start_seconds=max(0.0, stopped - start), end_seconds=again - start)
                for stopped, again in self._pauses
            ),
            session=self._session(),
        )

    def _session(self) -> Session:
        """A lap is the device's own count, and the laps are the whole: what each of them says adds up."""
        heart = [(lap["heart_rate"], lap["timer"]) for lap in self._laps if "heart_rate" in lap and "timer" in lap]
        timed = sum(seconds for _, seconds in heart)
        return Session(
            distance_m=_sum(self._laps, "distance"),
            timer_seconds=_sum(self._laps, "timer"),
            average_heart_rate_bpm=sum(rate * seconds for rate, seconds in heart) / timed
            if timed > 0 and len(heart) == len(self._laps)
            else None,
        )


def _lap(lap: dict[str, float], start: float) -> Lap:
    return Lap(
        start_seconds=max(0.0, lap["start"] - start),
        timer_seconds=_known(lap.get("timer", ABSENT)),
        distance_m=_known(lap.get("distance", ABSENT)),
        average_heart_rate_bpm=_known(lap.get("heart_rate", ABSENT)),
    )


def _sum(laps: list[dict[str, float]], name: str) -> float | None:
    return _known(sum(lap.get(name, ABSENT) for lap in laps)) or None


def _known(value: float) -> float | None:
    return value if value >= 0 else None
