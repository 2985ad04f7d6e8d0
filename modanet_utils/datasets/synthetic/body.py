"""The body of a drawn person: proportions, pose, and the way from heads to pixels.

Lengths are in heads: a person is about 7.6 heads tall, y = 0 is the top of the skull, y = 1 the chin,
x = 0 the middle of the neck. "side" is -1 for the left of the picture and +1 for the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modanet_utils.classes import LABELS
from modanet_utils.datasets.synthetic.drawing import Canvas, Material, Points, limb, part_of_limb, spline
from modanet_utils.datasets.synthetic.wardrobe import Outfit

LEVELS = (1.0, 1.15, 1.28, 1.38, 1.55, 1.75, 1.95, 2.15, 2.45, 2.85, 3.3, 3.75, 4.1)
FEMALE = (0.19, 0.19, 0.27, 0.45, 0.63, 0.62, 0.59, 0.60, 0.52, 0.475, 0.60, 0.69, 0.66)
MALE = (0.24, 0.24, 0.37, 0.58, 0.78, 0.77, 0.74, 0.71, 0.66, 0.62, 0.63, 0.66, 0.64)
Shape = np.ndarray | Sequence[np.ndarray]

SOLE = 7.55
NECK = np.array([0.0, 1.1])


@dataclass
class Limb:
    """Bones (N, 2) and radii (N,) in heads."""

    bones: np.ndarray
    radii: np.ndarray

    def part(self, end: float, start: float = 0.0, ease: Sequence[float] | float = 0.0) -> "Limb":
        """A stretch of the limb, thicker by ``ease`` (from its start to its end)."""
        bones, radii = part_of_limb(self.bones, self.radii, end, start)
        ease = np.atleast_1d(ease)
        return Limb(bones, radii + np.interp(np.linspace(0, 1, len(radii)), np.linspace(0, 1, len(ease)), ease))

    def outline(self, caps: str = "both") -> np.ndarray:
        return limb(self.bones, self.radii, caps)

    def upper(self, ease: float = 0.0) -> np.ndarray:
        """The end next to the trunk: painted with the trunk, so that no seam shows (see ``melt``)."""
        return self.part(0.25, ease=ease).outline("start")

    @property
    def melt(self) -> tuple[np.ndarray, float]:
        """Centre and radius in which an arm fades into what was painted with the trunk."""
        return self.bones[0], 0.52

    @property
    def angle(self) -> float:
        """Direction of the limb against straight down, radians; patterns turn with it."""
        x, y = self.bones[-1] - self.bones[0]
        return float(-np.arctan2(x, y))


@dataclass
class Body:
    """A pose."""

    male: bool
    turn: float  # radians; positive = towards the right of the picture
    width: float  # how broad, about 1
    centres: np.ndarray  # x of neck, chest, waist, hip
    tilts: tuple[float, float]  # slope of shoulders and of hips
    head_tilt: float
    yaw: float  # of the head
    legs: dict[int, Limb] = field(default_factory=dict)
    feet: dict[int, np.ndarray] = field(default_factory=dict)  # from ankle to toe
    arms: dict[int, Limb] = field(default_factory=dict)
    hands: dict[int, str] = field(default_factory=dict)  # hang, hidden, grip
    back: int = 1  # the leg that is further away

    def half(self, y: Points | float) -> np.ndarray:
        """Half the width of the torso at height y."""
        foreshortened = self.width * (0.5 + 0.5 * np.cos(self.turn))
        return foreshortened * np.interp(y, LEVELS, MALE if self.male else FEMALE)

    def centre(self, y: Points | float) -> np.ndarray:
        return np.interp(y, (1.0, 1.6, 2.85, 3.75), self.centres)

    def at(self, s: Points | float, y: Points | float, ease: Points | float = 0.0) -> np.ndarray:
        """Points (N, 2) of the torso; s = -1 and 1 are its edges, widened by ``ease``."""
        s, y = np.broadcast_arrays(np.asarray(s, float), np.asarray(y, float))
        reach = s * self.half(y) + np.sign(s) * ease
        slope = np.interp(y, (1.6, 3.5), self.tilts)
        return np.stack([self.centre(y) + reach, y + slope * reach], axis=-1)

    def front(self, x: Points | float, y: Points | float) -> np.ndarray:
        """Points (N, 2) at distance x from the middle of the front, which moves when the body turns."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        middle = np.sin(self.turn) * 0.55 * self.half(y) * np.interp(y, (1.2, 1.8), (0.3, 1))
        slope = np.interp(y, (1.6, 3.5), self.tilts)
        return np.stack([self.centre(y) + middle + x * np.cos(self.turn), y + slope * (middle + x)], axis=-1)

    def edge(self, side: int, levels: Points, ease: Points | float = 0.0) -> np.ndarray:
        """The torso's outline on one side at the given heights, (N, 2)."""
        return self.at(np.full(len(levels), float(side)), levels, ease)

    def collar(self, side: int, x: float) -> np.ndarray:
        """The point of the silhouette between neck and shoulder at distance x from the middle."""
        levels = np.array(LEVELS[2:5])
        y = np.interp(x, self.half(levels), levels)
        return self.at(side * x / self.half(y), y)

    def draped(self, side: int, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) drawn for the right of the picture, laid on the front; -1 mirrors them."""
        return self.front(side * points[:, 0], points[:, 1])

    def around(self, y: float, ease: float = 0.0) -> np.ndarray:
        """A line around the trunk from edge to edge, seen a little from above, (9, 2)."""
        s = np.linspace(-1, 1, 9)
        return self.at(s, y + 0.05 * (1 - s**2), ease)

    def between(self, upper: float, lower: float, ease: float = 0.0) -> np.ndarray:
        """Outline of the trunk between two heights."""
        levels = np.linspace(upper, lower, 5)
        return np.concatenate([self.edge(-1, levels, ease), self.edge(1, levels, ease)[::-1]])

    def shoulder(self, side: int) -> np.ndarray:
        x = self.half(1.6) - (0.09 if self.male else 0.03)
        return np.array([self.centre(1.6) + side * x, 1.64 + side * x * self.tilts[0]])


class Figure:
    """A person on a canvas: converts heads to pixels."""

    def __init__(self, canvas: Canvas, body: Body, outfit: Outfit, foot: Points, unit: float, rng: np.random.Generator):
        self.canvas, self.body, self.outfit, self.rng, self.unit = canvas, body, outfit, rng, unit
        self.origin = np.asarray(foot, float) - (0, SOLE * unit)
        self.scale = unit / 64
        self.things: dict[str, int] = {}

    def thing(self, label: str, which: int = 0) -> int:
        """The number of this person's skin, dress, left shoe, ...: one annotation each."""
        key = f"{label}{which}"
        if key not in self.things:
            self.things[key] = self.canvas.add(LABELS.index(label))
        return self.things[key]

    def px(self, points: Points) -> np.ndarray:
        return self.origin + self.unit * np.asarray(points, float)

    def distance(self, side: int) -> float:
        """Brightness of a leg: the further one lies in the shadow of the other."""
        return 0.9 if side == self.body.back else 1.0

    def put(
        self,
        shape: Shape,
        material: Material,
        thing: int,
        roundness: float,
        *,
        beyond: Shape = (),
        **options: Any,
    ) -> None:
        """``Canvas.piece`` in heads, without and with options of that name."""
        if "fade" in options:
            options["fade"] = (self.px(options["fade"][0]), options["fade"][1] * self.unit)
        options |= {"anchor": self.origin, "scale": self.scale, "roundness": roundness * self.unit}
        self.canvas.piece(self._outlines(shape), material, thing, beyond=self._outlines(beyond), **options)

    def tint(self, shape: Shape, colour: Points, opacity: float, where: str | int, soft: float = 0.0) -> None:
        """Colour what an area shows of one thing (or of the thing with a label)."""
        if not self.canvas.detailed:
            return
        only = self.thing(where) if isinstance(where, str) else where
        self.canvas.mark(self._outlines(shape), np.asarray(colour), opacity, only, soft * self.unit)

    def line(
        self,
        points: Points,
        width: float,
        colour: Points,
        opacity: float,
        where: str | int,
        soft: float = 0.0,
    ) -> None:
        """A seam, a crease, a lace: as ``tint``, along a curve."""
        if not self.canvas.detailed:
            return
        only = self.thing(where) if isinstance(where, str) else where
        curve = self.px(spline(points) if len(points) > 2 else points)
        self.canvas.stroke(curve, width * self.unit, np.asarray(colour), opacity, only, soft * self.unit)

    def _outlines(self, shape: Shape) -> list[np.ndarray]:
        return [self.px(o) for o in ([shape] if isinstance(shape, np.ndarray) else shape)]


