"""What the house tells its people: that there is something, never what."""
