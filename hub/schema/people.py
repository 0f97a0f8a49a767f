"""Tables of people, roles and the audit log."""

TABLES = """
UPDATE person SET role = 'auditor' WHERE role = 'viewer'
"""
