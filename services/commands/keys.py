"""`python app.py keys …`: the keys that the store and its files are sealed with."""

from __future__ import annotations

import click

from services.commands import clear_errors, configure

_HUB = click.option("--hub", is_flag=True, help="the hub's instead of the site's")


@click.group()
def keys() -> None:
    """The keyring: where it lies, and another key for everything."""


@keys.command("show")
@_HUB
def keys_show(hub: bool) -> None:
    """Show where the keyring lies and which key seals; never a key."""
    from services.store.keyring import hub_keys, site_keys

    with clear_errors():
        configure("command")
        found = hub_keys() if hub else site_keys()
        old = sorted(set(found.ring.keys) - {found.ring.current})
        click.echo(f"{found.path}: key {found.ring.current}")
        if old:
            click.echo(f"A rotation is not done, {', '.join(old)} still needed: `python app.py keys rotate` goes on.")


@keys.command("rotate")
@_HUB
def keys_rotate(hub: bool) -> None:
    """Make another key, seal everything with it, and forget the old one; broken off, the next call goes on.

    The service may run meanwhile. Where several hosts have one store, stop the others first and give them the new
    keyring. Copies from before need the keyring from before.
    """
    from services.store.keyring import NotOurs
    from services.store.rotation import RotationFailed

    with clear_errors(NotOurs, RotationFailed, OSError):
        configure("command")
        click.echo(_rotate_hub() if hub else _rotate_site())


def _rotate_site() -> str:
    from services import runtime
    from services.store import audit
    from services.store.files import seal_again
    from services.store.keyring import site_keys
    from services.store.migrate import migrate
    from services.store.rotation import rotate, seal_fields_again
    from services.store.rows import NAMES

    site, keys = runtime.current(), site_keys()
    migrate(site.db)

    def files_again() -> int:
        return sum(seal_again(path, keys) for path in site.personal_files())

    fields, files = rotate(site.db, keys, (lambda: seal_fields_again(site.db, keys, NAMES), files_again))
    with site.db.write() as tx:
        audit.record(tx, audit.by_command(), "keys-rotated", fields=fields, files=files)
    return f"{fields} fields and {files} files have a new key. Keep a copy of {keys.path}."


def _rotate_hub() -> str:
    from services.hub import runtime
    from services.hub.resealing import pieces_again, secrets_again
    from services.hub.tables import media_keys
    from services.store.keyring import hub_keys
    from services.store.rotation import rotate

    hub, keys = runtime.current(), hub_keys()
    hub.migrate()

    def files_again() -> int:
        with hub.db.read() as tx:
            names = media_keys(tx)
        return sum(hub.media.seal_again(name) for name in names)

    secrets, pieces, files = rotate(
        hub.db, keys, (lambda: secrets_again(hub.db, keys), lambda: pieces_again(hub.db, keys), files_again)
    )
    return f"{secrets + pieces} fields and {files} files have a new key. Keep a copy of {keys.path}."
