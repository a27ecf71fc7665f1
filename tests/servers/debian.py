"""Runs a server that Debian has ready and PyPI only as sources: ``python -m debian uwsgi HOST:PORT MODULE:NAME``.

uWSGI and Apache's mod_wsgi bring Debian's own interpreter along; it is told where this one finds its packages.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

MAJOR, MINOR = sys.version_info[:2]
APACHE_MODULES = Path("/usr/lib/apache2/modules")
PARTS = {
    "uwsgi": ("uwsgi-core, uwsgi-plugin-python3", Path(f"/usr/lib/uwsgi/plugins/python{MAJOR}{MINOR}_plugin.so")),
    "mod_wsgi": ("apache2, libapache2-mod-wsgi-py3", APACHE_MODULES / f"mod_wsgi.so-{MAJOR}.{MINOR}"),
}
UWSGI = "uwsgi --plugin python3 --http-socket {bind} --module {app} --need-app --master --threads 64 --die-on-term"
APACHE = """\
ServerName localhost
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog /dev/stderr
LogLevel warn
Listen {bind}
KeepAliveTimeout 2
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
User www-data
Group www-data
WSGIDaemonProcess site processes=1 threads=64 socket-user=www-data python-path={path}
WSGIChunkedRequest On
WSGIScriptAlias / {folder}/site.wsgi process-group=site application-group=%{{GLOBAL}}
<Directory {folder}>
    Require all granted
</Directory>
"""
SCRIPT = """\
from {module} import {name} as application
"""


def lacking(server: str) -> str | None:
    """Return what is not installed here, or None if `server` can be run."""
    packages, part = PARTS[server]
    return None if part.exists() else f"needs Debian's packages {packages}, for this version of Python: no {part}"


def packages_path() -> str:
    return ":".join(p for p in map(os.path.abspath, sys.path) if "-packages" in p or not p.startswith(sys.base_prefix))


def become_uwsgi(bind: str, app: str) -> None:
    os.environ["PYTHONPATH"] = packages_path()
    command = [*UWSGI.format(bind=bind, app=app).split(), "--add-header", "Connection: close"]
    if "UWSGI_SILENT" not in os.environ:
        command.append("--py-call-uwsgi-fork-hooks")
    os.execvp(command[0], command)


def run_apache(bind: str, app: str) -> None:
    """Run Apache with a configuration for this time alone; all that it writes goes away with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    module, _, name = app.partition(":")
    with tempfile.TemporaryDirectory(prefix="poolware-apache-") as folder:
        Path(folder).chmod(0o755)
        Path(folder, "site.wsgi").write_text(SCRIPT.format(module=module, name=name))
        config = Path(folder, "apache.conf")
        config.write_text(APACHE.format(folder=folder, bind=bind, modules=APACHE_MODULES, path=packages_path()))
        apache = subprocess.Popen(["apache2", "-f", str(config), "-D", "FOREGROUND"])
        try:
            apache.wait()
        finally:
            apache.terminate()
            apache.wait()


if __name__ == "__main__":
    {"uwsgi": become_uwsgi, "mod_wsgi": run_apache}[sys.argv[1]](*sys.argv[2:])
