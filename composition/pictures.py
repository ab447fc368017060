"""Pictures that are drawn from what they are of, and so may be kept forever: those of the demo marketplace."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.images.svg import logo_svg, product_svg

NOT_FOUND = PlainTextResponse("no such picture", 404)
MAX_KEY = 64


def pictures() -> list[Route]:
    return [
        Route("/images/products/{product_id:uuid}/{number}.svg", product_image),
        Route("/images/logos/{key}.svg", logo_image),
    ]


async def product_image(request: Request) -> Response:
    number: str = request.path_params["number"]
    if not (number.isascii() and number.isdigit() and len(number) <= 2):
        return NOT_FOUND
    return _svg(product_svg(request.path_params["product_id"], int(number)))


async def logo_image(request: Request) -> Response:
    key: str = request.path_params["key"]
    return _svg(logo_svg(key)) if len(key) <= MAX_KEY else NOT_FOUND


def _svg(image: bytes) -> Response:
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(image, media_type="image/svg+xml", headers=headers)
