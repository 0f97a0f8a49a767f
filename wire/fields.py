"""What fields of messages are made of: whole numbers of 64 bits, short texts, names of a fixed form."""

from typing import Annotated

import msgspec

# SQLite and PostgreSQL hold 64-bit signed integers; a figure outside is not one of ours.
INT64_MAX = 2**63 - 1

Seq = Annotated[int, msgspec.Meta(ge=1, le=INT64_MAX)]
Through = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
Millis = Annotated[int, msgspec.Meta(ge=-INT64_MAX, le=INT64_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=200)]
# The length is said as well: `$` lets a line feed after the last digit pass.
Spool = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
KIND_PATTERN = "^[a-z][a-z_]{0,31}$"
# The codec checks the pattern once a batch and kind: here it would be matched for each record (0.3 of 0.5 µs).
Kind = Annotated[str, msgspec.Meta(min_length=1, max_length=32, extra_json_schema={"pattern": KIND_PATTERN})]

Identifier = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
