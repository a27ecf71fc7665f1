"""What goes wrong in pools of scarce things, and does not in a ResourcePool.

The table in docs/resources-compared.md is what these tests expect, cell by cell.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from resource_behaviours import BEHAVIOURS
from resource_peers import OURS, PEERS

PAGE = Path(__file__).parents[2] / "docs" / "resources-compared.md"
CELLS = {
    (name, behaviour.__name__): cell
    for name, *cells in (
        map(str.strip, row.split("|")) for row in re.findall(r"^\| (\w.*) \|$", PAGE.read_text(), re.MULTILINE)
    )
    for behaviour, cell in zip(BEHAVIOURS, cells, strict=False)
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
@pytest.mark.parametrize("name", OURS)
def test_resource_pool(name, behaviour):
    """H12, H13, H28, H29 and H18, each as the behaviour's own words say."""
    seen = asyncio.run(behaviour(OURS[name]))
    assert seen == CELLS[name, behaviour.__name__]
    assert re.match(r"refused: |in order|tried again; works|works|-", seen)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
@pytest.mark.parametrize("name", PEERS)
def test_peer(name, behaviour):
    try:
        seen = asyncio.run(behaviour(PEERS[name]))
    except ImportError as error:
        pytest.skip(f"{error.name} is not installed")
    assert seen == CELLS[name, behaviour.__name__]
