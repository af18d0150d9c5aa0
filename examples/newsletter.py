"""A newsletter: each line of a CSV file becomes a message of its own; what became of each stands in another file.

python newsletter.py smtp://alice@mail.example.com?password_from=netrc recipients.csv results.csv
"""

import csv
import sys
from pathlib import Path

from ninsho import Client, Unsubscribe, merge
from ninsho.mail.merging.csv_rows import open_csv

TEXT = """\
{name}様

いつもご利用いただき、ありがとうございます。
ただいまのポイントは {points:,} 点です。

配信停止: https://news.example.com/leave?member={id!u}
"""
HTML = """\
<p>{name}様</p>
<p>いつもご利用いただき、ありがとうございます。<br>ただいまのポイントは <b>{points:,}</b> 点です。</p>
<p><a href="https://news.example.com/leave?member={id!u}">配信停止</a></p>
"""


def main(url: str, recipients: str, results: str) -> int:
    letters = merge(
        open_csv(recipients),
        from_="お店 <news@example.com>",
        to="{name} <{email}>",
        subject="【お店だより】{name}様へ十二月のお知らせ",
        text=TEXT,
        html=HTML,
        unsubscribe=Unsubscribe(url="https://news.example.com/leave?member={id}"),
        defaults={"name": "お客", "points": 0},
    )
    failed = 0
    with Client(url) as client, Path(results).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for receipt in client.send_many(letters):
            failed += not receipt.ok
            recipient = receipt.fates[0].recipient if receipt.fates else ""
            writer.writerow([recipient, "taken" if receipt.ok else receipt.error or receipt.reply])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
