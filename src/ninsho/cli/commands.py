"""All commands in the order of a first day, each with what its help page says besides its options."""

from typing import NamedTuple


class Command(NamedTuple):
    """One command: its words, where it is written, and what its help page says besides its options."""

    words: str
    place: str
    help: str
    examples: tuple[str, ...]


NOUNS = {
    "user": "Accounts of the database.",
    "auth": "Try a login.",
    "postfix": "Make Postfix ask ninsho.",
    "exim": "Make Exim ask ninsho.",
    "config": "What the configuration says, and whether it can work.",
    "ledger": "What became of mail to many.",
}

COMMANDS = (
    Command(
        "demo",
        "ninsho.cli.demo.commands:demo",
        "See it work: a throw-away Postfix, real logins, real mail; nothing is left behind.",
        ("ninsho demo", "ninsho demo --quiet"),
    ),
    Command(
        "init",
        "ninsho.cli.init.commands:init",
        "Write a first configuration and make the database of accounts.",
        ("sudo ninsho init", "ninsho init --config ./ninsho.toml --database ./accounts.db"),
    ),
    Command(
        "user add",
        "ninsho.cli.user.commands:add",
        "Add an account.",
        (
            "ninsho user add alice@example.org",
            "ninsho user add printer --generate --network 192.0.2.0/24",
            "ninsho user add bob --expires 2030-12-31 --password-stdin < file",
        ),
    ),
    Command(
        "user passwd",
        "ninsho.cli.user.commands:passwd",
        "Give an account a new password.",
        ("ninsho user passwd alice@example.org", "ninsho user passwd printer --generate"),
    ),
    Command(
        "user list",
        "ninsho.cli.user.commands:list_accounts",
        "List the accounts.",
        (
            "ninsho user list",
            "ninsho user list @example.org --mechanisms",
            "ninsho user list --scheme MD5-CRYPT --json",
        ),
    ),
    Command("user show", "ninsho.cli.user.commands:show", "Show an account.", ("ninsho user show alice@example.org",)),
    Command(
        "user disable",
        "ninsho.cli.user.commands:disable",
        "Let an account log in no more, from now on.",
        ("ninsho user disable alice@example.org",),
    ),
    Command(
        "user enable",
        "ninsho.cli.user.commands:enable",
        "Let a disabled account log in again.",
        ("ninsho user enable alice@example.org",),
    ),
    Command(
        "user master",
        "ninsho.cli.user.commands:master",
        "Let an account act as any other one, where accounts.masters permits that.",
        ("ninsho user master postmaster@example.org", "ninsho user master postmaster@example.org --revoke"),
    ),
    Command(
        "user remove",
        "ninsho.cli.user.commands:remove",
        "Remove an account for good.",
        ("ninsho user remove alice@example.org", "ninsho user remove alice@example.org --yes"),
    ),
    Command(
        "user import",
        "ninsho.cli.user.transfer:import_accounts",
        "Take over accounts from a file.",
        (
            "ninsho user import users.passwd --dry-run",
            "ninsho user import accounts.csv --replace",
            "ninsho user import - --format htpasswd < .htpasswd",
            "db_dump -p /etc/sasldb2 | ninsho user import - --realm mail.example.org",
        ),
    ),
    Command(
        "user export",
        "ninsho.cli.user.transfer:export_accounts",
        "Write all accounts to a file.",
        ("ninsho user export accounts.csv", "ninsho user export - --format passwd-file"),
    ),
    Command(
        "auth test",
        "ninsho.cli.auth.commands:try_login",
        "Log in as a mail server would, or ask the stores and tell how they decide.",
        (
            "ninsho auth test alice@example.org",
            "ninsho auth test alice@example.org --socket /run/ninsho/auth.sock --verbose",
            "ninsho auth test alice@example.org --host 127.0.0.1:12345 --mechanism CRAM-MD5",
        ),
    ),
    Command(
        "send",
        "ninsho.cli.send.commands:send",
        "Send a message, or several, through a server.",
        (
            "ninsho send --from alice@example.org --to bob@example.net --subject Hello --text 'How are you?'",
            "ninsho send --to bob@example.net --subject Report --attach report.pdf < report.txt",
            "ninsho send --message - --via smtp://alice@mail.example.org --password-from keyring < message.eml",
            "ninsho send --message ./Maildir --recipient archive@example.org --quiet",
            "ninsho send --bulk people.csv --template mail.html --subject 'News for {name}' --ledger news.db",
        ),
    ),
    Command(
        "ledger show",
        "ninsho.cli.ledger.commands:show",
        "Tell how many got their mail, and who did not.",
        ("ninsho ledger show news.db", "ninsho ledger show news.db --mailing people --json"),
    ),
    Command(
        "ledger retry",
        "ninsho.cli.ledger.commands:retry",
        "Let recipients wait again, for the next ninsho send --bulk.",
        ("ninsho ledger retry news.db --deferred --refused", "ninsho ledger retry news.db --unknown --yes"),
    ),
    Command(
        "ledger export",
        "ninsho.cli.ledger.commands:export",
        "Write recipients and what became of them to a file.",
        ("ninsho ledger export news.db all.csv", "ninsho ledger export news.db - --bounced --unknown"),
    ),
    Command(
        "ledger bounces",
        "ninsho.cli.ledger.commands:bounces",
        "Read messages about mail that could not be delivered, and note whose it was.",
        ("ninsho ledger bounces news.db ./Maildir", "ninsho ledger bounces news.db - < bounce.eml"),
    ),
    Command(
        "read",
        "ninsho.cli.read.commands:read",
        "Show a message decoded, and whether it is a bounce.",
        (
            "ninsho read message.eml",
            "ninsho read message.eml --save ./files",
            "ninsho read - --json < message.eml",
        ),
    ),
    Command(
        "probe",
        "ninsho.cli.probe.commands:probe",
        "Look at a mail server: what it offers, and what is wrong with it.",
        (
            "ninsho probe mail.example.org",
            "ninsho probe mail.example.org:465 --json",
            "ninsho probe smtp://alice@mail.example.org --password-from ask --try-mechanisms",
        ),
    ),
    Command(
        "serve",
        "ninsho.cli.serve:serve",
        "Serve mail servers.",
        ("ninsho serve", "ninsho serve --unix ./auth.sock --store accounts.py --mechanism oreore.py"),
    ),
    Command(
        "postfix print",
        "ninsho.cli.postfix.commands:print_lines",
        "Print the lines for main.cf and master.cf.",
        ("ninsho postfix print", "ninsho postfix print --listen 127.0.0.1:12345", "ninsho postfix print --spawn"),
    ),
    Command(
        "postfix setup",
        "ninsho.cli.postfix.commands:setup",
        "Show what would change in main.cf and master.cf, and change it.",
        ("ninsho postfix setup --dry-run", "sudo ninsho postfix setup --yes --reload"),
    ),
    Command(
        "exim print",
        "ninsho.cli.exim:print_blocks",
        "Print the authenticators for Exim's configuration.",
        ("ninsho exim print",),
    ),
    Command(
        "config check",
        "ninsho.cli.config.commands:check",
        "Find everything that cannot work, or say what would be served.",
        ("ninsho config check", "ninsho config check --config ./ninsho.toml --json"),
    ),
    Command(
        "config show",
        "ninsho.cli.config.commands:show",
        "Show the settings in force, secrets masked.",
        ("ninsho config show", "ninsho config show --json"),
    ),
    Command(
        "hash",
        "ninsho.cli.hash:hash_password",
        "Make or check a stored form of a password.",
        (
            "ninsho hash",
            "ninsho hash --scheme SHA512-CRYPT --password-stdin < file",
            "ninsho hash --check '{SSHA}…'",
            "ninsho hash --list",
        ),
    ),
)
