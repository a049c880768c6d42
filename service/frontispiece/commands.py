"""The commands that look into the service or do what the desk does; `cli.py` has those that run it."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import update

from frontispiece import accounts, advice, app, connecting, jobs, lint, migrate, planning, prompts, review
from frontispiece.cms import Entry
from frontispiece.config import load
from frontispiece.errors import Problem
from frontispiece.house import House
from frontispiece.models import Task, TaskState


@click.command()
def check() -> None:
    """Says in words what the configuration means for each site and rule."""
    for line in advice.check(House(load())):
        click.echo(line)


@click.command()
@click.argument("site")
def connect(site: str) -> None:
    """Registers the webhook in the CMS of SITE, or says what to enter there; makes a secret where there is none."""
    for line in connecting.connect(site):
        click.echo(line)


@click.command()
@click.argument("site", required=False)
def doctor(site: str | None) -> None:
    """Asks the CMS of SITE whether credentials and rights are right; without SITE, all sites and image services.

    Ends with exit code 1 where something is wrong.
    """
    house, problems = House(load()), 0
    if site:
        house.adapter(site)  # says at once that there is no such site
    for what, ask in advice.doctors(house, site):
        click.echo(f"{what}:")
        try:
            for line in ask():
                click.echo(f"  {line}")
        except Problem as problem:
            problems += 1
            click.echo(f"  {problem.words}")
    if problems:
        raise SystemExit(1)


@click.command()
@click.argument("rule")
@click.option("--ref", help="An entry of the rule's site, such as posts/12.")
@click.option(
    "--entry", "file", type=click.Path(exists=True, path_type=Path), help="A JSON file: title, excerpt, tags …"
)
def preview(rule: str, ref: str | None, file: Path | None) -> None:
    """Shows the prompt that RULE makes of an entry."""
    house = House(load())
    chosen = house.rule(rule)
    if file:
        entry = _entry(file, chosen.kind)
    elif ref:
        with house.api(chosen.site) as (adapter, api):
            entry = adapter.fetch(api, ref)
    else:
        raise Problem("give --ref or --entry")
    slot = house.slot(chosen.slot)
    template, brand = prompts.load(chosen.template), prompts.brand(chosen.brand)
    click.echo(prompts.compose(template, entry, brand, chosen.slot, slot.ratio).text)
    for advice_ in lint.lint(template.source):
        click.echo(f"  note: {advice_}", err=True)


def _entry(file: Path, kind: str) -> Entry:
    try:
        given = json.loads(file.read_text("utf8"))
        return TypeAdapter(Entry).validate_python({"ref": "preview", "kind": kind, **given})
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise Problem(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, TypeError) as problem:
        raise Problem(f"{file} is not a JSON object: {problem}") from None


@click.command()
@click.argument("delivery", type=int)
def replay(delivery: int) -> None:
    """Plans a stored DELIVERY once more, as if it had just come."""
    planning.again(House(load()), delivery)
    click.echo(f"delivery {delivery} is planned again")


@click.command()
def sweep() -> None:
    """Sends hints for everything that is due, also where one was sent before."""
    settings = load()
    house = House(settings)
    with house.database.write() as session:
        session.execute(update(Task).where(Task.state == TaskState.READY).values(hinted=0.0))
    click.echo(f"{jobs.nudge(house, jobs.connect(app.redis_url(settings)))} hints sent")


@click.command()
@click.argument("illustration", type=int)
def revert(illustration: int) -> None:
    """Puts back into the CMS what was there before ILLUSTRATION was published."""
    review.revert(House(load()), illustration, "the command line")
    click.echo(f"illustration {illustration} will be reverted")


@click.group()
def user() -> None:
    """People who may log in."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(accounts.ROLES), default="editor", show_default=True)
def add_user(name: str, role: str) -> None:
    """Adds a user; the password comes from a prompt or standard input."""
    accounts.add_user(_with_tables().database, name, role, _password())
    click.echo(f"{name} may log in as {role}")


@user.command("list")
def list_users() -> None:
    """Shows who may log in, with which role, and how."""
    for one, seen, _ in accounts.users(House(load()).database):
        how = "at the identity provider" if one.subject else "with a password"
        last = f"{datetime.fromtimestamp(seen, UTC):%Y-%m-%d %H:%M} UTC" if seen else "not logged in"
        click.echo(f"{one.name}\t{one.role}\t{how}\t{last}")


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(accounts.ROLES))
def change_role(name: str, role: str) -> None:
    """Gives a user another role, from their next page on."""
    accounts.set_role(House(load()).database, name, role)
    click.echo(f"{name} has the role {role} now")


@user.command("password")
@click.argument("name")
def change_password(name: str) -> None:
    """Gives a user a new password and ends their logins; it comes from a prompt or standard input."""
    accounts.set_password(House(load()).database, name, _password())
    click.echo(f"{name} has a new password")


@user.command("remove")
@click.argument("name")
def remove_user(name: str) -> None:
    """Takes a user's access away; what they decided stays."""
    accounts.remove_user(House(load()).database, name)
    click.echo(f"{name} may no longer log in")


def _with_tables() -> House:
    """A house for those who add people and tokens before they ever ran `up`."""
    settings = load()
    migrate.upgrade(settings)
    return House(settings)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


@click.group()
def token() -> None:
    """Tokens for programs and for panels in a CMS."""


@token.command("add")
@click.argument("name")
@click.option("--scope", type=click.Choice(accounts.SCOPES), default="review", show_default=True)
@click.option("--site", default="", help="Only this site.")
def add_token(name: str, scope: str, site: str) -> None:
    """Makes a token and prints it, once."""
    house = _with_tables()
    if site:
        house.adapter(site)  # raises where there is no such site
    click.echo(accounts.add_token(house.database, name, scope, site))


@token.command("list")
def list_tokens() -> None:
    """Shows which programs have a token, what it lets them do, and at which site."""
    for one in accounts.tokens(House(load()).database):
        click.echo(
            f"{one.name}\t{one.scope}\t{one.site or 'all sites'}\t{datetime.fromtimestamp(one.created, UTC):%Y-%m-%d}"
        )


@token.command("remove")
@click.argument("name")
def remove_token(name: str) -> None:
    """Makes a token worthless."""
    accounts.remove_token(House(load()).database, name)
    click.echo(f"the token {name} is worthless now")


ALL = (check, connect, doctor, preview, replay, sweep, revert, user, token)
