"""Who may do what, under which key, on which record: the door and everything behind it."""
