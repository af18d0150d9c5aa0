"""One process of a mailing: loads the recipients and sends, and says which it does; made to be killed. Told in JSON as its argument."""

import json
import sys

from bulk_stage import letter, listed

from ninsho import Client
from ninsho.bulk.bulk import Bulk
from ninsho.bulk.ledger import Ledger

told = json.loads(sys.argv[1])
print("loading", flush=True)
with Ledger(told["ledger"]) as ledger, Client(**told["client"]) as client:
    bulk = Bulk(ledger, "news", letter, client)
    bulk.load(listed(told["count"], told["prefix"]))
    print("sending", flush=True)
    tally = bulk.run()
print(f"done {tally.done} in {tally.seconds:.1f} s", flush=True)