def pose(outfit: Outfit, rng: np.random.Generator) -> Body:
    """A plausible way to stand or walk."""
    hip = rng.normal(0, 0.06)
    lean = rng.normal(0, 0.04)
    tilt = np.clip(-0.9 * hip, -0.1, 0.1)
    body = Body(
        male=outfit.male,
        turn=float(np.clip(rng.normal(0, 0.35), -0.75, 0.75)),
        width=float(rng.normal(1.0, 0.06)),
        centres=np.array([0, lean * 0.5, lean + hip * 0.6, lean + hip]),
        tilts=(float(-0.5 * tilt + rng.normal(0, 0.02)), float(tilt)),
        head_tilt=float(rng.normal(0, 0.06)),
        yaw=0.0,
    )
    body.yaw = float(np.clip(body.turn * 0.7 + rng.normal(0, 0.25), -0.8, 0.8))
    _pose_legs(body, rng)
    for side in (-1, 1):
        _pose_arm(body, side, _gesture(outfit, side, rng), rng)
    return body


def _pose_legs(body: Body, rng: np.random.Generator) -> None:
    stance = str(rng.choice(["stand", "relaxed", "walk", "cross"], p=[0.3, 0.32, 0.3, 0.08]))
    body.back = int(rng.choice([-1, 1]))
    apart = rng.uniform(0.05, 0.3)
    thick = 1.12 if body.male else 1.0
    for side in (-1, 1):
        away = side == body.back
        hip = body.at(0.5 * side, 3.8)
        ankle = np.array([body.centre(3.75) * 0.4 + side * (0.2 + apart * 0.5), 7.17])
        bend = side * rng.uniform(0.0, 0.05)
        out = rng.uniform(0.15, 0.6)
        if stance == "relaxed" and away:
            ankle += (side * rng.uniform(0.1, 0.3), rng.uniform(-0.12, 0.05))
            bend, out = side * rng.uniform(0.08, 0.16), rng.uniform(0.5, 0.95)
        elif stance == "walk":
            ankle[0] = body.centre(3.75) + side * rng.uniform(0.02, 0.14) + np.sin(body.turn) * (-0.5 if away else 0.5)
            ankle[1] -= rng.uniform(0.25, 0.5) if away else 0.0
            bend, out = np.sin(body.turn) * 0.12 + side * 0.04, rng.uniform(0.0, 0.3)
        elif stance == "cross":
            ankle[0] = body.centre(3.75) + side * (-0.12 if away else -0.02) + (0.25 * side if away else 0)
            ankle[1] -= 0.15 if away else 0.0
        knee = hip * 0.47 + ankle * 0.53 + (bend, -0.03)
        calf = knee * 0.6 + ankle * 0.4 + (side * 0.035, 0)
        thigh = hip * 0.55 + knee * 0.45 + (side * 0.02, 0)
        body.legs[side] = Limb(
            np.array([hip, thigh, knee, calf, ankle]),
            np.array([0.335, 0.29, 0.195, 0.2, 0.115]) * thick * body.width,
        )
        direction = side * out + body.turn * 0.9
        body.feet[side] = np.array([0.56 * np.sin(direction), 0.18 + 0.15 * np.cos(direction)]) * (
            1.12 if body.male else 1.0
        )


