"""Damages the store of a node that is down, as a failing disk does it.

`contents`: bits of live bodies of parcels, of which nothing but their digests tells. `structure`: bits of what SQLite
finds the bodies by, in a page of their tree. `database`: the same of any other table.
"""

import contextlib
import sqlite3

TABLE = "bodies"
# Sizes of the head by kind of page: leaf and inner, with numbers and with names.
# Source: https://www.sqlite.org/fileformat2.html#b_tree_pages
HEAD = {0x0D: 8, 0x05: 12, 0x0A: 8, 0x02: 12}
FLIPS = 8  # so many that SQLite has to see it


def read(store):
    """The live bodies, the numbers of the pages of their tree, and the size of a page.

    What the last process left in the log is copied back into the file before: a real disk damages what is there.
    """
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        dead = dict(database.execute("SELECT n, value FROM dead"))
        bodies = [value for number, value in database.execute(f"SELECT n, value FROM {TABLE} ORDER BY n")
                  if not is_dead(dead, number)]
        pages = [page for page, in database.execute("SELECT pageno FROM dbstat WHERE name = ?", [TABLE])]
        return bodies, pages, database.execute("PRAGMA page_size").fetchone()[0]


def is_dead(rows, number):
    """Whether a row of `dead` says that what has this number is no longer kept (src/mailbox/rows.hpp)."""
    segment, bit = divmod(number, 256)
    if segment not in rows:
        return False
    bits = rows[segment][4:36]  # behind the heads of the map, its first key and the string
    return bits[bit // 8] >> bit % 8 & 1 == 1


def flip(data, at, random):
    data[at] ^= 1 << random.randrange(8)


def damage_contents(store, random, share):
    """Flips a bit in this share of the live bodies, at least one. Returns in how many."""
    bodies, pages, page_size = read(store)
    if not bodies:
        return 0
    data = bytearray(store.read_bytes())
    chosen = random.sample(bodies, max(1, int(len(bodies) * share)))
    flipped = 0
    for body in chosen:
        for page in pages:
            at = data.find(body, (page - 1) * page_size, page * page_size)
            if at >= 0:
                flip(data, at + random.randrange(len(body)), random)
                flipped += 1
                break
    write(store, data)
    return flipped


def damage_structure(store, random):
    """Flips FLIPS bits in the head of a page of the bodies' tree, if there are live bodies. Returns how many."""
    bodies, pages, page_size = read(store)
    return flip_in_head(store, random, pages, page_size) if bodies else 0


def damage_database(store, random):
    """Flips FLIPS bits in the head of a page of another table. Returns how many."""
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [page for page, in database.execute(
            "SELECT pageno FROM dbstat WHERE name <> ? AND pagetype <> 'overflow' AND"
            " name IN (SELECT name FROM sqlite_schema WHERE type = 'table')", [TABLE])]
        page_size = database.execute("PRAGMA page_size").fetchone()[0]
    return flip_in_head(store, random, pages, page_size)


def flip_in_head(store, random, pages, page_size):
    """Where a page says what it is and where its rows are."""
    data = bytearray(store.read_bytes())
    begin = (random.choice(pages) - 1) * page_size
    rows = int.from_bytes(data[begin + 3:begin + 5], "big")
    head = HEAD[data[begin]] + 2 * rows
    for at in random.sample(range(head), FLIPS):
        flip(data, begin + at, random)
    write(store, data)
    return FLIPS


def write(store, data):
    with open(store, "r+b") as file:
        file.write(data)
