"""Runs ekiden-vectors on a folder of vectors; exits with 77 ("skipped") where there is no such folder."""

import os
import subprocess
import sys

program, folder = sys.argv[1:]
if not os.path.isdir(folder):
    print(f"no vectors in {folder}; set EKIDEN_VECTORS to a folder that has them")
    sys.exit(77)
sys.exit(subprocess.run([program, folder], timeout=100).returncode)
