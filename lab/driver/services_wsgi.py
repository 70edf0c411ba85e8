"""Cobbler's own web service plus what Apache does on a real driver: the XML-RPC proxy and the static trees."""

import os
import signal
import sys
import time
import urllib.request
from mimetypes import guess_type
from urllib.parse import quote
from wsgiref.util import FileWrapper

sys.path.insert(0, "/var/www/cobbler/svc")
from services import application as services  # noqa: E402

# What lab/faults.ts tells this service to do wrong: one file per fault, its text the fault's figure.
FAULTS = os.environ["TESTBED_WEB_FAULTS"]
# What cobbler answers, with status 200, when a template cannot be rendered.
BROKEN_ANSWER = b"# This automatic OS installation file had errors that prevented it from being rendered correctly.\n"
STATIC = {"/lab/": "/srv/lab/images", "/cobbler/": "/var/www/cobbler"}


def fault(name):
    try:
        with open(os.path.join(FAULTS, name), encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def forward(body):
    """One call of cobblerd, with what the lab's faults make of it."""
    time.sleep(float(fault("slow") or 0))
    request = urllib.request.Request("http://127.0.0.1:25151/RPC2", body, {"Content-Type": "text/xml"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        text = reply.read()
    restarts = fault("restarts")
    if restarts:
        # The supervisor starts it again; the next call meets a daemon without this one's tokens and handles.
        os.unlink(os.path.join(FAULTS, "restarts"))
        os.kill(int(restarts), signal.SIGTERM)
    return text


def static_file(path):
    for prefix, folder in STATIC.items():
        if path.startswith(prefix):
            return os.path.normpath(os.path.join(folder, path[len(prefix):])), folder
    return os.path.normpath("/srv/tftpboot" + path), "/srv/tftpboot"


def application(environ, start_response):
    path = environ["PATH_INFO"].replace("//", "/")
    if path.startswith("/cblr/svc"):
        # The service reads REQUEST_URI, which only mod_wsgi and uWSGI set.
        environ["REQUEST_URI"] = quote(path)
        if path.startswith("/cblr/svc/op/autoinstall/") and fault("answer-broken-" + path.rstrip("/").rsplit("/", 1)[-1]):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [BROKEN_ANSWER]
        return services(environ, start_response)
    if path == "/cobbler_api":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            text = forward(body)
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [text]
        except OSError as error:
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [str(error).encode()]
    name, folder = static_file(path)
    if not name.startswith(folder + "/") or not os.path.isfile(name):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not found\n"]
    headers = [("Content-Type", guess_type(name)[0] or "application/octet-stream"), ("Content-Length", str(os.path.getsize(name)))]
    start_response("200 OK", headers)
    return environ.get("wsgi.file_wrapper", FileWrapper)(open(name, "rb"))
