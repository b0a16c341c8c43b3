"""The conformance suite of MCP against an authorization server: mcp.py <node> <suite> <results> <url> <port> <email> <password>."""

import json
import subprocess
import sys
from pathlib import Path

from person import Person

node, suite, results, url, port, email, password = sys.argv[1:]
# What it reports otherwise than as a success: clients are registered by operators, not described by their own addresses.
EXPECTED = {"authorization-server-metadata-cimd": "WARNING"}
NAMED = {"authorization-server-metadata", "authorization-code-grant"} | EXPECTED.keys()

command = [node, suite, "authorization", "--url", url, "--client-id", "mcp", "--port", port, "--output-dir", results]
command += ["--resource", "https://mcp.example.org/mcp"]
running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
said = []
for line in running.stdout:
    said.append(line)
    if line.startswith(f"{url}/oauth/authorize?"):
        page = Person(url).allows(line.strip(), email, password)
        assert page.text == "OK. You can close this page.", (page.url, page.text)
code = running.wait()
checks = [check for file in Path(results).rglob("checks.json") for check in json.loads(file.read_text())]
found = {check["id"]: check["status"] for check in checks if check["status"] != "INFO"}
assert code == 0 and found == {name: EXPECTED.get(name, "SUCCESS") for name in NAMED}, (code, found, "".join(said))
