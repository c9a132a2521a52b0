"""`tickbus doctor`: what of this machine and installation would hinder a bot."""

import json

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: ok, checks.")
def command(as_json: bool) -> int:
    """Check this machine and installation for problems. Exit code 1 if any check is BAD."""
    from tickbus.doctor import machine
    from tickbus.doctor.check import BAD
    from tickbus.doctor.examine import examine

    checks = examine(machine.read_facts())
    ok = all(one.verdict != BAD for one in checks)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [one._asdict() for one in checks]}))
    else:
        for one in checks:
            click.echo(f"{one.verdict:<5} {one.what:<18} {one.detail}")
    return 0 if ok else 1
