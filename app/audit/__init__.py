"""The auditor's rooms: the log, and its proof."""
