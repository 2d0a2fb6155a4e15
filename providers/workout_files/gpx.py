"""GPX: tracks with times. Heart rate and cadence are in vendors' extensions, found by their names."""

import math
from itertools import pairwise
from statistics import median

from domain.samples import Samples, number
from domain.workout import ABSENT, Pause, Workout, WorkoutRefused
from providers.workout_files.elements import Elements, degrees, time_of
from providers.workout_files.sports import both_feet, sport_of

# Garmin counts one foot in its extension as in FIT, others count both; nobody runs 60 or 240 steps a minute.
LOWEST_STEPS = 120


class Gpx(Elements):
    def __init__(self) -> None:
        super().__init__()
        self._samples = Samples()
        self._point: dict[str, float] | None = None
        self._untimed = 0
        self._name = self._type = ""
        self._segments: list[tuple[float, float]] = []

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "trkpt":
            lat, lon = degrees(attributes.get("lat"), attributes.get("lon"))
            self._point = {"lat": lat, "lon": lon}
        elif name == "trkseg":
            self._segments.append((ABSENT, ABSENT))

    def closed(self, name: str, text: str) -> None:
        point = self._point
        if point is not None:
            if name == "time":
                point["time"] = time_of(text)
            elif name in ("ele", "hr", "cad", "heartrate", "cadence"):
                point[name] = number(text)
            elif name == "trkpt":
                self._keep(point)
                self._point = None
        elif self.path[-2:-1] == ["trk"]:
            if name == "name":
                self._name = self._name or text[:200]
            elif name == "type":
                self._type = self._type or text

    def _keep(self, point: dict[str, float]) -> None:
        at = point.get("time", ABSENT)
        if math.isnan(at):
            self._untimed += 1
            return
        heart_rate = point.get("hr", point.get("heartrate", ABSENT))
        cadence = point.get("cad", point.get("cadence", ABSENT))
        self._samples.add(at, (ABSENT, point.get("ele", ABSENT), heart_rate, cadence, point["lat"], point["lon"]))
        if self._segments:
            first, _ = self._segments[-1]
            self._segments[-1] = (at if math.isnan(first) else first, at)

    def workout(self, content_hash: str, name: str) -> Workout:
        if not self._samples and self._untimed:
            raise WorkoutRefused("its points have no times: a route, not a recording", code="not_an_activity")
        sport, began = sport_of(self._type), self._samples.started_at()
        start = began.timestamp()
        streams = self._samples.streams(began)
        told = [value for value in streams.cadence_spm if value > 0]
        streams = both_feet(sport, streams, 2 if told and median(told) < LOWEST_STEPS else 1)
        segments = [segment for segment in self._segments if not math.isnan(segment[0])]
        return Workout(
            sport=sport,
            name=self._name or name,
            started_at=began,
            source="gpx",
            content_hash=content_hash,
            streams=streams,
            pauses=tuple(
                Pause(start_seconds=max(0.0, stopped - start), end_seconds=again - start)
                for (_, stopped), (again, _) in pairwise(segments)
                if again > stopped
            ),
        )
