"""Where the model acts and people decide: order and added names, talks by lot, decisions, yields, objections."""
