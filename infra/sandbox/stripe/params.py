"""Reading the parameters of a call. Whatever is wrong here is found before anything is done, and so is never remembered."""

from collections.abc import Sequence

from infra.sandbox.stripe.errors import ApiError, Json

MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500
"""docs.stripe.com/api/metadata"""


class Params:
    """Typed look at a decoded form. Each method raises ApiError (400); `done` refuses what nobody asked for."""

    def __init__(self, values: Json, prefix: str = "") -> None:
        self._left = dict(values)
        self._prefix = prefix

    def text(self, name: str, *, longest: int = 5_000) -> str | None:
        """None where it is absent or empty."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ApiError(400, f"Invalid string: {name}", param=self._named(name))
        if len(value) > longest:
            message = f"Invalid string: must be at most {longest} characters"
            raise ApiError(400, message, code="parameter_invalid_string", param=self._named(name))
        return value

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            message = f"Missing required param: {self._named(name)}."
            raise ApiError(400, message, code="parameter_missing", param=self._named(name))
        return value

    def integer(self, name: str, *, least: int | None = None, most: int | None = None) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
            code = "parameter_invalid_integer"
            raise ApiError(400, f"Invalid integer: {value}", code=code, param=self._named(name))
        number = int(value)
        if least is not None and number < least:
            message = f"This value must be greater than or equal to {least}."
            raise ApiError(400, message, code="parameter_invalid_integer", param=self._named(name))
        if most is not None and number > most:
            message = f"This value must be less than or equal to {most}."
            raise ApiError(400, message, code="parameter_invalid_integer", param=self._named(name))
        return number

    def flag(self, name: str) -> bool | None:
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise ApiError(400, f"Invalid {name}: must be one of {', '.join(allowed)}", param=self._named(name))
        return value

    def strings(self, name: str) -> list[str]:
        value = self._left.pop(name, [])
        # `a[0]=x` is a list too
        found = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise ApiError(400, "Invalid array", param=self._named(name))
        return found

    def group(self, name: str) -> "Params | None":
        """The parameters under a name; the caller closes it with `done`."""
        value = self._left.pop(name, None)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise ApiError(400, "Invalid object", param=self._named(name))
        return Params(value, self._named(name))

    def metadata(self) -> dict[str, str] | None:
        """Values to set; an empty one takes its key away (see `merged`). None where nothing was said."""
        value = self._left.pop("metadata", None)
        if value is None:
            return None
        found = {} if value == "" else value
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise ApiError(400, "Invalid metadata", param="metadata")
        if len(found) > MAX_METADATA:
            raise ApiError(400, f"Metadata can have at most {MAX_METADATA} keys.", param="metadata")
        for key, text in found.items():
            if len(key) > MAX_METADATA_KEY or len(text) > MAX_METADATA_VALUE:
                raise ApiError(400, "This metadata key or value is too long.", param=f"metadata[{key}]")
        return found

    def unsupported(self, *names: str) -> None:
        """What Stripe knows and this sandbox does not: better refused than ignored."""
        for name in names:
            if name in self._left:
                raise ApiError(400, f"This sandbox does not know {self._named(name)}.", param=self._named(name))

    def done(self) -> None:
        for name in self._left:
            code = "parameter_unknown"
            raise ApiError(400, f"Received unknown parameter: {self._named(name)}", code=code, param=self._named(name))

    def _named(self, name: str) -> str:
        return f"{self._prefix}[{name}]" if self._prefix else name


def merged(before: dict[str, str], said: dict[str, str] | None) -> dict[str, str]:
    """Metadata after an update: keys are added and replaced, and an empty value takes one away."""
    return {key: text for key, text in {**before, **(said or {})}.items() if text}
