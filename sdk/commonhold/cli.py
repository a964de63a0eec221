"""The command `commonhold`."""

import click

from commonhold import __version__
from commonhold.client import Client, Credentials
from commonhold.commands_log import log
from commonhold.commands_market import buy, quote, search
from commonhold.commands_transfer import download, status, upload
from commonhold.commands_verify import verify
from commonhold.terminal import Outcome, reporting


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="commonhold")
def main() -> None:
    """Upload, license, download and verify datasets whose speakers said yes.

    COMMONHOLD_URL and COMMONHOLD_API_KEY say which site and as whom, or run `commonhold login`.
    Exit codes: 0 done, 1 refused or not verified (also: nobody vouched for the keys), 2 usage,
    3 server or network.
    """


@main.command()
@click.option("--url", envvar="COMMONHOLD_URL", prompt="Address of the site", help="The site.")
@click.option(
    "--key", envvar="COMMONHOLD_API_KEY", prompt="API key", hide_input=True, help="Your API key."
)
@reporting
def login(url: str, key: str) -> Outcome:
    """Keep a site's address and your API key for later commands."""
    with Client(url, key) as client:
        me = client.me()
    Credentials(client.url, key).save()
    who = f"{me['user']['email']}, {me['organization']['name']}"
    return Outcome(me, [f"Logged in to {client.url} as {who}. Kept in {Credentials.path()}."])


for command in (buy, download, log, quote, search, status, upload, verify):
    main.add_command(command)

if __name__ == "__main__":
    main()
