"""The pages by which a person brings results in."""
