"""What crosses between a device and the hub, and nothing else: messages, topics, bytes.

1. Fields are only added, with defaults; unknown ones are ignored; a kind is never reused.
2. Who sent a message is known from its topic alone.
3. This package imports nothing of the programs that use it.
"""
