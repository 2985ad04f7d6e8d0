"""``python -m modanet_utils.report``: a door of its own to the one command's ``report``."""

import runpy
import sys

sys.argv.insert(1, "report")
runpy.run_module("modanet_utils", run_name="__main__", alter_sys=True)
