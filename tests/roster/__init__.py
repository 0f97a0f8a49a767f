"""Rosters: from the hub's cards to a terminal that refuses a lost one."""
