"""Reading messages that others have written: whatever octets come, a ``Mail`` comes out, and nothing raises.

``read`` decodes a message as its sender meant it: many label charsets wrongly. What was wrong stands in words in
``Mail.defects``. Nothing is written or fetched here.
"""

from ninsho.mail.reading.mail import Address, Attached, Field, Mail
from ninsho.mail.reading.reader import from_standard_input, read

__all__ = ["Address", "Attached", "Field", "Mail", "from_standard_input", "read"]
