"""Signing in, sessions, roles, and what the hub's commands say."""
