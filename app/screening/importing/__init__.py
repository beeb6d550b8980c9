"""A delivery on its way in: the fate of its rows, sealing, receipt, commit."""
