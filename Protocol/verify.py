#!/usr/bin/env python3
"""Runs the verifier in `verify/`: see there, or `verify.py --help`."""

import runpy
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent / "verify"))
runpy.run_path(str(Path(sys.path[0]) / "verify.py"), run_name="__main__")
