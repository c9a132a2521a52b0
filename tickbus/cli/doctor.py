"""`tickbus doctor`: what of this machine and installation could cause trouble."""

import json

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: ok, checks.")
def command(as_json: bool) -> int:
    """Look at this machine and installation for trouble. Exit code 1 if something has to be mended."""
    from tickbus.health import BAD, examine

    checks = examine()
    ok = all(one.verdict != BAD for one in checks)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [one._asdict() for one in checks]}))
    else:
        for one in checks:
            click.echo(f"{one.verdict:<5} {one.what:<18} {one.detail}")
    return 0 if ok else 1
