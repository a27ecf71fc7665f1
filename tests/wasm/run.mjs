// Runs tests of the plain twin on the CPython of npm's pyodide: node run.mjs PYODIDE FOLDER SITE [pytest's arguments]
const [pyodide, folder, site, ...args] = process.argv.slice(2);
const { loadPyodide } = await import(pyodide);
const py = await loadPyodide();
for (const [place, from] of [["/host", folder], ["/site", site]]) {
  py.FS.mkdirTree(place);
  py.mountNodeFS(place, from);
}
py.globals.set("args", py.toPy(args));
const code = await py.runPythonAsync(`
import os
import sys

sys.path[:0] = ["/host/tests/wasm", "/host/src", "/site"]
os.chdir("/host")
import pytest

print(f"CPython {sys.version.split()[0]} on {sys.platform}")
int(pytest.main(["-p", "without_threads", "-c", "/dev/null", "--rootdir=/host", "-p", "no:cacheprovider", *args]))
`);
process.exit(code);
