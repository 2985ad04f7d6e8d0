"""A trial: a configuration in, a finished run on disk out."""

from modanet_utils.training.runs import Run, find_run, keep
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig

__all__ = ["Run", "TrialConfig", "find_run", "keep", "run_trial"]
