"""Where accounts live: user bases, stored password forms, stores around stores. Nothing here knows a protocol."""
