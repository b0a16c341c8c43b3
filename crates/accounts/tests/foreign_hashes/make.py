"""Writes `made_by_python.json`: password hashes as the original libraries make them, with their default cost unless said.

    pip install django==5.2.* werkzeug==3.1.* bcrypt==5.0.* passlib==1.7.* argon2-cffi==25.* fastapi-users==15.*
    python make.py > made_by_python.json
"""

import base64
import hashlib
import json

import argon2
import bcrypt
import django
from argon2.low_level import Type, hash_secret, hash_secret_raw
from django.conf import settings
from django.contrib.auth.hashers import get_hasher, make_password
from fastapi_users.password import PasswordHelper
from passlib.hash import ldap_salted_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt
from werkzeug.security import generate_password_hash

PASSWORD = "violet-otter-Ünïcödé-42"
SALT = b"sixteen octets!!"

settings.configure(
    PASSWORD_HASHERS=[
        f"django.contrib.auth.hashers.{name}PasswordHasher"
        for name in ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"]
    ]
)
django.setup()

vectors = []


def add(by, name, made):
    vectors.append({"by": by, "name": name, "password": PASSWORD, "hash": made})


for hasher in ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"]:
    add("django", hasher, make_password(PASSWORD, hasher=hasher))
for digest in ["sha1", "sha256", "sha512"]:
    # What `sha1$` was up to Django 5.0; `sha256$` and `sha512$` in the same form.
    salted = hashlib.new(digest, b"saltsalt" + PASSWORD.encode()).hexdigest()
    add("weak", f"django {digest}", f"{digest}$saltsalt${salted}")
for method in ["scrypt", "pbkdf2:sha256", "pbkdf2:sha512", "pbkdf2:sha1:1000"]:
    add("werkzeug", method, generate_password_hash(PASSWORD, method=method))
for prefix in [b"2a", b"2b"]:
    add("bcrypt", prefix.decode(), bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, prefix)).decode())
# As PHP's `password_hash` writes it: the same algorithm under another name.
add("bcrypt", "2y", bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"))
add("passlib", "pbkdf2-sha256", pbkdf2_sha256.hash(PASSWORD))
add("passlib", "pbkdf2-sha512", pbkdf2_sha512.hash(PASSWORD))
add("passlib", "scrypt", scrypt.hash(PASSWORD))
add("weak", "ldap ssha", ldap_salted_sha1.hash(PASSWORD))
for digest, name in [("sha256", "SSHA256"), ("sha512", "SSHA512")]:
    salted = hashlib.new(digest, PASSWORD.encode() + b"saltsalt").digest() + b"saltsalt"
    add("weak", f"ldap {name}", "{%s}%s" % (name, base64.b64encode(salted).decode()))
add("argon2-cffi", "default", argon2.PasswordHasher().hash(PASSWORD))
for kind in Type:
    for version in [16, 19]:
        made = hash_secret(PASSWORD.encode(), SALT, 2, 1024, 2, 24, kind, version).decode()
        add("argon2-cffi", f"{kind.name} {version}", made)
add("fastapi-users", "default", PasswordHelper().hash(PASSWORD))

# Keycloak runs on Java; these are its documented fields, computed by Python.
raw = base64.b64encode


def keycloak(name, algorithm, iterations, value, parameters):
    data = {"hashIterations": iterations, "algorithm": algorithm, "additionalParameters": parameters}
    secret = {"value": raw(value).decode(), "salt": raw(SALT).decode(), "additionalParameters": {}}
    vectors.append(
        {
            "by": "keycloak",
            "name": name,
            "password": PASSWORD,
            "credential_data": json.dumps(data),
            "secret_data": json.dumps(secret),
        }
    )


for digest, octets, iterations in [("sha256", 64, 27500), ("sha512", 64, 210000), ("sha256", 32, 1000)]:
    value = hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), SALT, iterations, octets)
    keycloak(f"pbkdf2-{digest} {octets}", f"pbkdf2-{digest}", iterations, value, {})
value = hash_secret_raw(PASSWORD.encode(), SALT, 5, 7168, 1, 32, Type.ID, 19)
parameters = {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
keycloak("argon2", "argon2", 5, value, parameters)

print(json.dumps(vectors, indent=1, ensure_ascii=False))
