"""What the browser is told about every answer (security.md §6)."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from flask import Flask, Request, Response, request

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ]
)
"""No inline script or style, no foreign host, no frame."""

FIXED = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "X-Frame-Options": "DENY",
}


class InMemoryRequest(Request):
    """Uploads stay in memory: werkzeug would spool them to a plaintext file (decisions 8)."""

    def _get_file_stream(self, *_arguments: Any, **_named: Any) -> IO[bytes]:
        return BytesIO()


def send_headers(app: Flask, *, secure: bool) -> None:
    """Set the fixed headers on everything, and forbid keeping anything but static files."""

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in FIXED.items():
            response.headers[name] = value
        if secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if request.endpoint and request.endpoint.endswith("static") and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-store"
            response.headers.pop("ETag", None)
        return response
