"""The rules of the waiver (rule): what a line costs in a month, how much of it is waived on which ground, and why."""
