"""Back ends behind the domain's ports: one package a back end."""
