"""openwisp-radius as its documentation sets it up, on SQLite in write-ahead mode with synchronous=FULL, two workers.

It is installed by `provisioning/setup.sh bench` into a folder of its own (`.setup/openwisp`), from requirements/
openwisp.lock, and never into the project's.
"""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measured import NotHere
from tests.broker import free_port

_PROGRAMS = Path(__file__).parents[1] / ".setup" / "openwisp" / "bin"
_WORKERS = 2
TOKEN = "t" * 32
USER = "guest"
PATH = "/api/v1/freeradius/accounting/"

_SETTINGS = """
import os
SECRET_KEY = "of-the-benchmark-only-" + "x" * 40
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "site_urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_DATABASE"], "OPTIONS": {
    "timeout": 60, "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"}}}
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.staticfiles", "django.contrib.sites", "django.contrib.humanize", "openwisp_utils.admin_theme",
    "admin_auto_filters", "django.contrib.admin", "allauth", "allauth.account", "allauth.socialaccount",
    "rest_framework", "django_filters", "rest_framework.authtoken", "dj_rest_auth", "dj_rest_auth.registration",
    "openwisp_users.accounts", "openwisp_users", "openwisp_radius", "organizations", "private_storage", "drf_yasg"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware", "allauth.account.middleware.AccountMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
    "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages"]}}]
AUTH_USER_MODEL = "openwisp_users.User"
AUTHENTICATION_BACKENDS = ("openwisp_users.backends.UsersAuthenticationBackend",)
SITE_ID = 1
USE_TZ = True
STATIC_URL = "/static/"
MEDIA_ROOT = PRIVATE_STORAGE_ROOT = os.environ["SITE_FOLDER"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
OPENWISP_RADIUS_FREERADIUS_ALLOWED_HOSTS = ["127.0.0.1"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
LOGGING = {"version": 1, "disable_existing_loggers": True}
"""
_URLS = """
from django.urls import include, path
from openwisp_radius.urls import get_urls
urlpatterns = [
    path("", include((get_urls(), "radius"), namespace="radius")),
    path("accounts/", include("openwisp_users.accounts.urls"))]
"""
_APP = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
from celery import Celery
celery_app = Celery("site")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.set_default()
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
_PREPARE = f"""
import site_app
from django.core.management import call_command
call_command("migrate", verbosity=0)
from openwisp_radius.models import OrganizationRadiusSettings
from openwisp_users.models import Organization, OrganizationUser, User
town = Organization.objects.create(name="Town", slug="town")
OrganizationRadiusSettings.objects.get_or_create(organization=town, defaults={{"token": "{TOKEN}"}})
user = User.objects.create_user(username="{USER}", email="guest@example.jp", password="{TOKEN}")
OrganizationUser.objects.create(user=user, organization=town)
"""


class Site:
    """One that serves, with a database of its own."""

    def __init__(self, folder: Path, database: Path, port: int) -> None:
        self.folder, self.database, self.port = folder, database, port
        with contextlib.closing(sqlite3.connect(database)) as conn:
            row = conn.execute("SELECT id FROM openwisp_users_organization WHERE slug = 'town'").fetchone()
        self.authorization = f"Bearer {uuid.UUID(row[0])} {TOKEN}"

    def session(self, unique_id: str) -> tuple[int, str | None, int]:
        """Octets from the user, the end, and how long it lasted, as it is stored."""
        with contextlib.closing(sqlite3.connect(self.database)) as conn:
            octets, stop, lasted_s = conn.execute(
                "SELECT acctinputoctets, acctstoptime, acctsessiontime FROM radacct WHERE acctuniqueid = ?",
                (unique_id,),
            ).fetchone()
        return octets, stop, lasted_s

    def count(self) -> int:
        """How many sessions are stored."""
        with contextlib.closing(sqlite3.connect(self.database)) as conn:
            return int(conn.execute("SELECT count(*) FROM radacct").fetchone()[0])


@contextlib.contextmanager
def running(fresh: Path, kept: Path) -> Iterator[Site]:
    """One with nothing but a town and a user in it. Raises NotHere."""
    if not (_PROGRAMS / "gunicorn").exists():
        raise NotHere("openwisp-radius is not installed; `provisioning/setup.sh bench` does")
    folder, database, port = kept / "openwisp", fresh / "openwisp.db", free_port()
    if not (folder / "made.db").exists():
        _make(folder)
    shutil.copy(folder / "made.db", database)
    command = [str(_PROGRAMS / "gunicorn"), "-w", str(_WORKERS), "--no-control-socket", "-b", f"127.0.0.1:{port}"]
    with (fresh / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "site_app:application"], env=_environment(folder, database), stdout=log, stderr=log
        )
    try:
        _wait(process, port, fresh / "gunicorn.log")
        yield Site(folder, database, port)
    finally:
        process.terminate()
        process.wait(30)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True)
    texts = {"site_settings": _SETTINGS, "site_urls": _URLS, "site_app": _APP, "prepare": _PREPARE}
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    unfinished = folder / "unfinished.db"
    subprocess.run([_PROGRAMS / "python", "prepare.py"], cwd=folder, env=_environment(folder, unfinished), check=True)
    with contextlib.closing(sqlite3.connect(unfinished)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    unfinished.rename(folder / "made.db")


def _environment(folder: Path, database: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder), "SITE_DATABASE": str(database), "SITE_FOLDER": str(folder)}


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > end:
            raise NotHere(f"openwisp-radius does not start: {log.read_text()[-200:]}")
        time.sleep(0.05)
