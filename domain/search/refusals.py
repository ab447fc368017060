"""How search refuses, beside outages."""

from domain.shared.refusals import Unavailable


class NotBuilt(Unavailable):
    """There is no index of this program's format, and none is being built: whoever builds it reads all that is stored then.

    To shoppers it is an outage like any other.
    """
