"""What devices are told of a kind: sealed, signed, answered."""
