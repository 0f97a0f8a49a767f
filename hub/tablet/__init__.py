"""Lent tablets: what they show, count and ask for."""
