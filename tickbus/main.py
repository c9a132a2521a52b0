"""The command line: one group; each command's module is imported only when the command is called."""

import importlib
import os
import sys
from errno import EACCES, EDQUOT, ENOSPC, EROFS
from typing import Any

import click

from protocol.errors import TickbusError

DISK_ERRORS = (ENOSPC, EDQUOT, EROFS, EACCES)  # no bug, and not to be repaired here

# command: (module, its line in --help). The module has a click command named `command`.
COMMANDS = {
    "run": ("tickbus.cli.run", "Run a bot in the foreground, with a live view; without a file, the default bot."),
    "up": ("tickbus.cli.up", "Start a bot in the background, or apply the changed run file of a running one."),
    "down": ("tickbus.cli.down", "Stop a bot that runs in the background, in order."),
    "status": ("tickbus.cli.status", "Show the processes of a bot."),
    "pause": ("tickbus.cli.pause", "Let connectors place no new order; cancels go on."),
    "resume": ("tickbus.cli.resume", "Let connectors place orders again, after a pause or a halt."),
    "cancel-all": ("tickbus.cli.cancel_all", "Cancel all open orders of a bot, or those of one market."),
    "forget": ("tickbus.cli.forget", "End an order that the exchange no longer has."),
    "add": ("tickbus.cli.add", "Add an actor to a running bot; no other process is restarted."),
    "remove": ("tickbus.cli.remove", "Remove an added actor from a running bot."),
    "restart": ("tickbus.cli.restart", "Restart an actor of a running bot, with its code as it is now."),
    "check": ("tickbus.cli.check", "Find all mistakes of a run file."),
    "tap": ("tickbus.cli.tap", "Print the messages on the bus of a running bot."),
    "keys": ("tickbus.cli.keys", "Keep API keys in an encrypted file."),
    "doctor": ("tickbus.cli.doctor", "Check this machine and installation for problems."),
    "calibrate": ("tickbus.cli.calibrate", "Measure a recorded market, and the local exchange's order flow."),
    "actor": ("tickbus.cli.actor", "Run one actor (supervisord calls this)."),
    "clockd": ("tickbus.cli.clockd", "Run the clock (supervisord calls this)."),
    "venue": ("tickbus.cli.venue", "Run the local exchange (supervisord calls this)."),
}


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = COMMANDS.get(cmd_name)
        return importlib.import_module(found[0]).command if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f", did you mean `{near[0]}`?" if near else f"; the commands are {', '.join(COMMANDS)}"
            raise click.UsageError(f"unknown command `{args[0]}`{hint}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"tickbus {version('tickbus')}")
        ctx.exit()


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def cli() -> None:
    """A trading-bot framework made of processes on a message bus."""


def main(args: list[str] | None = None) -> None:
    """Runs a command and exits: with 0, or with the exit code of its error. A user's mistake is one line on stderr."""
    try:
        code = cli.main(args=args, prog_name="tickbus", standalone_mode=False)
    except TickbusError as error:
        sys.stderr.write(f"tickbus: {error}\n")
        code = error.exit_code
    except click.UsageError as error:
        at = f" (tickbus {error.ctx.info_name} --help)" if error.ctx and error.ctx.parent else " (tickbus --help)"
        sys.stderr.write(f"tickbus: {error.format_message()}{at}\n")
        code = 2
    except click.ClickException as error:
        sys.stderr.write(f"tickbus: {error.format_message()}\n")
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:  # `tickbus tap | head`: the reader has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        sys.stderr.write(f"tickbus: {error.filename or 'a file'} cannot be written: {error.strerror}\n")
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
