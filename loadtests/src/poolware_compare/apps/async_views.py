"""What a request does, for event loops. `sync_views` is the same for threads."""

import asyncio
from collections.abc import Iterator
from typing import Any

from poolware_compare.apps import work
from poolware_compare.apps.answers import FEED_PIECES, STORE_SECONDS
from poolware_compare.apps.connections import FIND, PAGE


async def scratch(kit: Any, ctx: Any, size: int, used: int, *, hold: bool) -> str:
    """Work on a text in a scratch buffer; with `hold`, ask a store for it, which takes a millisecond."""
    with kit.scratch(ctx, *work.sizes(size, used)) as room:
        if hold:
            await asyncio.sleep(STORE_SECONDS)
        work.fill(room)
        return work.shouted(room)


def feed(kit: Any, ctx: Any) -> bytes:
    """Compress two kilobytes of JSON."""
    content: bytes = kit.compressed(ctx, FEED_PIECES)
    return content


async def sqlite(kit: Any, number: int) -> Any:
    """Ask SQLite for a product."""
    async with kit.asqlite() as connection:
        return connection.execute(FIND + "?", (number,)).fetchone()


async def postgres(kit: Any, ctx: Any, number: int) -> Any:
    """Ask PostgreSQL for a product."""
    async with kit.apostgres(ctx) as connection:
        return await (await connection.execute(FIND + "%s", (number,))).fetchone()


def export(kit: Any, ctx: Any, count: int) -> Iterator[bytes]:
    """Write a CSV file."""
    chunks: Iterator[bytes] = kit.export(ctx, *work.rows(count))
    return chunks


def use(kit: Any, ctx: Any, name: str) -> str:
    """Use an object of a kind."""
    kind = work.kind(name)
    with kit.made(ctx, kind) as an_object:
        return work.used(an_object, kind)


async def browse(kit: Any, ctx: Any, page: int) -> bytes:
    """Show a page of products, compressed."""
    bounds = work.page_bounds(page)
    async with kit.asqlite() as connection:
        products = connection.execute(PAGE, bounds).fetchall()
    content: bytes = kit.compressed(ctx, work.pieces(products))
    return content


def search(kit: Any, ctx: Any, word: str) -> int:
    """Look through the catalogue."""
    size = work.catalogue_size()
    with kit.scratch(ctx, size, size) as room:
        return work.count_in(room, word)


async def check_out(kit: Any, ctx: Any, cart: dict[int, int]) -> Iterator[bytes]:
    """Look the prices up and write a receipt."""
    async with kit.asqlite() as connection:
        found = connection.execute(work.receipt_query(cart), tuple(cart)).fetchall()
    chunks: Iterator[bytes] = kit.export(ctx, *work.receipt(cart, found))
    return chunks
