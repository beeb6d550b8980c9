"""The rooms of the house, one per thing that people do. ``wiring`` joins them."""