def _gesture(outfit: Outfit, side: int, rng: np.random.Generator) -> str:
    carrying = {"hand": "carry", "crook": "crook", "clutch": "clutch"}
    if side == 1 and outfit.bag in carrying:
        return carrying[outfit.bag]
    if side == 1 and outfit.bag in ("shoulder", "tote") and rng.random() < 0.45:
        return "strap"
    return str(rng.choice(["hang", "pocket", "hip", "front", "chest"], p=[0.52, 0.2, 0.12, 0.11, 0.05]))


def _pose_arm(body: Body, side: int, gesture: str, rng: np.random.Generator) -> None:
    shoulder = body.shoulder(side)
    centre, hip = body.centre(3.0), body.half(3.4)
    out = {
        "hang": (hip + rng.uniform(0.12, 0.3), 4.02 + rng.uniform(-0.1, 0.05)),
        "carry": (hip + rng.uniform(0.15, 0.3), 4.05),
        "pocket": (hip + 0.0, 3.55),
        "hip": (hip - 0.12, 3.0),
        "front": (rng.uniform(-0.05, 0.2), rng.uniform(3.0, 3.4)),
        "clutch": (rng.uniform(0.0, 0.2), rng.uniform(3.0, 3.3)),
        "crook": (0.35, 2.75),
        "strap": (body.half(1.9) * 0.75, 2.15),
        "chest": (0.25, 2.2),
    }[gesture]
    wrist = np.array([centre + side * out[0], out[1]])
    upper, lower = (1.3, 1.12) if not body.male else (1.34, 1.16)
    elbow = _elbow(shoulder, wrist, upper, lower, side)
    thick = (1.22 if body.male else 0.95) * body.width
    fore = elbow * 0.65 + wrist * 0.35
    body.arms[side] = Limb(
        np.array([shoulder, shoulder * 0.5 + elbow * 0.5, elbow, fore, wrist]),
        np.array([0.19, 0.16, 0.132, 0.132, 0.085]) * thick,
    )
    body.hands[side] = {"hang": "hang", "pocket": "hidden", "hip": "hip", "front": "grip"}.get(gesture, "grip")


def _elbow(shoulder: np.ndarray, wrist: np.ndarray, upper: float, lower: float, side: int) -> np.ndarray:
    """Where the elbow is; a wrist too close foreshortens the arm, as when it points at the viewer."""
    reach = wrist - shoulder
    distance = np.linalg.norm(reach)
    if distance < 0.8 * (upper + lower):
        shorten = max(0.62, distance / (upper + lower) + 0.18)
        upper, lower = upper * (0.5 + 0.5 * shorten), lower * shorten
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    along = np.clip(along, 0.3 * distance, upper)
    away = np.sqrt(max(upper**2 - along**2, 0.0))
    direction = reach / distance
    normal = np.array([direction[1], -direction[0]]) * side
    return shoulder + direction * along + normal * min(away, 0.72)
