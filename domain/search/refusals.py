"""How search refuses, beside outages."""

from domain.shared.refusals import Refusal, Unavailable


class NotBuilt(Unavailable):
    """There is no index of this program's format, and none is being built: whoever builds it reads all that is stored then.

    To shoppers it is an outage like any other.
    """


class Broken(Unavailable):
    """The index does not hold what was left there: it has to be built anew. To shoppers it is an outage like any other."""


class NothingBefore(Refusal):
    """There is no earlier index of this program's format."""

    code = "NO_EARLIER_INDEX"

    def __init__(self) -> None:
        super().__init__("there is no earlier search index of this version to go back to")
