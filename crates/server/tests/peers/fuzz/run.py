"""Asks a running server everything its OpenAPI description allows and forbids, with every check of Schemathesis on.

    run.py URL [options of `schemathesis run`, e.g. --seed 7 --max-examples 500]

FUZZ_EMAIL and FUZZ_PASSWORD name an account to sign in with; without them nobody is signed in. FUZZ_OPTIONS are more
options. The server must be one to throw away, whose limits per client are wide. Ends with 1 after a finding.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
url, *options = sys.argv[1:]
options += os.environ.get("FUZZ_OPTIONS", "").split()

command = [schemathesis, "--config-file", here / "schemathesis.toml", "run", f"{url}/openapi.json", "--url", url, *options]
# It keeps notes of a run in its folder.
with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(here / "hooks.py")}
    sys.exit(subprocess.run(command, cwd=folder, env=environment, check=False).returncode)
