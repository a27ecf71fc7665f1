"""The page itself: one file, the same for everybody, into which the server never writes anything.

What it shows, it fetches from ``data.json`` and sets as text. The policy allows its own style and script by their
hashes, requests to where it comes from, and nothing else; markup cannot even be made from text (Trusted Types).
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib import resources

__all__ = ["PAGE", "POLICY"]


def _read(name: str) -> str:
    return (resources.files("poolware.web.dashboard") / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_STYLE, _SCRIPT = _read("page.css"), _read("page.js")

PAGE: bytes = _read("page.html").replace("/* page.css */", _STYLE).replace("/* page.js */", _SCRIPT).encode()
POLICY: str = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "connect-src 'self'",
        "img-src data:",  # the icon of the tab
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
