"""What the search adapters share of Japanese: how it is cut and sounds, the shop's own words, and what a query asks for."""
