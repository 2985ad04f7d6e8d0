"""The data set folder that a profile and a data root name."""

import contextlib
import json
import shutil
from pathlib import Path

from modanet_utils.project import ROOT


def find_data(profile: str, data_root: str | Path | None) -> Path:
    """The data set folder that a profile and a data root name; draws the synthetic figures at first use."""
    if data_root is not None:
        given = Path(data_root).expanduser()
        return given if given.exists() and not (ROOT / given).exists() else ROOT / given
    root = ROOT / "data" / profile
    if profile != "synthetic":
        if root.exists():
            return root
        give = f"give DATA_ROOT (or data_root) the folder that holds them, or put them into data/{profile}"
        raise FileNotFoundError(f"Profile {profile} has no data yet: {give}.")
    from modanet_utils.datasets import synthetic  # asked for by one profile only

    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # drawn by an earlier version: draw anew
        info = json.loads((root / "annotations.json").read_text(encoding="utf-8"))["info"]
        if info["name"] == "synthetic" and info["version"] != synthetic.VERSION:
            shutil.rmtree(root)
    return synthetic.generate(root, images=240, seed=0)
