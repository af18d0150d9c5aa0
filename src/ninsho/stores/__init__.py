"""Where accounts live: user bases, stored password forms, and stores around stores. Nothing here knows a socket or a protocol."""
