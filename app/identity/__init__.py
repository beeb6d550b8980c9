"""Accounts, roles, sign-in, drafts."""
