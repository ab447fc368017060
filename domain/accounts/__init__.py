"""Who buys: users, their profiles, and how a token becomes a viewer."""
