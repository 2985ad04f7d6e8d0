"""``python -m modanet_utils.training``: the one command's ``train``, also for torchrun and accelerate."""

import runpy
import sys

sys.argv.insert(1, "train")
runpy.run_module("modanet_utils", run_name="__main__", alter_sys=True)
