"""What a number was made with: commit, versions, device."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: every default path derives from it, never from the working directory."""

PACKAGES = (
    *("torch", "torchvision", "segmentation-models-pytorch", "accelerate", "albumentations", "pycocotools"),
    *("numpy", "pandas", "opencv-python-headless"),
)


def provenance() -> dict:
    """Commit (marked where files were changed since), versions of the main packages, and the device."""
    return {
        "commit": _commit(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "device": _device(),
    }


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        # Outputs change while a report is made; what matters is whether the code did.
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "modanet_utils", "profiles")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changed else commit


def _device() -> str:
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name(0)}"
    return f"CPU, {os.cpu_count()} cores"
