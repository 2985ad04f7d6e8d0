"""One picture of every experiment."""

from modanet_utils.errors.causes.crowd import composed, figures
from modanet_utils.errors.causes.hats import fitted
from modanet_utils.errors.causes.pictures import Scene
from modanet_utils.errors.causes.recoloring import STEPS, recolored
from modanet_utils.errors.causes.stage import Stage


def examples(one: Stage) -> dict[str, Scene]:
    """One picture of every kind, by rule: the first of each experiment; empty where there is none."""
    shown: dict[str, Scene] = {}
    for image_id, (worn, beside, _) in fitted(one, 1).items():
        photos, truth = recolored(one, image_id), one.scenes[image_id].truth
        shown["unchanged"] = Scene(photos[0], truth)
        for at, arm in enumerate(("hair toward\nhats", "toward\nother hair", "background\nas far")):
            shown[arm] = Scene(photos[(at + 1) * len(STEPS)], truth)
        shown |= {"hat worn": worn, "hat beside": beside}
    ids = figures(one)
    if len(ids) >= 3:
        last = composed(one, ids, 0, len(ids) // 3)[-1]
        shown |= {"rear person\nalone": last.rear, "with a\nsilhouette": last.silhouette, "together": last.together}
    return shown
