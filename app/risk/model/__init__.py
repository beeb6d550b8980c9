"""The model in the house: what it is fed, what it says, who decides whether it is used, and who decides otherwise."""
