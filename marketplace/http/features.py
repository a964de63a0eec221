"""What a page may ask of the visitor's browser: nothing but its own sound, keys and full screen."""

from django.http import HttpRequest, HttpResponse

from marketplace.http.requests import GetResponse

SHUT = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture",
    "encrypted-media", "geolocation", "gyroscope", "hid", "identity-credentials-get",
    "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials",
    "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "usb",
    "window-management", "xr-spatial-tracking",
)  # fmt: skip
POLICY = ", ".join(f"{feature}=()" for feature in SHUT)
"""Permissions-Policy as the W3C draft writes it."""


def closed(get_response: GetResponse) -> GetResponse:
    """Say with each answer which features of the browser it does without."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response

    return respond
