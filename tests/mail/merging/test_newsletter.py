"""examples/newsletter.py does what it says."""

import csv
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

from ninsho.testing import MailServer

EXAMPLE = Path(__file__).parents[3] / "examples" / "newsletter.py"
RECIPIENTS = "id,name,email,points\n1,山田太郎,taro@example.jp,12000\na&b,,hanako@example.jp,\n3,nobody,nowhere,1\n"


def test_the_newsletter_goes_out_and_its_results_are_written(tmp_path):
    (tmp_path / "recipients.csv").write_bytes(RECIPIENTS.encode("cp932"))
    with MailServer() as server:
        command = [sys.executable, str(EXAMPLE), server.url, "recipients.csv", "results.csv"]
        assert subprocess.run(command, cwd=tmp_path, check=False, timeout=60).returncode == 1
        first, second = (message_from_bytes(one.content, policy=policy.default) for one in server.messages)
    assert "ただいまのポイントは 12,000 点です。" in first.get_body(("plain",)).get_content()
    assert first["To"].addresses[0].display_name == "山田太郎"
    assert second["Subject"] == "【お店だより】お客様へ十二月のお知らせ"
    assert "member=a%26b" in second.get_body(("html",)).get_content()
    assert second["List-Unsubscribe"] == "<https://news.example.com/leave?member=a%26b>"
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["taro@example.jp", "taken"], ["hanako@example.jp", "taken"]]
    assert rows[2][1].startswith("recipients.csv line 4: to: expected an address")
