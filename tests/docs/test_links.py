"""Every relative link of every page leads to a file, and every anchor to a heading."""

from __future__ import annotations

import re

import pytest
from docs.pages import PAGES, ROOT

CODE = re.compile(r"^( *)(```+).*?^\1\2$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]*))?(?: \"[^\"]*\")?\)|<img[^>]* src=\"(?!\w+:)([^\"]+)\"")


def anchors(page):
    """The anchors of its headings, as GitHub and the site make them: words in lower case, joined by hyphens."""
    text = re.sub(r"^( *)(```+).*?^\1\2$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+?)(?: \{.*\})?$", text, flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    base = ROOT if page.parent.name == "changelog.d" else page.parent  # its text is to stand in CHANGELOG.md
    for link, anchor, image in LINK.findall(CODE.sub("", page.read_text())):
        target = base / (link or image) if link or image else page
        assert target.exists(), link or image
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), f"{link}#{anchor}"
