"""Lets every document be read."""


async def admit(_size: int) -> None:
    """As `Documents.get` asks."""
