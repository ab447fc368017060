"""Stand-ins of ours for services that have no server one can run: separate processes that speak the service's own protocol."""
